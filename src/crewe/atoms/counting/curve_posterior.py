"""Samples of the thickness curves that the data allow, each with its weight.

Draws from a mixture of Student distributions, one at each summit of the posterior, and from the
prior (so that nothing is missed where no summit was found) are carried over to the posterior
by sequential Monte Carlo (Del Moral, Doucet and Jasra (2006),
doi:10.1111/j.1467-9868.2006.00553.x): along q^(1−β)·p^β, β from 0 to 1, they are weighted, drawn
again and moved. Where the mixture resembles the posterior that is one step of importance sampling.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.special import logsumexp

from crewe.atoms.counting.comb import NOTHING, CrossSections
from crewe.atoms.counting.curve_evidence import log_posteriors
from crewe.atoms.counting.curve_samples import CurveSamples
from crewe.atoms.counting.student_mixture import StudentMixture
from crewe.atoms.counting.thickness_curve import SIZE, Family
from crewe.atoms.stamps import Array, Index
from crewe.errors import PlanError

DRAWS = 2000
PARTICLES = 600
LEAST_PART = 0.4
"""Smallest part of the particles that still speak, before they are drawn again."""
ENOUGH = 300.0
STAGES = 40
MOVES = 6
PRIOR_PART = 0.1
# Summits so far below the best one cannot matter, whatever their breadth.
LOWEST = 18.0
SAME_SUMMIT = 0.5
WIDER, WIDER_PART = 2.5, 0.4


def _log_prior_size(family: Family) -> float:
    """Logarithm of what normalises the normal priors; that of the size is common to families."""
    finite = family.breadth[(family.breadth > 0) & np.isfinite(family.breadth)]
    return -float(np.sum(np.log(finite * np.sqrt(2 * np.pi))))


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
    summits: Array, family: Family, data: CrossSections, rng: Generator
) -> CurveSamples:
    """Draw curves from the posterior, starting from the summits (m, 7) of the comb's likelihood."""
    target = _Target(family, data)
    heights = target(summits)
    if not heights.max() > NOTHING / 2:
        raise PlanError(
            "no thickness curve reaches the cross-sections: the library or the single atom is of "
            "another scale, or columns have more atoms than most_count"
        )
    order = np.argsort(-heights)
    summits, heights = summits[order], heights[order]
    mixture = _first_mixture(summits, heights, target)
    cloud = _Cloud.of(_draw(mixture, target, rng), mixture, target)
    power, log_evidence = 0.0, _log_prior_size(family)
    weights = np.full(len(cloud.curves), 1 / len(cloud.curves))
    for _ in range(STAGES):
        step = _next_step(cloud, 1 - power)
        power = min(power + step, 1.0)
        ratio = step * cloud.ratios
        log_evidence += float(logsumexp(ratio)) - np.log(len(ratio))
        weights = np.exp(ratio - logsumexp(ratio))
        if power >= 1:
            break
        cloud = cloud.take(_resampled(weights, rng))
        for k in range(MOVES):
            cloud = _moved(cloud, power, k, mixture, target, rng)
    found = CurveSamples(cloud.curves, weights, _effective(weights, cloud.ancestors), log_evidence)
    if found.effective > ENOUGH:
        return found
    return _drawn_again(found, mixture, target, rng)


def _drawn_again(
    found: CurveSamples, mixture: StudentMixture, target: _Target, rng: Generator
) -> CurveSamples:
    """Importance samples from a mixture that is fitted to what was found, where that is better."""
    places = _resampled(found.weights, rng)
    fitted = mixture.fitted_to(found.curves[places][:, target.free])
    cloud = _Cloud.of(_draw(fitted, target, rng), fitted, target)
    weights = np.exp(cloud.ratios - logsumexp(cloud.ratios))
    effective = _effective(weights, cloud.ancestors)
    again = CurveSamples(cloud.curves, weights, effective, found.log_evidence)
    return again if again.effective > found.effective else found


def _effective(weights: Array, ancestors: Index) -> float:
    """Number of samples that would say as much; those of one first draw count as one."""
    per_ancestor = np.bincount(ancestors, weights)
    return 1 / float(np.sum(per_ancestor**2))


def _resampled(weights: Array, rng: Generator) -> Index:
    """Indices of the particles that live on, drawn at even distances of their weights."""
    places = (rng.random() + np.arange(PARTICLES)) / PARTICLES
    return np.minimum(np.searchsorted(np.cumsum(weights), places), len(weights) - 1)


def _next_step(cloud: "_Cloud", left: float) -> float:
    """Largest step of the power up to what is left that keeps enough particles alive."""
    low, high = 0.0, left
    if _alive(cloud.ratios, left) >= LEAST_PART:
        return left
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _alive(cloud.ratios, middle) > LEAST_PART else (low, middle)
    return max(low, 1e-4 * left)


