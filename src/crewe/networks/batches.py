"""Samples of a recipe as normalised pairs and batches; batch k is always the same one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from crewe.networks.scaling import Scale, scale_of
from crewe.networks.training_plan import INPUTS, MASKS, TrainingPlan
from crewe.training_sets.making import Recall, maker_of
from crewe.training_sets.sample import Sample, SampleMaker
from crewe.training_sets.stored_samples import StoredSamples
from crewe.training_sets.streaming import stream

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """What a network is given and what it shall give, both (y, x) on the network's scale."""

    given: Image
    wanted: Image
    scale: Scale
    """Of the given image; `undo` brings either back to the sample's unit, masks excepted."""
    pixel_size_angstrom: float


def example_of(sample: Sample, plan: TrainingPlan) -> Example:
    """Normalise one sample: the target by the numbers of the input, unless it is a mask.

    A mask is 0 to 1 already and stays so. Raises ImageError for an image without a finite pixel.
    """
    given = np.asarray(sample.arrays[INPUTS[plan.network.kind]], np.float32)
    target = plan.network.target
    wanted = np.asarray(sample.arrays[target], np.float32)
    scale = scale_of(given)
    return Example(
        np.asarray(scale.apply(given), np.float32),
        wanted if target in MASKS else np.asarray(scale.apply(wanted), np.float32),
        scale,
        float(sample.facts.get("pixel_size_angstrom", 0.0)),
    )


def batches(
    plan: TrainingPlan,
    maker: SampleMaker,
    start: int = 0,
    executor: Executor | None = None,
    recall: Recall = maker_of,
) -> Iterator[tuple[Image, Image]]:
    """Yield batch `start`, `start` + 1, … for ever: what is given and wanted, (batch, 1, y, x).

    Batch k holds the samples k·n to k·n + n − 1 of the plan's recipe and seed, whoever makes them
    and wherever the run began, so that a run goes on without a replay. Closing the iterator
    cancels what is made ahead. Raises what a sample raises that cannot be made.
    """
    size = plan.batch_size
    with closing(stream(maker, plan.seed, start * size, executor, recall=recall)) as samples:  # type: ignore[type-var]
        while True:
            examples = [example_of(sample, plan) for sample in islice(samples, size)]
            yield (
                np.stack([one.given for one in examples])[:, None],
                np.stack([one.wanted for one in examples])[:, None],
            )


def validation_examples(
    plan: TrainingPlan,
    maker: SampleMaker,
    executor: Executor | None = None,
    recall: Recall = maker_of,
) -> list[Example]:
    """Make the fixed examples of the plan's validation, from a seed that training never sees."""
    chosen = plan.validation
    maker = maker.original if isinstance(maker, StoredSamples) else maker
    with closing(stream(maker, chosen.seed, 0, executor, recall=recall)) as samples:  # type: ignore[type-var]
        return [example_of(sample, plan) for sample in islice(samples, chosen.count)]
