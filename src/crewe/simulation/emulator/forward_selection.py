"""Which smoothed features to take: one after the other, always the one that helps most.

Chosen on images that the result is not judged by: folds within the training images choose, the
others judge. T. Hastie, R. Tibshirani and J. Friedman, The Elements of Statistical Learning (2nd
ed., Springer 2009), 3.3.2 and 7.10.2, doi:10.1007/978-0-387-84858-7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from crewe.errors import CalibrationError
from crewe.simulation.emulator.figures import CrossValidation, figures
from crewe.simulation.emulator.held_out import HeldOut
from crewe.simulation.emulator.normal_equations import NormalEquations
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.registration import common_shift
from crewe.simulation.emulator.sampled import Sample, sample_pixels, squared_errors, sums_of
from crewe.simulation.emulator.splits import Chosen, image_splits
from crewe.simulation.emulator.terms import Terms
from crewe.simulation.emulator.validation import validate_splits

if TYPE_CHECKING:
    import pandas as pd

Steps = Callable[[int], None]
POWERS = ("root", "square", "cube")
CANDIDATES = (
    "intensity",
    "log",
    *(f"smooth {sigma}" for sigma in (1, 2, 3, 4, 6, 8, 12, 16)),
    *(f"{power} {sigma}" for power in POWERS for sigma in (2, 4, 8, 16)),
    *(f"spread {sigma}" for sigma in (1, 2, 3, 4, 8)),
    *(f"gradient {sigma}" for sigma in (1, 2, 4, 8)),
    *(f"laplacian {sigma}" for sigma in (1, 2, 4)),
    *(f"shear {sigma}" for sigma in (2, 4, 8)),
)
STRIDE_PX = 5
# A feature that takes less than this share of what was left is not worth its time.
LEAST_GAIN = 0.005


@dataclass(frozen=True, eq=False)
class Selection:
    """Features in the order in which they were taken."""

    plan: EmulatorPlan
    """The plan with these features."""
    steps: pd.DataFrame
    """A row for each: `kind`, `terms`, and `one_minus_r2` on the inner folds with it."""


def select_kinds(
    pairs: Sequence[Pair],
    plan: EmulatorPlan | None = None,
    *,
    rng: np.random.Generator,
    candidates: Sequence[str] = CANDIDATES,
    start: Sequence[str] = ("intensity",),
    most: int = 11,
    folds: int = 2,
    progress: Steps | None = None,
) -> Selection:
    """Add to `start` the candidate that lowers the error of the folds most, and so on.

    Ends at `most` features or where the best candidate gains less than half a per cent. The error
    is 1 − R² of images by fits to the other folds, on every fifth pixel, with degree and
    interactions of `plan`. `progress` hears the number of features so far. The steps' errors are
    too good, since they are what was chosen by: see `validate_selection` for an honest one.

    Raises CalibrationError for fewer images than folds or a candidate that does not exist.
    """
    import pandas as pd

    base = plan or EmulatorPlan(features="smoothed", degree=3)
    pool = (*start, *(kind for kind in candidates if kind not in start))
    if not start or most < len(start):
        raise CalibrationError(f"start with one feature or more, and at most {most}")
    groups = _groups(pairs, replace(base, features="smoothed", kinds=pool), folds, rng)
    chosen = list(range(len(start)))
    error = _error(groups, chosen, base)
    rows = [_row(", ".join(start), chosen, base, error)]
    while len(chosen) < min(most, len(pool)):
        if progress is not None:
            progress(len(chosen))
        left = [index for index in range(len(pool)) if index not in chosen]
        errors = {index: _error(groups, [*chosen, index], base) for index in left}
        best = min(errors, key=lambda index: errors[index])
        if errors[best] > (1 - LEAST_GAIN) * error:
            break
        chosen.append(best)
        error = errors[best]
        rows.append(_row(pool[best], chosen, base, error))
    kinds = tuple(pool[index] for index in chosen)
    return Selection(replace(base, features="smoothed", kinds=kinds), pd.DataFrame(rows))


def validate_selection(
    pairs: Sequence[Pair],
    plan: EmulatorPlan | None = None,
    *,
    rng: np.random.Generator,
    candidates: Sequence[str] = CANDIDATES,
    start: Sequence[str] = ("intensity",),
    most: int = 11,
    folds: int = 2,
    repeats: int = 1,
    progress: Steps | None = None,
) -> tuple[CrossValidation, list[Selection]]:
    """Cross-validate the choice together with the fit: each fold chooses features of its own.

    Returns the figures and what each fold chose. `progress` hears folds done. Raises as
    `select_kinds`.
    """
    tested: list[HeldOut] = []
    shifts, chosen = [], []
    for split in image_splits(len(pairs), folds, repeats, rng):
        training = Chosen(pairs, split.training)
        chosen.append(
            select_kinds(training, plan, rng=rng, candidates=candidates, start=start, most=most)
        )
        found = validate_splits(
            pairs, chosen[-1].plan, [split], kind="image", folds=folds, standard_errors=False
        )
        tested += found.held_out
        shifts.append(found.shifts_px[0])
        if progress is not None:
            progress(len(chosen))
    return figures(chosen[-1].plan, "image", folds, tested, np.array(shifts)), chosen


def _groups(
    pairs: Sequence[Pair], plan: EmulatorPlan, folds: int, rng: np.random.Generator
) -> list[list[Sample]]:
    """Pixels of each fold's images."""
    splits = image_splits(len(pairs), folds, 1, rng)
    shift = common_shift(pairs)[0] if plan.register else (0.0, 0.0)
    held = list(pairs)
    images = [pair.linear for pair in held]
    samples = sample_pixels(images, held, plan.feature_set(), shift, STRIDE_PX)
    return [[samples[index] for index in split.validation] for split in splits]


def _error(groups: list[list[Sample]], chosen: list[int], plan: EmulatorPlan) -> float:
    """1 − R² with some of the features."""
    terms = Terms(len(chosen), plan.degree, plan.interactions)
    sums = []
    for group in groups:
        together = NormalEquations(terms.count)
        for sample in group:
            together.merge(sums_of(sample, chosen, terms))
        sums.append(together)
    squares, pixels = squared_errors(sums)
    return float(squares.sum() / pixels.sum())


def _row(kind: str, chosen: list[int], plan: EmulatorPlan, error: float) -> dict[str, object]:
    terms = Terms(len(chosen), plan.degree, plan.interactions).count
    return {"kind": kind, "terms": terms, "one_minus_r2": error}