def _alive(ratios: Array, step: float) -> float:
    known = step * np.where(np.isfinite(ratios), ratios, -1e300)
    return float(np.exp(2 * logsumexp(known) - logsumexp(2 * known))) / len(ratios)


def _moved(
    cloud: "_Cloud", power: float, k: int, mixture: StudentMixture, target: _Target, rng: Generator
) -> "_Cloud":
    """Particles after a Metropolis step, by turns one of three: all leave q^(1−β)·p^β as it is."""
    half = np.flatnonzero(rng.permutation(len(cloud.curves)) % 2 == 0)
    others = np.setdiff1d(np.arange(len(cloud.curves)), half)
    points = cloud.curves[half][:, target.free]
    if k % 3 == 0:
        proposed = _near_summits(points, mixture, rng)
    else:
        # Differences of other particles know the form of the posterior, and with a factor of one
        # the way from summit to summit (ter Braak (2006), doi:10.1007/s11222-006-8769-1).
        first, second = cloud.curves[rng.choice(others, (2, len(half)))][:, :, target.free]
        factor = 2.38 / np.sqrt(2 * points.shape[1]) * rng.uniform(0.2, 1.0, (len(half), 1))
        spread = 1e-4 * rng.standard_normal(points.shape)
        proposed = points + (factor if k % 3 == 1 else 1.0) * (first - second) + spread
    curves = cloud.curves[half]
    curves[:, target.free] = proposed
    new = _Cloud.of(curves, mixture, target)
    gain = new.level(power) - cloud.level(power)[half]
    accepted = half[np.log(rng.random(len(half))) < gain]
    return cloud.replaced(accepted, new, np.searchsorted(half, accepted))


def _near_summits(points: Array, mixture: StudentMixture, rng: Generator) -> Array:
    """Random walk with the form of a random summit, so that it is the same back and forth."""
    which = rng.choice(len(mixture.weights), len(points), p=mixture.weights)
    roots = np.linalg.cholesky(mixture.covariances)[which]
    reach = np.exp(rng.uniform(np.log(0.05), 0.0, (len(points), 1)))
    return points + reach * np.einsum("nij,nj->ni", roots, rng.standard_normal(points.shape))


@dataclass(frozen=True)
class _Cloud:
    """Particles: curves, their log posterior, log density under the proposal, first draw."""

    curves: Array
    logs: Array
    proposed: Array
    ancestors: Index

    @classmethod
    def of(cls, curves: Array, mixture: StudentMixture, target: _Target) -> "_Cloud":
        logs = target(curves)
        proposed = np.logaddexp(
            np.log1p(-PRIOR_PART) + mixture.log_density(curves[:, target.free]),
            np.log(PRIOR_PART) + _log_prior_density(curves, target),
        )
        logs = np.where(logs > NOTHING / 2, logs, -np.inf)
        return cls(curves, logs, proposed, np.arange(len(curves)))

    @property
    def ratios(self) -> Array:
        return self.logs - self.proposed

    def level(self, power: float) -> Array:
        return power * self.logs + (1 - power) * self.proposed

    def take(self, which: Index) -> "_Cloud":
        return _Cloud(
            self.curves[which], self.logs[which], self.proposed[which], self.ancestors[which]
        )

    def replaced(self, where: Index, other: "_Cloud", which: Index) -> "_Cloud":
        curves, logs, proposed = self.curves.copy(), self.logs.copy(), self.proposed.copy()
        curves[where], logs[where] = other.curves[which], other.logs[which]
        proposed[where] = other.proposed[which]
        return _Cloud(curves, logs, proposed, self.ancestors)


def _first_mixture(summits: Array, heights: Array, target: _Target) -> StudentMixture:
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
    centres = summits[kept][:, target.free]
    # Each once more, wider: the posterior is no ellipsoid (where b is small, z0 is free).
    return StudentMixture(
        np.concatenate([(1 - WIDER_PART) * weights, WIDER_PART * weights]),
        np.concatenate([centres, centres]),
        np.concatenate([covariances, WIDER**2 * covariances]),
    )


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
    return np.array([0.03 / count, 0.2 / count, 0.03, 0.04, 0.05, 0.05, 0.05])[target.free]


def _draw(mixture: StudentMixture, target: _Target, rng: Generator) -> Array:
    """Draw curves (n, 7), a part of them from the prior."""
    n_prior = int(PRIOR_PART * DRAWS)
    curves = np.tile(target.family.centre, (DRAWS, 1))
    curves[n_prior:, target.free] = mixture.draw(DRAWS - n_prior, rng)
    from_prior = curves[:n_prior]
    finite = np.where(np.isfinite(target.family.breadth), target.family.breadth, 0.0)
    from_prior += finite * rng.standard_normal(from_prior.shape)
    if target.family.breadth[SIZE] > 0:
        from_prior[:, SIZE] = rng.uniform(*target.size_range(), n_prior)
    return curves


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
