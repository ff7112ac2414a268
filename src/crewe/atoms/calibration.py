"""Low-dose bias of the common widths, measured on one simulated repeat of the experiment."""

from dataclasses import replace

import numpy as np

from crewe.atoms.equations import WIDTH, X, Y
from crewe.atoms.noise import NoiseModel
from crewe.atoms.problem import Problem, Solution
from crewe.atoms.scoring import fit_scoring
from crewe.atoms.stamps import Array

# Position error in widths beyond which the first-order correction leaves a visible bias.
WEAK_WIDTHS = 0.12


def needs_calibration(solution: Solution, problem: Problem) -> bool:
    """Whether shared widths were fitted to columns so weak that they came out too small."""
    if problem.kinds is None:
        return False
    variance = np.median(solution.covariance[:, X, X] + solution.covariance[:, Y, Y]) / 2
    return bool(np.sqrt(variance) > WEAK_WIDTHS * np.median(solution.model.columns[:, WIDTH]))


def unbiased_widths(solution: Solution, problem: Problem, rng: np.random.Generator) -> Solution:
    """Refit with each type's width divided by what fitting the positions, too, makes of it.

    A parametric bootstrap (Efron 1979, doi:10.1214/aos/1176344552): the fitted model with fresh
    noise is fitted twice, with the positions free and with the positions known; the ratio of the
    two widths is the bias, since both see the same noise.
    """
    repeat = replace(problem, data=simulate(solution.model.image(), solution.noise, rng))
    free, known = (
        fit_scoring(solution.model, replace(repeat, free=names)).model.columns[:, WIDTH]
        for names in ("hxyw", "hw")
    )
    columns = solution.model.columns.copy()
    columns[:, WIDTH] *= np.clip(known / free, 0.8, 1.25)
    start = replace(solution.model, columns=columns)
    return fit_scoring(start, replace(problem, free="hxy"))


def simulate(expected: Array, noise: NoiseModel, rng: np.random.Generator) -> Array:
    """An image of the given mean with the noise model's variance: shifted Poisson, or normal."""
    gain = noise.per_intensity
    if gain <= 0:
        return expected + rng.normal(0.0, np.sqrt(noise.variance(expected)))
    offset = noise.constant / gain
    electrons = rng.poisson(np.maximum(expected + offset, 0.0) / gain).astype(np.float64)
    return electrons * gain - offset
