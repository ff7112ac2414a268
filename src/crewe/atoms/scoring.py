"""Fisher scoring: the joint fit of all columns, by weighted least squares or Poisson likelihood.

One loop serves both, since the Poisson score is that of least squares weighted with the inverse
of the expected counts. At low dose the positions follow the noise, which makes peaks look
sharper and higher than they are; the loop removes this bias to first order by adding the mean
curvature of the model over the errors of the columns to the data (Box 1971,
doi:10.1111/j.2517-6161.1971.tb00871.x; Firth 1993, doi:10.1093/biomet/80.1.27).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from crewe.atoms.conjugate import block_preconditioner, conjugate_gradients
from crewe.atoms.equations import (
    HEIGHT,
    WIDTH,
    ColumnModel,
    X,
    Y,
    assemble,
    gradient,
    neighbour_pairs,
    sharing,
)
from crewe.atoms.noise import NoiseModel
from crewe.atoms.precision import Covariance, column_covariance
from crewe.atoms.stamps import Array

# No column moves further than this part of its width in one iteration.
LONGEST_STEP_WIDTHS = 0.3
# Converged when the columns move, and the widths change, by less than this part of their error.
TOLERANCE = 0.02
WIDTH_TOLERANCE = 0.005
# Above this position error, in widths, the curvature expansion is no longer to be trusted.
LARGEST_BLUR_WIDTHS = 0.35
# Below this position error, in widths, the bias is less than a hundredth of a standard error.
LEAST_BLUR_WIDTHS = 0.02


@dataclass(frozen=True)
class Problem:
    """Data and rules of a fit.

    `noise` gives the noise model from (residual, expected image); `kinds` (N,) the columns that
    share a width, None for one width each; `free_width` False keeps the widths; `uniform` gives
    every pixel the same weight, whatever its noise.
    """

    data: Array
    noise: Callable[[Array, Array], NoiseModel]
    kinds: NDArray[np.int64] | None
    free_width: bool = True
    uniform: bool = False
    iterations: int = 40

    @property
    def free(self) -> str:
        """Names of the free parameters of each column."""
        return "hxyw" if self.free_width else "hxy"

    @property
    def own(self) -> int:
        """How many parameters belong to one column alone."""
        return 4 if self.kinds is None and self.free_width else 3


@dataclass(frozen=True)
class Solution:
    """Where the scoring ended: model, noise, covariance (N, 4, 4) of height, x, y, width."""

    model: ColumnModel
    noise: NoiseModel
    covariance: Array
    converged: NDArray[np.bool_]
    iterations: int


class _Damping:
    """Slows down, column by column, what steps back and forth: weak columns on flat ground."""

    def __init__(self, count: int) -> None:
        self.factor = np.zeros(count)
        self.previous = np.zeros((count, 2))

    def observe(self, moves: Array) -> None:
        """Learn from the (x, y) moves of an iteration."""
        turned = np.sum(moves * self.previous, axis=1)
        turned = turned < -0.1 * np.sum(self.previous**2, axis=1)
        self.factor = np.where(turned, np.maximum(2 * self.factor, 0.5), 0.7 * self.factor)
        self.previous = moves

    def matrix(self, fisher: sparse.csr_array, own: int) -> sparse.csr_array:
        """What to add to the information matrix."""
        count = len(self.factor)
        extra = np.zeros(fisher.shape[0])
        positions = fisher.diagonal()[: own * count].reshape(count, own)[:, X : Y + 1]
        added = extra[: own * count].reshape(count, own)
        added[:, X : Y + 1] = self.factor[:, None] * positions + 0.02 * np.median(positions)
        return sparse.diags_array(extra).tocsr()


def fit_scoring(
    model: ColumnModel, problem: Problem, tell: Callable[[float], None] = lambda fraction: None
) -> Solution:
    """Iterate to the maximum of the (bias-reduced) likelihood."""
    count = len(model.columns)
    damping = _Damping(count)
    noise = problem.noise(problem.data - model.image(), model.image())
    covariance = np.zeros((count, 4, 4))
    moved = np.full(count, np.inf)
    iteration = 0
    for iteration in range(1, problem.iterations + 1):
        expected = model.image()
        residual = problem.data - expected
        if iteration < 8:
            noise = problem.noise(residual, expected)
        if iteration > 2 and _blur_matters(model, covariance):
            residual = residual + model.blur(_trusted(model, covariance))
        step, covariance = _step(model, problem, noise, expected, residual, damping)
        model = _bounded(model, step)
        moves = step[: 4 * count].reshape(count, 4)[:, X : Y + 1]
        damping.observe(moves)
        moved = np.hypot(*moves.T) / _error(covariance, X, Y)
        widened = np.abs(step[WIDTH : 4 * count : 4]) / _error(covariance, WIDTH)
        tell(iteration / problem.iterations)
        if (
            iteration > 4
            and np.sqrt(np.mean(moved**2)) < TOLERANCE
            and (not problem.free_width or np.median(widened) < WIDTH_TOLERANCE)
        ):
            break
    covariance = final_covariance(model, problem, noise)
    return Solution(model, noise, covariance, moved < 10 * TOLERANCE, iteration)


def _step(
    model: ColumnModel,
    problem: Problem,
    noise: NoiseModel,
    expected: Array,
    residual: Array,
    damping: _Damping,
) -> tuple[Array, Array]:
    weight = _weight(problem, noise, expected)
    equations = assemble(model, weight, neighbour_pairs(model))
    share = sharing(len(model.columns), len(model.knots), problem.free, problem.kinds)
    fisher = (share.T @ equations.matrix @ share).tocsr()
    slope = share.T @ gradient(model, weight * residual)
    damped = (fisher + damping.matrix(fisher, problem.own)).tocsr()
    preconditioner = block_preconditioner(damped, problem.own, len(model.columns))
    step = share @ conjugate_gradients(damped, slope, preconditioner)
    spread = _spread(model, problem, noise, expected, share) if problem.uniform else fisher
    return _limited(model, step), _covariance_blocks(model, problem, fisher, spread)


def _spread(
    model: ColumnModel,
    problem: Problem,
    noise: NoiseModel,
    expected: Array,
    share: sparse.csr_array,
) -> sparse.csr_array:
    """Covariance JᵀW·var·WJ of the score, when the weights are not the inverse variance."""
    weight = _weight(problem, noise, expected) ** 2 * noise.variance(expected)
    equations = assemble(model, weight, neighbour_pairs(model))
    return (share.T @ equations.matrix @ share).tocsr()


def _weight(problem: Problem, noise: NoiseModel, expected: Array) -> Array:
    variance = noise.variance(expected)
    return np.full_like(variance, 1 / np.mean(variance)) if problem.uniform else 1 / variance


def _limited(model: ColumnModel, step: Array) -> Array:
    """The step with moves and changes of width kept within what the expansion can describe."""
    columns = step[: model.columns.size].reshape(-1, 4)
    width = model.columns[:, WIDTH]
    length = np.maximum(np.hypot(columns[:, X], columns[:, Y]), 1e-300)
    shorten = np.minimum(1, LONGEST_STEP_WIDTHS * width / length)
    columns[:, X : Y + 1] *= shorten[:, None]
    columns[:, WIDTH] = np.clip(columns[:, WIDTH], -0.1 * width, 0.1 * width)
    return step


def _bounded(model: ColumnModel, step: Array) -> ColumnModel:
    moved = model.moved(step)
    columns = moved.columns.copy()
    # A column needs some height to have a place at all.
    least = 0.01 * np.median(np.abs(columns[:, HEIGHT]))
    columns[:, HEIGHT] = np.maximum(columns[:, HEIGHT], least)
    pixel = min(model.grid.step_y, model.grid.step_x)
    columns[:, WIDTH] = np.maximum(columns[:, WIDTH], 0.3 * pixel)
    return replace(moved, columns=columns)


def _error(covariance: Array, *parameters: int) -> Array:
    return np.sqrt(np.maximum(sum(covariance[:, p, p] for p in parameters), 1e-300))


def _blur_matters(model: ColumnModel, covariance: Array) -> bool:
    error = np.sqrt(np.median(covariance[:, X, X] + covariance[:, Y, Y]) / 2)
    return bool(error > LEAST_BLUR_WIDTHS * np.median(model.columns[:, WIDTH]))


def _trusted(model: ColumnModel, covariance: Array) -> Array:
    most = np.square(LARGEST_BLUR_WIDTHS * model.columns[:, WIDTH])
    largest = np.maximum(covariance[:, X, X], covariance[:, Y, Y])
    return covariance * np.minimum(1, most / np.maximum(largest, 1e-300))[:, None, None]


def final_covariance(model: ColumnModel, problem: Problem, noise: NoiseModel) -> Array:
    """Covariance (N, 4, 4) of height, x, y, width with widths free to vary, equation 2.27.

    With weights that are not the inverse variance: F⁻¹·V·F⁻¹ with the noise as estimated.
    """
    problem = replace(problem, free_width=True)
    expected = model.image()
    share = sharing(len(model.columns), len(model.knots), problem.free, problem.kinds)
    equations = assemble(model, _weight(problem, noise, expected), neighbour_pairs(model))
    fisher = (share.T @ equations.matrix @ share).tocsr()
    spread = _spread(model, problem, noise, expected, share) if problem.uniform else fisher
    return _covariance_blocks(model, problem, fisher, spread)


def _covariance_blocks(
    model: ColumnModel, problem: Problem, fisher: sparse.csr_array, spread: sparse.csr_array
) -> Array:
    count, knots = len(model.columns), len(model.knots)
    widths = fisher.shape[0] - problem.own * count - knots
    shared = widths + (knots if knots <= 4 else 0)
    found = column_covariance(fisher, count, problem.own, shared, spread)
    covariance = np.zeros((count, 4, 4))
    covariance[:, : problem.own, : problem.own] = found.own
    if widths and problem.kinds is not None:
        _insert_widths(covariance, found, problem.kinds, shared - widths)
    return covariance


def _insert_widths(
    covariance: Array, found: Covariance, kinds: NDArray[np.int64], first: int
) -> None:
    index = first + kinds
    cross = np.take_along_axis(found.cross, index[:, None, None], axis=2)[:, :, 0]
    covariance[:, :WIDTH, WIDTH] = covariance[:, WIDTH, :WIDTH] = cross
    covariance[:, WIDTH, WIDTH] = found.shared[index, index]
