"""The least error over one or two bounded values, and how well it is determined."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
LARGEST_NUMBER_OF_TRIALS = 60


class Search:
    """Errors (image,) as a function of one or two values, each computed once.

    The sum over the images is what is to be small. `steps` are distances at which the error has
    changed enough to tell its curvature.
    """

    def __init__(
        self,
        errors: Callable[[Array], Array],
        start: Sequence[float],
        bounds: Sequence[tuple[float, float]],
        steps: Sequence[float],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.start = tuple(start)
        self.bounds = tuple(bounds)
        self.steps = tuple(steps)
        self._errors = errors
        self._progress = progress
        self._known: dict[tuple[float, ...], Array] = {}

    def each(self, values: Array) -> Array:
        """Errors (image,) there."""
        key = tuple(round(float(value), 6) for value in values)
        if key not in self._known:
            self._known[key] = self._errors(np.array(key))
            if self._progress is not None:
                self._progress(len(self._known))
        return self._known[key]

    def total(self, values: Array) -> float:
        """Their sum."""
        return float(self.each(values).sum())

    def curve(self, names: Sequence[str]) -> pd.DataFrame:
        """All that was tried: the values under their names, and `one_minus_r2`."""
        import pandas as pd

        rows = [[*key, float(errors.sum())] for key, errors in sorted(self._known.items())]
        return pd.DataFrame(rows, columns=[*names, "one_minus_r2"])


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the error is least."""

    values: Array
    """The values (n,)."""
    errors: Array
    """Their standard errors (n,), NaN where the error shows no minimum around them, or the least
    error lies at the edge of what may be tried."""
    least: float
    """The error there."""
    at_edge: NDArray[np.bool_]
    """Whether values (n,) lie within half a step of their bounds."""


def optimum_of(search: Search) -> Optimum:
    """Search within the bounds; the standard errors come from leaving out one image each time.

    A quadratic through the errors around the optimum has its minimum elsewhere without this or
    that image: their jackknife spread (B. Efron, Ann. Stat. 7 (1979) 1, doi:10.1214/aos/1176344552)
    counts images, not pixels, as the independent measurements.
    """
    values = _least(search)
    low, high = np.array(search.bounds).T
    steps = np.array(search.steps)
    # Wholly inside: at an edge two places would be one.
    centre = np.clip(values, low + steps, high - steps)
    grid = np.array(list(product((-1.0, 0.0, 1.0), repeat=len(values))))
    errors = np.array([search.each(centre + place * steps) for place in grid])
    whole = errors.sum(axis=1)
    vertices = [_vertex(grid, whole - errors[:, image]) for image in range(errors.shape[1])]
    spread = np.array(vertices)
    count = len(spread)
    deviation = np.sqrt((count - 1) * spread.var(axis=0)) * steps
    at_edge = np.minimum(values - low, high - values) < steps / 2
    deviation[at_edge] = np.nan
    return Optimum(values, deviation, search.total(values), at_edge)


def _least(search: Search) -> Array:
    if len(search.start) == 1:
        found = scipy.optimize.minimize_scalar(
            lambda value: search.total(np.array([value])),
            bounds=search.bounds[0],
            method="bounded",
            options={"xatol": 0.02 * search.steps[0]},
        )
        best = np.array([found.x])
        return min((np.array(search.start), best), key=search.total)
    simplex = [np.array(search.start)]
    for axis, step in enumerate(search.steps):
        corner = simplex[0].copy()
        corner[axis] += step if corner[axis] + step <= search.bounds[axis][1] else -step
        simplex.append(corner)
    found = scipy.optimize.minimize(
        search.total,
        search.start,
        method="Nelder-Mead",
        bounds=search.bounds,
        options={
            "initial_simplex": np.array(simplex),
            "xatol": 0.05 * min(search.steps),
            "fatol": 1e-4 * search.total(simplex[0]),
            "maxfev": LARGEST_NUMBER_OF_TRIALS,
        },
    )
    result: Array = np.asarray(found.x)
    return result


def _vertex(places: Array, errors: Array) -> Array:
    """Minimum (n,) of the quadratic through errors (m,) at places (m, n); NaN without one."""
    count = places.shape[1]
    pairs = [(i, j) for i in range(count) for j in range(i, count)]
    columns = [np.ones(len(places)), *places.T, *(places[:, i] * places[:, j] for i, j in pairs)]
    weights = np.linalg.lstsq(np.stack(columns, axis=1), errors, rcond=None)[0]
    curvature = np.zeros((count, count))
    for (i, j), weight in zip(pairs, weights[1 + count :], strict=True):
        curvature[i, j] += weight
        curvature[j, i] += weight
    if not (np.linalg.eigvalsh(curvature) > 1e-12 * math.fsum(np.abs(errors))).all():
        return np.full(count, np.nan)
    result: Array = np.linalg.solve(curvature, -weights[1 : 1 + count])
    return result
