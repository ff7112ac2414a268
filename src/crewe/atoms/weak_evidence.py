"""How much the data speak for each column of a model: the evidence with it over that without it.

Laplace's approximation of the integral over all parameters, as in the MAP rule of J. Fatermans
et al., Phys. Rev. Lett. 121 (2018) 056101, doi:10.1103/PhysRevLett.121.056101, and Ultramicroscopy
201 (2019) 81, doi:10.1016/j.ultramic.2019.02.003:

    p(data | N) ∝ N!/V^N · L(θ̂) · (2π)^(d/2) / √det F,

with V the prior volume of one column (area × range of heights), L the likelihood at its maximum,
F the Fisher information of the d parameters. With χ² = −2 ln L and its Hessian H = 2F this is
the (4π)^(d/2)·exp(−χ²/2)/√det H of those papers.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import gammaln, xlogy

from crewe.atoms.equations import (
    HEIGHT,
    ColumnModel,
    assemble,
    gradient,
    neighbour_pairs,
    sharing,
)
from crewe.atoms.limits import Limits
from crewe.atoms.noise import NoiseModel
from crewe.atoms.stamps import Array, Index

OWN = 3
"""Parameters that a column brings along: height, x and y."""
MOST_STEPS = 15
# Of the log-likelihood; evidence is not known better than to a few tenths.
LEAST_GAIN = 3e-3


@dataclass(frozen=True)
class Likelihood:
    """Image and noise: Poisson counts where the dose is known, else normal of known variance."""

    data: Array
    variance: Array
    """Of each pixel, for normal noise."""
    units_per_electron: float | None = None
    """Image units of one electron; given, the noise is Poisson."""
    excess: float = 1.0
    """How many times rougher the image is than this noise: the likelihood is flattened by it."""

    def log(self, expected: Array) -> float:
        """Logarithm of the likelihood of an expected image, up to a constant."""
        if self.units_per_electron is None:
            squares = np.sum(np.square(self.data - expected) / self.variance)
            return float(-0.5 * squares / self.excess**2)
        mean = np.maximum(expected, self._least()) / self.units_per_electron
        counts = self.data / self.units_per_electron
        return float(np.sum(xlogy(counts, mean) - mean) / self.excess**2)

    def weight(self, expected: Array) -> Array:
        """Fisher information of each pixel on its own mean."""
        variance = self.variance
        if self.units_per_electron is not None:
            variance = self.units_per_electron * np.maximum(expected, self._least())
        return 1 / (self.excess**2 * variance)

    def _least(self) -> float:
        return 1e-4 * max(float(np.mean(self.data)), np.finfo(float).tiny)

    @classmethod
    def of(cls, data: Array, expected: Array, noise: NoiseModel, counts: bool) -> "Likelihood":
        """Likelihood of the noise model as it is at an expected image."""
        units = noise.per_intensity if counts else None
        return cls(data, noise.variance(expected), units)


class Equations:
    """Fisher information of a model's heights, positions, shared widths and background."""

    def __init__(self, model: ColumnModel, likelihood: Likelihood, kinds: Index) -> None:
        self.model, self.likelihood = model, likelihood
        self.share = sharing(len(model.columns), len(model.knots), "hxyw", kinds)
        self.expected = model.image()
        weight = likelihood.weight(self.expected)
        full = assemble(model, weight, neighbour_pairs(model))
        matrix = (self.share.T @ full @ self.share).tocsc()
        ridge = 1e-9 * matrix.diagonal()
        # a trace of a ridge keeps columns that coincide from making it singular
        ridge = sparse.diags_array(ridge + 1e-6 * np.median(ridge))
        # positive definite: elimination needs no pivoting and may keep the order of few fill-ins
        self.factors = sparse.linalg.splu(
            (matrix + ridge).tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )

    def slope(self, model: ColumnModel, expected: Array) -> Array:
        """Derivative of the log-likelihood by the free parameters, with the expected counts."""
        weight = self.likelihood.weight(expected)
        return self.share.T @ gradient(model, weight * (self.likelihood.data - expected))

    def log_determinant(self) -> float:
        """Logarithm of the determinant of the information."""
        return float(np.sum(np.log(np.abs(self.factors.U.diagonal()))))


