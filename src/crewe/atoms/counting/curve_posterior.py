"""Weighted samples of the thickness curves that the data allow.

Importance sampling from a mixture of Student distributions, one for each summit, which is fitted
again to its own weighted samples round after round (population Monte Carlo; Cappé et al. (2008),
doi:10.1007/s11222-008-9059-x). A part of every round comes from the prior, so no weight explodes
where no summit was found. All rounds are weighted by the mixture of all proposals (Owen and Zhou
(2000), doi:10.1080/01621459.2000.10473909).
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.special import gammaln, logsumexp

from crewe.atoms.counting.comb import NOTHING, CrossSections, log_posteriors
from crewe.atoms.counting.thickness_curve import SIZE, Family
from crewe.atoms.stamps import Array, Index

FREEDOM = 5.0
"""Degrees of freedom of the Student distributions."""
ROUNDS = 8
DRAWS = 1500
ENOUGH = 300.0
PRIOR_PART = 0.1
# Summits so far below the best one cannot matter, whatever their breadth.
LOWEST = 18.0
SAME_SUMMIT = 0.5


@dataclass(frozen=True)
class CurveSamples:
    """Samples of curves."""

    curves: Array
    """Parameters (n, 6), see `Family`."""
    weights: Array
    """Posterior weights (n,), sum 1."""
    effective: float
    """Number of equally weighted samples that would say as much."""


@dataclass(frozen=True)
class _Mixture:
    """Student distributions over the free parameters, in units of the summits' first steps."""

    weights: Array
    centres: Array
    covariances: Array


@dataclass(frozen=True)
class _Target:
    family: Family
    data: CrossSections

    def __call__(self, curves: Array) -> Array:
        return log_posteriors(curves, self.family, self.data)

    @property
    def free(self) -> Index:
        return np.flatnonzero(self.family.breadth)

    def size_range(self) -> tuple[float, float]:
        """Least and greatest value of the first parameter that the prior allows."""
        if self.family.by_library:
            reach = 4 * float(self.family.breadth[SIZE])
            return -reach, reach
        return float(np.log(1.5)), float(np.log(self.family.shape.size))


def sample_curves(
    summits: Array,
    heights: Array,
    family: Family,
    data: CrossSections,
    rng: Generator,
) -> CurveSamples:
    """Draw curves from the posterior, starting from its summits (m, 6) of log posterior (m,)."""
    target = _Target(family, data)
    mixture = _first_mixture(summits, heights, target)
    proposals, curves, logs = [], [], []
    for _ in range(ROUNDS):
        drawn = _draw(mixture, target, rng)
        proposals.append(mixture)
        curves.append(drawn)
        logs.append(target(drawn))
        together = np.concatenate(curves)
        weights = _weights(together, np.concatenate(logs), proposals, target)
        effective = 1 / float(np.sum(weights**2))
        if effective > ENOUGH:
            break
        mixture = _refitted(mixture, together[:, target.free], weights)
    return CurveSamples(together, weights, effective)


def _first_mixture(summits: Array, heights: Array, target: _Target) -> _Mixture:
    """One Student distribution for each distinct summit, as broad as the posterior is there."""
    kept: list[int] = []
    shapes: list[Array] = []
    for k in np.flatnonzero(heights > heights[0] - LOWEST):
        here = summits[k, target.free]
        same = (
            np.sum(np.linalg.solve(shape, here - summits[j, target.free]) ** 2) < SAME_SUMMIT**2
            for j, shape in zip(kept, map(np.linalg.cholesky, shapes), strict=True)
        )
        if not any(same):
            kept.append(int(k))
            shapes.append(_curvature(summits[k], float(heights[k]), target))
    covariances = np.array(shapes)
    evidence = heights[kept] + 0.5 * np.linalg.slogdet(covariances)[1]
    weights = np.exp(evidence - logsumexp(evidence))
    weights = 0.7 * weights + 0.3 / len(weights)
    return _Mixture(weights, summits[kept][:, target.free], covariances)


def _curvature(summit: Array, height: float, target: _Target) -> Array:
    """Covariance (d, d) of the normal distribution that the posterior resembles at a summit."""
    free = target.free
    scale = _natural_steps(summit, target)
    moves = np.zeros((len(free), summit.size))
    moves[np.arange(len(free)), free] = scale
    curves = [summit + m for m in moves] + [summit - m for m in moves]
    pairs = [(i, j) for i in range(len(free)) for j in range(i)]
    for i, j in pairs:
        curves += [summit + a * moves[i] + b * moves[j] for a in (1, -1) for b in (1, -1)]
    logs = np.maximum(target(np.array(curves)), height - 30.0)
    precision = np.zeros((len(free), len(free)))
    n = len(free)
    precision[np.diag_indices(n)] = 2 * height - logs[:n] - logs[n : 2 * n]
    for k, (i, j) in enumerate(pairs):
        pp, pm, mp, mm = logs[2 * n + 4 * k : 2 * n + 4 * k + 4]
        precision[i, j] = precision[j, i] = -(pp - pm - mp + mm) / 4
    values, vectors = np.linalg.eigh(precision)
    values = np.clip(values, 1 / 15.0**2, None)
    return (vectors / values) @ vectors.T * np.outer(scale, scale)


