"""Mixtures of Gaussians fitted to a weighted histogram, their number chosen by BIC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

BINS = 1024
LEAST_SIGMA = 0.02
"""Narrowest component, in shares of the standard deviation of all values: no spikes."""
ITERATIONS = 500
TOLERANCE = 1e-8
"""Rise of the mean log likelihood per iteration at which the fit has converged."""
_SQRT_2PI = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True)
class Mixture:
    """Components in order of their mean, each array (component,)."""

    share: Array
    mean: Array
    sigma: Array
    mean_log_likelihood: float
    """Per unit of weight."""

    def densities(self, values: Array) -> Array:
        """Share times density of each component, (component, ...)."""
        shape = (-1,) + (1,) * np.ndim(values)
        share, mean, sigma = (part.reshape(shape) for part in (self.share, self.mean, self.sigma))
        return np.asarray(
            share / (_SQRT_2PI * sigma) * np.exp(-(((values - mean) / sigma) ** 2) / 2)
        )

    def responsibilities(self, values: Array) -> Array:
        """Probability that a value belongs to each component, (component, ...)."""
        log = np.log(np.maximum(self.densities(values), 1e-300))
        likely = np.exp(log - log.max(axis=0))
        return np.asarray(likely / likely.sum(axis=0))

    def valleys(self) -> Array:
        """Density between neighbouring means over that at the lower peak, (components − 1,).

        1 where the sum of all components has no minimum between two of them: no peaks apart.
        """
        return np.array([self._valley(low, high) for low, high in pairwise(self.mean)])

    def _valley(self, low: float, high: float) -> float:
        between = self.densities(np.linspace(low, high, 257)).sum(axis=0)
        return float(between.min() / max(min(between[0], between[-1]), 1e-300))

    def bic(self, independent: float) -> float:
        """Bayesian information criterion for so many independent values (Schwarz 1978).

        −2 log L + parameters · log n, doi:10.1214/aos/1176344136.
        """
        parameters = 3 * self.mean.size - 1
        return float(-2 * independent * self.mean_log_likelihood + parameters * np.log(independent))


def best_mixture(
    values: Array,
    weights: Array,
    independent: float,
    most: int = 4,
    accept: Callable[[Mixture], bool] | None = None,
) -> Mixture:
    """Fit mixtures of one to `most` Gaussians, and return the one of least BIC.

    Values and weights are (n,), finite, the weights not negative and not all zero. `independent`
    says how many independent values they are worth; fewer than the pixels where neighbours share
    their noise, which else would make components of every accident. Values that are all alike
    give one component of sigma 0. Each mixture starts from the one before, with one component
    split in two: each in turn, the best is kept. Of several components, only mixtures that
    `accept` says yes to are returned.
    """
    places, heights = _histogram(values, weights)
    mean = float(heights @ places)
    sigma = float(np.sqrt(heights @ (places - mean) ** 2))
    if sigma <= 1e-9 * max(abs(mean), 1e-30):
        return Mixture(np.ones(1), np.array([mean]), np.zeros(1), np.inf)
    found = _expectation_maximisation(
        places, heights, np.array([[1.0], [mean], [sigma]]), LEAST_SIGMA * sigma
    )
    best = found
    for _ in range(most - 1):
        starts = [_split(found, component) for component in range(found.mean.size)]
        fits = [
            _expectation_maximisation(places, heights, start, LEAST_SIGMA * sigma)
            for start in starts
        ]
        found = max(fits, key=lambda fit: fit.mean_log_likelihood)
        better = found.bic(independent) < best.bic(independent)
        if better and (accept is None or accept(found)):
            best = found
    return best


def _histogram(values: Array, weights: Array) -> tuple[Array, Array]:
    """Mean value and share of the weight of each bin that is not empty."""
    low, high = float(values.min()), float(values.max())
    width = max(high - low, 1e-300)
    bins = np.minimum(((values - low) / width * BINS).astype(np.intp), BINS - 1)
    weight = np.bincount(bins, weights, BINS)
    filled = weight > 0
    place = np.bincount(bins, weights * values, BINS)[filled] / weight[filled]
    return place, weight[filled] / weight.sum()


def _split(mixture: Mixture, component: int) -> Array:
    """Share, mean and sigma (3, components + 1) with one component in two."""
    rest = np.arange(mixture.mean.size) != component
    share, mean, sigma = mixture.share, mixture.mean, mixture.sigma
    shift = 0.8 * sigma[component]
    return np.stack(
        [
            np.append(share[rest], 2 * [share[component] / 2]),
            np.append(mean[rest], [mean[component] - shift, mean[component] + shift]),
            np.append(sigma[rest], 2 * [0.6 * sigma[component]]),
        ]
    )


def _expectation_maximisation(
    places: Array, heights: Array, start: Array, least_sigma: float
) -> Mixture:
    mixture = Mixture(start[0], start[1], start[2], -np.inf)
    for _ in range(ITERATIONS):
        likely = mixture.densities(places)
        total = np.maximum(likely.sum(axis=0), 1e-300)
        value = float(heights @ np.log(total))
        belongs = likely / total * heights
        share = np.maximum(belongs.sum(axis=1), 1e-12)
        mean = belongs @ places / share
        spread = np.sum(belongs * (places - mean[:, None]) ** 2, axis=1) / share
        sigma = np.maximum(np.sqrt(spread), least_sigma)
        converged = value - mixture.mean_log_likelihood < TOLERANCE
        mixture = Mixture(share / share.sum(), mean, sigma, value)
        if converged:
            break
    order = np.argsort(mixture.mean, kind="stable")
    return Mixture(
        mixture.share[order],
        mixture.mean[order],
        mixture.sigma[order],
        float(heights @ np.log(np.maximum(mixture.densities(places).sum(axis=0), 1e-300))),
    )
