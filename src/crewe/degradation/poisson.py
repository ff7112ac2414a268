"""Poisson numbers, exact and quick: the most expensive draw of every chain."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

Pixels = NDArray[np.float32]

# From here on Ahrens and Dieter's normal deviate is nearly always accepted at once.
LARGE_MEAN = 10.0
RECIPROCALS = np.concatenate(([0.0], 1 / np.arange(1.0, 128.0)))


@njit(cache=True, nogil=True, inline="always")
def _small(mean: float, rng: Generator) -> float:
    """Invert the cumulative distribution by adding its terms."""
    left, term, count = rng.random(), math.exp(-mean), 0
    while left > term and count < 127:
        left -= term
        count += 1
        term *= mean * RECIPROCALS[count]
    return float(count)


@njit(cache=True, nogil=True)
def _density(count: float, mean: float) -> float:
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


@njit(cache=True, nogil=True)
def _normal_density(count: float, mean: float, deviation: float) -> float:
    """Discrete normal density with the corrections of Ahrens and Dieter's algorithm PD."""
    b1 = 1 / (24 * mean)
    b2 = 0.3 * b1 * b1
    c3 = b1 * b2 / 7
    c2 = b2 - 15 * c3
    c1 = b1 - 6 * b2 + 45 * c3
    c0 = 1 - b1 + 3 * b2 - 15 * c3
    x2 = ((count - mean + 0.5) / deviation) ** 2
    polynomial = ((c3 * x2 + c2) * x2 + c1) * x2 + c0
    return math.exp(-0.5 * x2) * polynomial / (math.sqrt(2 * math.pi) * deviation)


@njit(cache=True, nogil=True)
def _tail(mean: float, deviation: float, rng: Generator) -> float:
    """Draw from what the normal deviate leaves out, under a double exponential."""
    while True:
        exponential = rng.standard_exponential()
        u = 2 * rng.random() - 1
        t = 1.8 + math.copysign(exponential, u)
        if t <= -0.6744:
            continue
        count = math.floor(mean + deviation * t)
        missing = _density(count, mean) - _normal_density(count, mean, deviation)
        if 0.1069 / mean * abs(u) <= missing * math.exp(exponential):
            return count


@njit(cache=True, nogil=True, inline="always")
def _large(mean: float, rng: Generator) -> float:
    deviation = math.sqrt(mean)
    value = mean + deviation * rng.standard_normal()
    u = rng.random()
    if value >= 0:
        count = math.floor(value)
        short = mean - count
        if 6 * mean * mean * u >= short * short * short:
            return count
        if _normal_density(count, mean, deviation) * (1 - u) <= _density(count, mean):
            return count
    return _tail(mean, deviation, rng)


@njit(cache=True, nogil=True, inline="always")
def poisson_number(mean: float, rng: Generator) -> float:
    """Draw one Poisson number; a mean below zero counts as zero.

    Source: J. H. Ahrens & U. Dieter, ACM Trans. Math. Softw. 8 (1982) 163,
    doi:10.1145/355993.355997, for means of 10 and more; inversion below.
    """
    if mean <= 0:
        return 0.0
    return _small(mean, rng) if mean < LARGE_MEAN else _large(mean, rng)


@njit(cache=True, nogil=True)
def poisson_image(mean: Pixels, rng: Generator) -> Pixels:
    """Draw a Poisson number for each pixel of an image of means (y, x)."""
    counts = np.empty(mean.shape, np.float32)
    for i in range(mean.shape[0]):
        for j in range(mean.shape[1]):
            counts[i, j] = poisson_number(mean[i, j], rng)
    return counts
