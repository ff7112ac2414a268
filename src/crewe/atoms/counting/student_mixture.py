"""A mixture of Student distributions: where the posterior of the thickness curves is looked for."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.special import gammaln, logsumexp

from crewe.atoms.stamps import Array

FREEDOM = 5.0
"""Degrees of freedom: tails wide enough for what the ellipsoids miss."""
FEWEST_PER_PARAMETER = 8


@dataclass(frozen=True)
class StudentMixture:
    """Student distributions of five degrees of freedom over d parameters."""

    weights: Array
    """Part (m,) of each."""
    centres: Array
    """Centres (m, d)."""
    covariances: Array
    """Scale matrices (m, d, d)."""

    def draw(self, count: int, rng: Generator) -> Array:
        """Draw points (count, d)."""
        which = rng.choice(len(self.weights), count, p=self.weights)
        normal = rng.standard_normal((count, self.centres.shape[1]))
        stretch = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, count))
        roots = np.linalg.cholesky(self.covariances)
        return (
            self.centres[which] + np.einsum("nij,nj->ni", roots[which], normal) * stretch[:, None]
        )

    def log_density(self, points: Array) -> Array:
        """Logarithm (n,) of the density at points (n, d)."""
        return logsumexp(self._log_parts(points), axis=0)

    def _log_parts(self, points: Array) -> Array:
        """Logarithm (m, n) of the density of each part."""
        d = points.shape[1]
        roots = np.linalg.cholesky(self.covariances)
        inverse = np.linalg.inv(roots)
        # (m, n, d): one matrix product for each part.
        scaled = (points - self.centres[:, None, :]) @ inverse.transpose(0, 2, 1)
        squares = np.einsum("mnd,mnd->mn", scaled, scaled)
        size = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
        gammas = gammaln((FREEDOM + d) / 2) - gammaln(FREEDOM / 2)
        constant = gammas - d / 2 * np.log(FREEDOM * np.pi)
        tail = -(FREEDOM + d) / 2 * np.log1p(squares / FREEDOM)
        return (np.log(self.weights) - size)[:, None] + tail + constant

    def fitted_to(self, points: Array) -> "StudentMixture":
        """Return the mixture whose parts have the mean and covariance of the points near them.

        A part with few points keeps its form, and loses its weight but for a remainder.
        """
        nearest = np.argmax(self._log_parts(points), axis=0)
        weights = np.bincount(nearest, minlength=len(self.weights)) / len(points)
        centres, covariances = self.centres.copy(), self.covariances.copy()
        for k in np.unique(nearest):
            own = points[nearest == k]
            if len(own) >= FEWEST_PER_PARAMETER * points.shape[1]:
                centres[k] = own.mean(axis=0)
                # Some of the old form, so that it cannot collapse.
                covariances[k] = np.cov(own.T) + 1e-3 * covariances[k]
        return StudentMixture(0.9 * weights + 0.1 / len(weights), centres, covariances)
