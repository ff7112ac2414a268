"""From a training run to a network that runs anywhere: an ONNX file and its card."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from crewe.errors import ReadError, WriteError
from crewe.io.atomic import atomic_path
from crewe.networks.batches import Example, validation_examples
from crewe.networks.card import Card, TrainingFacts, ValidationFigures, read_card, write_card
from crewe.networks.checkpoints import read_checkpoint
from crewe.networks.export import export_onnx
from crewe.networks.inference import OnnxNetwork
from crewe.networks.likeness import features
from crewe.networks.training_log import read_log
from crewe.networks.training_parts import device_of, trained_network
from crewe.networks.training_plan import INPUTS, MASKS, TrainingPlan
from crewe.networks.validation import measure, psnr
from crewe.training_sets.recipe import load_recipe
from crewe.training_sets.sample import SampleMaker
from crewe.training_sets.store import open_training_set
from crewe.training_sets.streaming import stream

BEST, LOG = "best.pt", "log.csv"
LIKENESS_PERCENT = (0.5, 99.5)
RADII_PX = {"cgrdn": 64, "residual_unet": 96, "unet": 32}
"""How far the kinds look: beyond, results of trained ones change by less than 1e-3 of the range."""
MEASURED = 64
"""Examples for the figures of a card, at least."""
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
    started_from: str = ""
    """What it began with; by default the name that its plan gives."""


def publish(
    run: Path,
    path: Path,
    words: Words,
    samples: int = 500,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Card:
    """Write the best weights of a run as an ONNX file, and its card beside it.

    Kernels are stored as float16. The card's figures are measured with that file, on examples of
    the seed after that of the plan's validation, by which the weights were chosen; its ranges of
    pixel size and likeness come from the first `samples` training samples. Both files are written
    at the end. `progress` is told samples made and in all. Raises ReadError for a folder without a
    run, WriteError, CreweError without torch, onnx or onnxruntime.
    """
    _check_free(path, overwrite)
    plan, network = trained_network(run / BEST)
    step = int(read_checkpoint(run / BEST)["step"])
    maker = load_recipe(plan.recipe.name, dict(plan.recipe.changes))
    contents = _onnx_of(network)
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
        multiple_px=getattr(network, "multiple", 1),
        parameters=_parameters(network),
        training=TrainingFacts(
            plan=plan.name,
            steps=step,
            samples=step * plan.batch_size,
            stored_samples=_stored(plan),
            started_from=words.started_from or Path(plan.network.start_from or "").stem,
            hours=round(hours_of(run / LOG, plan.batch_size, step), 2),
            device=words.device or str(device_of(plan)),
        ),
        validation=_figures(plan, maker, contents),
        likeness=ranges,
        fails=words.fails,
        sha256=hashlib.sha256(contents).hexdigest(),
    )
    with atomic_path(path, overwrite) as temporary:
        temporary.write_bytes(contents)
    write_card(card, path.with_suffix(".yaml"), overwrite)
    return card


def _check_free(path: Path, overwrite: bool) -> None:
    """Raise WriteError where something stands that is not to be replaced, before any work."""
    card = path.with_suffix(".yaml")
    there = [one for one in (path, card) if one.exists()]
    if there and not overwrite:
        raise WriteError(f"{there[0]} exists: choose another name, or overwrite it (--overwrite)")
    if card.exists():
        try:
            read_card(card)
        except ReadError as error:
            raise WriteError(
                f"{card} stands where the card belongs: choose another name"
            ) from error


def _onnx_of(network: nn.Module) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        export_onnx(network, path, half=True)
        return path.read_bytes()


def _stored(plan: TrainingPlan) -> int | None:
    return None if plan.recipe.stored is None else len(open_training_set(plan.recipe.stored))


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
    chosen = plan.validation
    fresh = {"seed": chosen.seed + 1, "count": max(chosen.count, MEASURED)}
    plan = plan.model_copy(update={"validation": chosen.model_copy(update=fresh)})
    examples = validation_examples(plan, maker)

    def restore(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return network(batch[:, 0])[:, None]

    figures = measure(examples, restore, plan.batch_size)
    return ValidationFigures(
        seed=plan.validation.seed,
        count=len(examples),
        **_baseline(plan, examples),
        psnr_db=round(figures.psnr_db, 2),
        ssim=round(figures.ssim, 4),
    )


def _baseline(plan: TrainingPlan, examples: list[Example]) -> dict[str, float]:
    """Return what the figures are to be compared with: the input, or a map that shows nothing."""
    if plan.network.target in MASKS:
        blank = [psnr(np.full_like(one.wanted, one.wanted.mean()), one.wanted) for one in examples]
        return {"blank_psnr_db": round(float(np.nanmean(blank)), 2)}
    given = measure(examples, lambda batch: batch, plan.batch_size)
    return {"input_psnr_db": round(given.psnr_db, 2)}