def _natural_steps(summit: Array, target: _Target) -> Array:
    """Steps of the free parameters that move the curve by a few hundredths of an atom."""
    count = np.exp(summit[SIZE]) if not target.family.by_library else 20.0
    return np.array([0.03 / count, 0.1 / count, 0.03, 0.06, 0.05, 0.05])[target.free]


def _draw(mixture: _Mixture, target: _Target, rng: Generator) -> Array:
    """Draw curves (n, 6), a part of them from the prior."""
    n_prior = int(PRIOR_PART * DRAWS)
    which = rng.choice(len(mixture.weights), DRAWS - n_prior, p=mixture.weights)
    normal = rng.standard_normal((len(which), len(target.free)))
    stretch = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, len(which)))
    roots = np.linalg.cholesky(mixture.covariances)
    moves = np.einsum("nij,nj->ni", roots[which], normal) * stretch[:, None]
    curves = np.tile(target.family.centre, (DRAWS, 1))
    curves[n_prior:, target.free] = mixture.centres[which] + moves
    from_prior = curves[:n_prior]
    finite = np.where(np.isfinite(target.family.breadth), target.family.breadth, 0.0)
    from_prior += finite * rng.standard_normal(from_prior.shape)
    if target.family.breadth[SIZE] > 0:
        from_prior[:, SIZE] = rng.uniform(*target.size_range(), n_prior)
    return curves


def _weights(curves: Array, logs: Array, proposals: list[_Mixture], target: _Target) -> Array:
    """Normalised importance weights (n,) against the mean of all proposals."""
    free = curves[:, target.free]
    parts = [_log_density(mixture, free) for mixture in proposals]
    proposed = logsumexp(np.array(parts), axis=0) - np.log(len(parts))
    proposed = np.logaddexp(
        np.log1p(-PRIOR_PART) + proposed, np.log(PRIOR_PART) + _log_prior_density(curves, target)
    )
    ratio = np.where(logs > NOTHING / 2, logs - proposed, -np.inf)
    return np.exp(ratio - logsumexp(ratio))


def _log_prior_density(curves: Array, target: _Target) -> Array:
    """Logarithm of the normalised density from which the defensive part is drawn."""
    family = target.family
    total = np.zeros(len(curves))
    for k in target.free:
        if k == SIZE:
            low, high = target.size_range()
            inside = (curves[:, k] >= low) & (curves[:, k] <= high)
            total += np.where(inside, -np.log(high - low), -np.inf)
        else:
            z = (curves[:, k] - family.centre[k]) / family.breadth[k]
            total += -0.5 * z**2 - np.log(family.breadth[k] * np.sqrt(2 * np.pi))
    return total


def _log_parts(mixture: _Mixture, points: Array) -> tuple[Array, Array]:
    """Logarithm (n, m) of each part's share of the density, and squared distances (n, m)."""
    d = points.shape[1]
    roots = np.linalg.cholesky(mixture.covariances)
    inverse = np.linalg.inv(roots)
    scaled = np.einsum("mij,nmj->nmi", inverse, points[:, None, :] - mixture.centres)
    squares = np.sum(scaled**2, axis=2)
    size = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    constant = gammaln((FREEDOM + d) / 2) - gammaln(FREEDOM / 2) - d / 2 * np.log(FREEDOM * np.pi)
    tail = -(FREEDOM + d) / 2 * np.log1p(squares / FREEDOM)
    return np.log(mixture.weights) + constant - size + tail, squares


def _log_density(mixture: _Mixture, points: Array) -> Array:
    return logsumexp(_log_parts(mixture, points)[0], axis=1)


def _refitted(mixture: _Mixture, points: Array, weights: Array) -> _Mixture:
    """Mixture after one step of expectation-maximisation on weighted points (n, d)."""
    parts, squares = _log_parts(mixture, points)
    shares = weights[:, None] * np.exp(parts - logsumexp(parts, axis=1, keepdims=True))
    pull = shares * (FREEDOM + points.shape[1]) / (FREEDOM + squares)
    total = pull.sum(axis=0)
    held = shares.sum(axis=0)
    # A part that few samples speak for keeps its place and form.
    speaks = 1 / np.maximum((shares**2).sum(axis=0), 1e-300) * held**2 > 4 * points.shape[1]
    safe = np.maximum(total, 1e-300)
    centres = np.einsum("nm,nd->md", pull, points) / safe[:, None]
    away = points[:, None, :] - centres
    spread = (
        np.einsum("nm,nmi,nmj->mij", pull, away, away) / np.maximum(held, 1e-300)[:, None, None]
    )
    new = np.clip(held, 0.0, None)
    new = 0.9 * new / new.sum() + 0.1 / len(new)
    old = mixture.covariances
    floor = 0.05 * old
    return _Mixture(
        new,
        np.where(speaks[:, None], centres, mixture.centres),
        np.where(speaks[:, None, None], spread + floor, old),
    )