def maximise(model: ColumnModel, likelihood: Likelihood, kinds: Index) -> ColumnModel:
    """The model where the likelihood is greatest, by Fisher scoring from a good start.

    Without the correction for bias of `fit_scoring`: evidence is about the maximum itself.
    """
    limits = Limits.around(model)
    for _ in range(MOST_STEPS):
        equations = Equations(model, likelihood, kinds)
        here = likelihood.log(equations.expected)
        slope = equations.slope(model, equations.expected)
        step = limits.shorten(model, equations.share @ equations.factors.solve(slope))
        best = _best_part(model, likelihood, limits, step)
        if best is None or best[1] <= here:
            break
        model = best[0]
        if best[1] - here < LEAST_GAIN:
            break
    return model


def _best_part(
    model: ColumnModel, likelihood: Likelihood, limits: Limits, step: Array
) -> tuple[ColumnModel, float] | None:
    """Model and log-likelihood after the longest part of the step that leads upwards."""
    here = likelihood.log(model.image())
    for part in (1.0, 0.5, 0.2, 0.05):
        trial = limits.apply(model, part * step)
        there = likelihood.log(trial.image())
        if there > here:
            return trial, there
    return None


def log_odds(
    model: ColumnModel, likelihood: Likelihood, kinds: Index, members: Index, volume: float
) -> Array:
    """Natural log of the evidence with each of `members` over that without it, (n,).

    `model` must lie at the maximum of the likelihood; `volume` is the prior volume of a column,
    area × range of heights. Without a column, all others have moved to where they then fit best,
    by two steps of scoring. The factor of exchangeable columns, N!, is not included.
    """
    equations = Equations(model, likelihood, kinds)
    here = likelihood.log(equations.expected)
    size = equations.share.shape[1]
    odds = np.zeros(len(members))
    for n, member in enumerate(members):
        own = OWN * member + np.arange(OWN)
        unit = np.zeros((size, OWN))
        unit[own, np.arange(OWN)] = 1.0
        response = equations.factors.solve(unit)
        covariance = response[own]
        gain = here - _without(equations, member, response, covariance)
        _, determinant = np.linalg.slogdet(2 * np.pi * covariance)
        odds[n] = gain + 0.5 * determinant - np.log(volume)
    return odds


def _without(equations: Equations, member: int, response: Array, covariance: Array) -> float:
    """Greatest log-likelihood of the model without one of its columns."""
    model, likelihood, share = equations.model, equations.likelihood, equations.share
    own = OWN * member + np.arange(OWN)
    fall = np.array([-model.columns[member, HEIGHT], 0.0, 0.0])
    trial = model.moved(share @ (response @ np.linalg.solve(covariance, fall)))
    alone = model.columns.copy()
    alone[member, HEIGHT] = 0.0
    unmoved = ColumnModel(model.grid, model.peak, alone, model.mesh, model.knots)
    best = likelihood.log(unmoved.image())
    for _ in range(2):
        expected = trial.image()
        best = max(best, likelihood.log(expected))
        step = equations.factors.solve(equations.slope(trial, expected))
        # hold the parameters of the absent column
        step -= response @ np.linalg.solve(covariance, step[own])
        trial = trial.moved(share @ step)
    return max(best, likelihood.log(trial.image()))


def log_evidence(
    model: ColumnModel, likelihood: Likelihood, kinds: Index, added: int, volume: float
) -> float:
    """Natural log of the evidence of a whole model at the maximum of its likelihood.

    `added` of its columns are exchangeable and have a prior volume each; the constants of the
    others are left out, so only models of the same known columns may be compared.
    """
    equations = Equations(model, likelihood, kinds)
    parameters = equations.share.shape[1]
    laplace = 0.5 * parameters * np.log(2 * np.pi) - 0.5 * equations.log_determinant()
    prior = float(gammaln(added + 1)) - added * np.log(volume)
    return likelihood.log(equations.expected) + laplace + prior
