"""How much a figure depends on which images happened to be learned from: many divisions at once.

Normal equations of single images are summed once and added up for each division. Registration and
scales of the features are those of all images, which is all that these figures know of the images
they are tested on.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.accuracy.emulator_plans import TABLE
from benchmarks.accuracy.emulator_scores import FOLDS, SEED
from benchmarks.accuracy.emulator_store import Measured
from crewe.simulation.emulator.leave_out import TRAINING
from crewe.simulation.emulator.normal_equations import NormalEquations
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.registration import common_shift
from crewe.simulation.emulator.sampled import sample_pixels, sums_of
from crewe.simulation.emulator.splits import Split, image_splits, leave_out_splits

DIVISIONS = 50


def divisions_table(measured: Measured) -> dict[str, dict[str, float]]:
    """Mean, deviation and range of 1 − R² over many divisions into halves, by emulator."""
    return {
        name: measured.value(f"divisions {name}", lambda plan=plan: divided(measured.pairs, plan))
        for name, plan in TABLE.items()
    }


def held_out_error(
    groups: Sequence[NormalEquations], splits: Sequence[Split], ridge: float
) -> float:
    """1 − R² of images, given as normal equations in units of their variance, by some divisions."""
    squares = pixels = 0.0
    for split in splits:
        known = NormalEquations(groups[0].count)
        for index in split.training:
            known.merge(groups[index])
        coefficients, _ = known.solve(ridge)
        squares += sum(groups[index].residual_sum(coefficients) for index in split.validation)
        pixels += sum(groups[index].samples for index in split.validation)
    return squares / pixels


def divided(pairs: Sequence[Pair], plan: EmulatorPlan) -> dict[str, Any]:
    """Mean, deviation and range of 1 − R² over many divisions."""
    groups = _groups(pairs, plan)
    rng = np.random.default_rng(SEED)
    splits = image_splits(len(pairs), FOLDS, DIVISIONS, rng)
    errors = [
        held_out_error(groups, splits[start : start + FOLDS], plan.ridge)
        for start in range(0, len(splits), FOLDS)
    ]
    return {
        "mean": np.mean(errors),
        "deviation": np.std(errors, ddof=1),
        "least": min(errors),
        "most": max(errors),
    }


def drawn(
    pairs: Sequence[Pair], plan: EmulatorPlan, is_crystalline: Callable[[Pair], bool]
) -> list[dict[str, Any]]:
    """Median and ninth decile of 1 − R² over many draws of a few training images.

    Apart for all draws and for those with two crystals or more.
    """
    groups = _groups(pairs, plan)
    crystals = np.array([is_crystalline(pair) for pair in pairs])
    rng = np.random.default_rng(SEED)
    rows = []
    for number in TRAINING:
        splits = leave_out_splits(len(pairs), number, DIVISIONS, rng)
        errors = np.array([held_out_error(groups, [split], plan.ridge) for split in splits])
        several = np.array([crystals[list(split.training)].sum() >= 2 for split in splits])
        row = {"images": number, "all": _quantiles(errors), "draws": int(several.sum())}
        rows.append({**row, "several": _quantiles(errors[several])})
    return rows


def _groups(pairs: Sequence[Pair], plan: EmulatorPlan) -> list[NormalEquations]:
    shift = common_shift(pairs)[0] if plan.register else (0.0, 0.0)
    images = [pair.linear for pair in pairs]
    samples = sample_pixels(images, pairs, plan.feature_set(), shift, stride_px=1)
    terms = plan.terms()
    return [sums_of(sample, range(terms.features), terms) for sample in samples]


def _quantiles(errors: np.ndarray) -> list[float | None]:
    return list(np.quantile(errors, (0.5, 0.9))) if len(errors) else [None, None]
