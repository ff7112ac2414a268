"""Fisher scoring: the joint fit of all columns, by weighted least squares or Poisson likelihood.

One loop serves both, since the Poisson score is that of least squares weighted with the inverse
of the expected counts. At low dose the positions follow the noise, which makes peaks look
sharper and higher than they are; the loop removes this bias to first order by adding the mean
curvature of the model over the errors of the columns to the data (Box 1971,
doi:10.1111/j.2517-6161.1971.tb00871.x; Firth 1993, doi:10.1093/biomet/80.1.27).
"""

from collections.abc import Callable

import numpy as np

from crewe.atoms.conjugate import block_preconditioner, conjugate_gradients
from crewe.atoms.equations import WIDTH, ColumnModel, X, Y, gradient
from crewe.atoms.limits import Damping, Limits
from crewe.atoms.precision import fit_covariance
from crewe.atoms.problem import Problem, Solution
from crewe.atoms.stamps import Array, Mask

# Converged when the columns move, and the widths change, by less than this part of their error.
TOLERANCE = 0.02
WIDTH_TOLERANCE = 0.005
MOST = 0.98
# Above this position error, in widths, the curvature expansion is no longer to be trusted.
LARGEST_BLUR_WIDTHS = 0.35
# Below this position error, in widths, the bias is less than a hundredth of a standard error.
LEAST_BLUR_WIDTHS = 0.02
# When the errors behind the correction are worked out again; they change little in between.
CURVATURE_ITERATIONS = (3, 6, 9, 13, 18, 24, 31)
# After this many iterations the noise model stands, so that the rest can converge.
NOISE_ITERATIONS = 8


def fit_scoring(
    model: ColumnModel, problem: Problem, tell: Callable[[float], None] = lambda fraction: None
) -> Solution:
    """Iterate to the maximum of the (bias-reduced) likelihood."""
    limits, damping = Limits.around(model), Damping(len(model.columns))
    expected = model.image()
    noise = problem.noise(problem.data - expected, expected)
    settled = np.zeros(len(model.columns), dtype=bool)
    error = np.zeros_like(model.columns)
    covariance = None
    iteration = 0
    for iteration in range(1, problem.iterations + 1):
        if iteration < NOISE_ITERATIONS:
            noise = problem.noise(problem.data - expected, expected)
        if iteration in CURVATURE_ITERATIONS and _weak(model, error):
            covariance = _trusted(model, fit_covariance(model, problem, noise))
        target = problem.data
        if covariance is not None:
            target = target + model.blur(covariance)
        weight = problem.weight(noise, expected)
        step, error = _step(model, problem, weight, target - expected, damping)
        moves = limits.shorten(model, step)
        below = _descend(model, expected, limits, moves, target, weight)
        damping.tune(accepted=below is not None)
        if below is not None:
            damping.observe(below[0].columns[:, X : Y + 1] - model.columns[:, X : Y + 1])
            model, expected = below
        settled, done = _settled(moves, error, problem)
        done = done and below is not None and damping.general < 0.05
        tell(iteration / problem.iterations)
        if done and iteration > 3:
            break
    final = fit_covariance(model, problem, noise)
    return Solution(model, noise, final, settled & ~limits.reached(model), iteration)


def _step(
    model: ColumnModel, problem: Problem, weight: Array, residual: Array, damping: Damping
) -> tuple[Array, Array]:
    """Step of all parameters, and a lower limit to the error of each column's, (N, 4)."""
    count = len(model.columns)
    share = problem.share(model)
    information = problem.information(model, weight)
    slope = share.T @ gradient(model, weight * residual)
    damped = damping.added_to(information, problem.own)
    preconditioner = block_preconditioner(damped, problem.own, count)
    step = share @ conjugate_gradients(damped, slope, preconditioner)
    error = share @ (1 / np.sqrt(information.diagonal()))
    return step, error[: 4 * count].reshape(count, 4)


def _descend(
    model: ColumnModel, expected: Array, limits: Limits, step: Array, target: Array, weight: Array
) -> tuple[ColumnModel, Array] | None:
    """Model and image after the longest part of the step that does not raise the squares.

    None when every part does: the step is not to be taken.
    """
    ceiling = (1 + 1e-6) * float(np.sum(weight * np.square(target - expected)))
    for part in (1.0, 0.5, 0.25, 0.1, 0.03):
        trial = limits.apply(model, part * step)
        image = trial.image()
        if float(np.sum(weight * np.square(target - image))) <= ceiling:
            return trial, image
    return None


def _settled(step: Array, error: Array, problem: Problem) -> tuple[Mask, bool]:
    """Which columns want to move no more, and whether the fit as a whole has come to rest.

    A few columns that never settle, such as two on one peak, do not keep the others waiting.
    """
    moves, error = step[: error.size].reshape(error.shape), np.maximum(error, 1e-300)
    moved = np.hypot(moves[:, X] / error[:, X], moves[:, Y] / error[:, Y])
    done = float(np.quantile(moved, MOST)) < 3 * TOLERANCE
    if "w" in problem.free:
        widened = np.abs(moves[:, WIDTH]) / error[:, WIDTH]
        done = done and float(np.median(widened)) < WIDTH_TOLERANCE
    return moved < 10 * TOLERANCE, bool(done)


def _weak(model: ColumnModel, error: Array) -> bool:
    """Whether position errors are large enough to bend what is fitted."""
    return bool(np.median(error[:, X]) > LEAST_BLUR_WIDTHS * np.median(model.columns[:, WIDTH]))


def _trusted(model: ColumnModel, covariance: Array) -> Array:
    """The covariance, shrunk where it is too large for the curvature to describe the effect."""
    most = np.square(LARGEST_BLUR_WIDTHS * model.columns[:, WIDTH])
    variance = np.maximum(covariance[:, X, X], covariance[:, Y, Y])
    return covariance * np.minimum(1, most / np.maximum(variance, 1e-300))[:, None, None]
