"""From a training run to a network that runs anywhere: an ONNX file and its card."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from crewe.networks.batches import Example, validation_examples
from crewe.networks.card import Card, TrainingFacts, ValidationFigures, write_card
from crewe.networks.checkpoints import read_checkpoint
from crewe.networks.export import export_onnx
from crewe.networks.inference import OnnxNetwork
from crewe.networks.likeness import features
from crewe.networks.training_log import read_log
from crewe.networks.training_parts import device_of, trained_network
from crewe.networks.training_plan import INPUTS, MASKS, TrainingPlan
from crewe.networks.validation import measure
from crewe.training_sets.recipe import load_recipe
from crewe.training_sets.sample import SampleMaker
from crewe.training_sets.streaming import stream

BEST, LOG = "best.pt", "log.csv"
LIKENESS_PERCENT = (0.5, 99.5)
RADII_PX = {"cgrdn": 32, "residual_unet": 64, "unet": 32}
MULTIPLES = {"cgrdn": 2, "residual_unet": 8, "unet": 4}
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Words:
    """What only people can say of a network."""

    name: str
    description: str = ""
    fails: tuple[str, ...] = ()
    device: str = ""
    """On what it was trained; by default what the plan's device is here."""
    pixel_size_angstrom: tuple[float, float] | None = None
    """Where it may be used, if that is not the range of the training samples."""


def publish(
    run: Path,
    path: Path,
    words: Words,
    samples: int = 500,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Card:
    """Write the best weights of a run as an ONNX file, and its card beside it.

    Kernels are stored as float16. The card's figures are measured with the written file, on the
    validation examples of the plan; its ranges of pixel size and likeness come from the first
    `samples` training samples. `progress` is told samples made and in all. Raises ReadError for a
    folder without a run, WriteError, CreweError without torch, onnx or onnxruntime.
    """
    plan, network = trained_network(run / BEST)
    step = int(read_checkpoint(run / BEST)["step"])
    maker = load_recipe(plan.recipe.name, dict(plan.recipe.changes))
    export_onnx(network, path, half=True, overwrite=overwrite)
    contents = path.read_bytes()
    ranges = _ranges(plan, maker, samples, progress)
    trained = ranges.pop("pixel_size_angstrom")
    card = Card(
        name=words.name,
        task="atom map" if plan.network.kind == "unet" else "restoration",
        target=plan.network.target,
        output="mask" if plan.network.target in MASKS else "intensity",
        description=words.description or plan.description,
        recipe=maker.name,
        pixel_size_angstrom=words.pixel_size_angstrom or trained,
        radius_px=RADII_PX[plan.network.kind],
        multiple_px=MULTIPLES[plan.network.kind],
        parameters=_parameters(network),
        training=TrainingFacts(
            plan=plan.name,
            steps=step,
            samples=step * plan.batch_size,
            hours=round(hours_of(run / LOG, plan.batch_size, step), 2),
            device=words.device or str(device_of(plan)),
        ),
        validation=_figures(plan, maker, contents),
        likeness=ranges,
        fails=words.fails,
        sha256=hashlib.sha256(contents).hexdigest(),
    )
    write_card(card, path.with_suffix(".yaml"), overwrite)
    return card


def hours_of(log: Path, batch_size: int, last_step: int) -> float:
    """Return how long the steps of a run took, from the speeds in its log, up to a step."""
    rows = [(int(row["step"]), float(row["samples_per_second"])) for row in read_log(log)]
    seconds, before = 0.0, 0
    for step, speed in rows:
        if step <= last_step and speed > 0:
            seconds += (step - before) * batch_size / speed
        before = step
    return seconds / 3600


def _parameters(network: nn.Module) -> int:
    return sum(one.numel() for one in network.parameters())


def _ranges(
    plan: TrainingPlan, maker: SampleMaker, count: int, progress: Progress | None
) -> dict[str, tuple[float, float]]:
    """Return the range of each feature of the training inputs, and of their pixel sizes."""
    found: dict[str, list[float]] = {}
    for number, sample in enumerate(islice(stream(maker, plan.seed), count), 1):
        given = np.asarray(sample.arrays[INPUTS[plan.network.kind]], np.float64)
        size = float(sample.facts["pixel_size_angstrom"])
        for name, value in {**features(given), "pixel_size_angstrom": size}.items():
            found.setdefault(name, []).append(value)
        if progress is not None:
            progress(number, count)
    return {name: _range(values) for name, values in found.items()}


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Return the percentiles of some values, rounded outwards to five digits."""
    low, high = (float(one) for one in np.percentile(values, LIKENESS_PERCENT))
    grain = 1e-5 * max(abs(low), abs(high))
    return float(f"{low - grain:.5g}"), float(f"{high + grain:.5g}")


def _figures(plan: TrainingPlan, maker: SampleMaker, contents: bytes) -> ValidationFigures:
    network = OnnxNetwork(contents)
    examples = validation_examples(plan, maker)

    def restore(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return network(batch[:, 0])[:, None]

    figures = measure(examples, restore, plan.batch_size)
    return ValidationFigures(
        seed=plan.validation.seed,
        count=len(examples),
        input_psnr_db=_input_psnr(plan, examples),
        psnr_db=round(figures.psnr_db, 2),
        ssim=round(figures.ssim, 4),
    )


def _input_psnr(plan: TrainingPlan, examples: list[Example]) -> float | None:
    if plan.network.target in MASKS:
        return None
    return round(measure(examples, lambda batch: batch, plan.batch_size).psnr_db, 2)
