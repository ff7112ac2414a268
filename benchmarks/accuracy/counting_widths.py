"""Widths that grow with the number of atoms, and how well noise and dose are recovered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.counting_sets import CountedSet, curved_library, step, thicknesses
from crewe.atoms.counting.by_curve import count_by_curve
from crewe.atoms.counting.by_mixture import count_by_mixture
from crewe.atoms.counting.results import AtomCounts

CONSTANT_STEPS = 0.08
DOSES = (2000.0, 700.0, 400.0)
COLUMNS, SETS = 600, 10


@dataclass(frozen=True)
class WidthRow:
    """What one method finds at one dose, over all sets: means and their scatter."""

    method: str
    dose: float
    truth_first: float
    truth_last: float
    first: tuple[float, float]
    """Standard deviation of columns of one atom, in steps: mean and scatter over sets."""
    last: tuple[float, float]
    """The same for the thickest."""
    right: float
    limit: float


def dosed_set(dose: float, seed: int) -> CountedSet:
    """Columns whose variance is a constant and their cross-section over the dose."""
    rng = np.random.default_rng([20261122, seed])
    library = curved_library(lambda g: g - 0.004 * g**2)
    counts = thicknesses("uniform", rng, COLUMNS)
    mean = library.to_numpy()[counts - 1]
    deviation = _deviation(mean, dose, step(library))
    scs = mean + deviation * rng.standard_normal(COLUMNS)
    return CountedSet("uniform", CONSTANT_STEPS, seed, scs, counts, library)


def _deviation(mean: np.ndarray, dose: float, step_scs: float) -> np.ndarray:
    # The sets have no unit: the dose only sets how fast they widen.
    return np.sqrt((CONSTANT_STEPS * step_scs) ** 2 + 10 * mean * step_scs / dose)


def width_rows() -> list[WidthRow]:
    """One row per dose and method."""
    rows = []
    for dose in DOSES:
        data = [dosed_set(dose, seed) for seed in range(SETS)]
        size = step(data[0].library)
        per_unit = dose / (10 * size)
        ways = {
            "mixture, dose known": lambda one, d=per_unit: _mixture(one, d),
            "mixture, dose fitted": lambda one: _mixture(one, None),
            "curve, dose known": lambda one, d=per_unit: _curve(one, d),
            "curve, dose fitted": lambda one: _curve(one, None),
        }
        ends = data[0].library.to_numpy()[[0, -1]]
        truth = _deviation(ends, dose, size) / size
        limit = float(np.mean([one.limit() for one in data]))
        for name, way in ways.items():
            found = [way(one) for one in data]
            spreads = np.array([one.spread[[1, 20]] for one in found]) / size
            right = np.mean(
                [
                    each.right(one.posterior.argmax(axis=1))
                    for each, one in zip(data, found, strict=True)
                ]
            )
            mean, scatter = spreads.mean(axis=0), spreads.std(axis=0, ddof=1)
            rows.append(
                WidthRow(
                    name,
                    dose,
                    float(truth[0]),
                    float(truth[1]),
                    (float(mean[0]), float(scatter[0])),
                    (float(mean[1]), float(scatter[1])),
                    float(right),
                    limit,
                )
            )
    return rows


def _mixture(data: CountedSet, electrons_per_unit: float | None) -> AtomCounts:
    return count_by_mixture(
        data.columns, components=20, width="dose", electrons_per_unit=electrons_per_unit
    )


def _curve(data: CountedSet, electrons_per_unit: float | None) -> AtomCounts:
    return count_by_curve(data.columns, width="dose", electrons_per_unit=electrons_per_unit)
