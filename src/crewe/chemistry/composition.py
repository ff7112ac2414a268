"""Composition, smooth with shared edges, that explains noisy element maps through a guide.

Amounts are written as x = g v: the guide g carries thickness and texture, which an elastic
image shows far better than a few X-rays do, and v is what only the spectra know. Total
variation then smooths v instead of x, over all elements together, so that an interface seen in
one element helps the others. Minimised is

    sum over elements of (g v + r) - b log(g v + r)  +  strength * sum over pixels of
    sqrt(sum over elements of s |grad v / mean v|^2),    v >= 0,

with b the counts, r their background and s the element's information in a pixel that holds
something of it (its counts there), so that one strength without unit suits every dose, and
vacuum around a specimen changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter

from crewe.chemistry.bands import Bands
from crewe.chemistry.composition_steps import (
    divergence,
    fit_counts,
    fit_squares,
    joint_variation,
    shrink,
)

Planes = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]

# Penalties in units of the information per pixel; they set the pace, not the answer.
_DATA_PENALTY = 0.3
_EDGE_PENALTY = 6.0
_RELAXATION = 1.7
_LOOK_EVERY = 10
# One look may fall on the turn of an oscillation.
_QUIET = 2
_AVERAGE_PX = 3.0


@dataclass(frozen=True)
class Problem:
    """Noisy maps and what is known about them; planes are (element, y, x)."""

    counts: Planes
    guide: Planes
    """Not negative, of mean near 1; any scale is taken up by the composition."""
    background: Planes
    """Mean counts that are no signal."""
    variance: Planes | None
    """Of the counts, for least squares; None for Poisson counts."""

    def chemical_cost(self, amounts: Planes) -> float:
        """Return the negative log-likelihood of amounts, up to a constant of the counts."""
        mean = amounts + self.background
        if self.variance is not None:
            return float((np.square(mean - self.counts) / self.variance).sum(dtype=float) / 2)
        logarithm = np.log(np.maximum(mean, 1e-6))
        return float((mean - self.counts * logarithm).sum(dtype=float))


@dataclass(frozen=True)
class CompositionFit:
    """The composition with the lowest cost that was met."""

    composition: Planes
    """(element, y, x); times the guide it is the amount in counts."""
    iterations: NDArray[np.int64]
    """When the costs below were taken."""
    chemical: NDArray[np.float64]
    variation: NDArray[np.float64]
    """The two terms; their sum never rises."""
    watched: NDArray[np.float64]
    """What `watch` made of the amounts in counts then; NaN without it."""


def fit_composition(
    problem: Problem,
    strength: float,
    *,
    start: Planes | None = None,
    iterations: int = 400,
    tolerance: float = 3e-5,
    threads: int = 1,
    watch: Callable[[Planes], float] | None = None,
) -> CompositionFit:
    """Find the composition by the alternating direction method of multipliers.

    One exact cosine transform per iteration couples the whole image, so that plateaus larger
    than any stencil settle in tens of iterations. `start` is a composition from a coarser or
    earlier fit. Stops when ten iterations, twice, change the cost by less than `tolerance` per
    value, or after `iterations`. The iterate of lowest cost is kept. The answer does not depend on
    `threads`. Method: Figueiredo and Bioucas-Dias 2010 (doi:10.1109/TIP.2010.2053941), with
    joint total variation.
    """
    level, information = _scales(problem)
    with Bands(problem.counts.shape[1], threads) as bands:
        state = _State(problem, level, information, strength, start, bands)
        best = state.composition()
        costs = [state.cost(best)]
        seen = [watch(problem.guide * best) if watch else np.nan]
        taken, quiet = [0], 0
        for iteration in range(1, iterations + 1):
            state.advance()
            if iteration % _LOOK_EVERY and iteration != iterations:
                continue
            here = state.composition()
            cost = state.cost(here)
            gain = sum(costs[-1]) - sum(cost)
            if gain > 0:
                best = here
                costs.append(cost)
                seen.append(watch(problem.guide * best) if watch else np.nan)
                taken.append(iteration)
            quiet = quiet + 1 if abs(gain) < tolerance * problem.counts.size else 0
            if quiet == _QUIET:
                break
    chemical, variation = np.array(costs).T
    return CompositionFit(best, np.array(taken), chemical, variation, np.array(seen))


def averaged_signal(signal: Planes) -> Planes:
    """Return maps without background (element, y, x), averaged over a few pixels, not negative."""
    averaged = np.stack([gaussian_filter(plane, _AVERAGE_PX) for plane in signal])
    return np.asarray(np.maximum(averaged, 0.0), np.float32)


def _scales(problem: Problem) -> tuple[Planes, Planes]:
    """Composition and information where an element is, both (element, 1, 1)."""
    seen = averaged_signal(problem.counts - problem.background)
    typical = self_weighted(seen, seen)
    guide = self_weighted(problem.guide, problem.guide)
    information = typical
    if problem.variance is not None:
        information = self_weighted(np.square(seen) / problem.variance, seen)
    level = typical / np.maximum(guide, 1e-12)
    return level.astype(np.float32), np.maximum(information, 1e-9).astype(np.float32)


def self_weighted(planes: Floats, weights: Floats) -> NDArray[np.float64]:
    """Return the mean of each plane weighted by another, (element, 1, 1), never quite 0."""
    weighted = (planes * weights).sum((1, 2), keepdims=True, dtype=float)
    total = weights.sum((1, 2), keepdims=True, dtype=float)
    return np.asarray(np.maximum(weighted / np.maximum(total, 1e-12), 1e-9))


class _State:
    """Iterates: composition over its mean, its copies for counts and edges, and their duals."""

    def __init__(
        self,
        problem: Problem,
        level: Planes,
        information: Planes,
        strength: float,
        start: Planes | None,
        bands: Bands,
    ) -> None:
        self.bands = bands
        shape = problem.counts.shape
        self.problem = problem
        self.level = level
        self.information = information[:, 0, 0].copy()
        self.weights = np.sqrt(self.information)
        self.penalty = _DATA_PENALTY * self.information
        self.signal = problem.counts - problem.background
        self.strength = strength
        self.expected = problem.guide * level
        first = np.ones(shape, np.float32) if start is None else start / level
        self.smooth = np.ascontiguousarray(first, np.float32)
        self.fitted = self.smooth.copy()
        self.fitted_dual = np.zeros(shape, np.float32)
        self.edges = np.zeros((2, *shape), np.float32)
        self.edges[0, :, :-1] = np.diff(self.smooth, axis=1)
        self.edges[1, :, :, :-1] = np.diff(self.smooth, axis=2)
        self.edges_dual = np.zeros_like(self.edges)
        self.pull = np.empty(shape, np.float32)
        self.spectrum = _DATA_PENALTY + _EDGE_PENALTY * _laplacian(shape[1], shape[2])

    def advance(self) -> None:
        """Do one iteration."""
        self.bands.run(self._pull)
        workers = self.bands.threads
        transformed = dctn(self.pull, axes=(1, 2), norm="ortho", workers=workers)
        transformed /= self.spectrum
        self.smooth = idctn(
            transformed, axes=(1, 2), norm="ortho", workers=workers, overwrite_x=True
        )
        self.bands.run(self._settle)

    def _pull(self, first: int, last: int) -> None:
        divergence(first, last, self.edges, self.edges_dual, _EDGE_PENALTY, self.pull)
        rows = slice(first, last)
        self.pull[:, rows] += _DATA_PENALTY * (self.fitted[:, rows] - self.fitted_dual[:, rows])

    def _settle(self, first: int, last: int) -> None:
        """Let edges and data each answer to the smooth iterate."""
        limit = self.strength / _EDGE_PENALTY
        edges = (self.smooth, self.edges, self.edges_dual, self.weights, limit, _RELAXATION)
        shrink(first, last, *edges)
        data = (self.smooth, self.fitted, self.fitted_dual, self.expected, self.penalty)
        problem = self.problem
        if problem.variance is None:
            fit_counts(first, last, *data, _RELAXATION, problem.counts, problem.background)
        else:
            fit_squares(first, last, *data, _RELAXATION, self.signal, problem.variance)

    def composition(self) -> Planes:
        """Return the smooth iterate, not negative, on the scale of the counts."""
        return np.maximum(self.smooth, 0.0) * self.level

    def cost(self, composition: Planes) -> tuple[float, float]:
        """Return the chemical term and the variation of a composition."""
        relative = composition / self.level
        variation = self.strength * joint_variation(relative, self.information)
        return self.problem.chemical_cost(self.problem.guide * composition), variation


def _laplacian(rows: int, columns: int) -> Planes:
    """Eigenvalues of the squared gradient under the cosine transform."""
    down = 2 - 2 * np.cos(np.pi * np.arange(rows) / rows)
    right = 2 - 2 * np.cos(np.pi * np.arange(columns) / columns)
    return (down[:, None] + right[None]).astype(np.float32)
