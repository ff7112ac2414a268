"""How much a figure depends on which images happened to be learned from: many divisions at once.

Normal equations of single images are summed once and added up for each division. Registration and
scales of the features are those of all images, which is all that these figures know of the images
they are tested on.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.accuracy.emulator_plans import TABLE
from benchmarks.accuracy.emulator_scores import FOLDS, SEED
from benchmarks.accuracy.emulator_store import Measured
from crewe.simulation.emulator.normal_equations import NormalEquations
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.registration import common_shift
from crewe.simulation.emulator.sampled import sample_pixels, sums_of
from crewe.simulation.emulator.splits import Split, image_splits

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
    shift = common_shift(pairs)[0] if plan.register else (0.0, 0.0)
    images = [pair.linear for pair in pairs]
    samples = sample_pixels(images, pairs, plan.feature_set(), shift, stride_px=1)
    terms = plan.terms()
    groups = [sums_of(sample, range(terms.features), terms) for sample in samples]
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
