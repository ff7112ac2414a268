"""The position-averaged pattern (PACBED), from all data or from a sample of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crewe.sources import Batch, Events

LEAST_KNOWN = 0.9
"""A pixel that is finite in a smaller share of the patterns than the others has no mean."""


class SummedPatterns(NamedTuple):
    """Patterns of a batch: their sum, how often each pixel was finite, and how many they were."""

    sum: NDArray[np.float64]
    finite: NDArray[np.int64] | int
    number: int


class MeanPattern:
    """Reducer that averages patterns; `at_most` frames of each batch, None all.

    A sample spread over the data is enough to find the bright-field disk and costs little. Of
    events all are taken, and the mean is per electron. Each pixel is averaged over the patterns in
    which it is finite, so that a damaged pattern spoils nothing.
    """

    def __init__(self, detector_shape: tuple[int, int], at_most: int | None = 4) -> None:
        self.detector_shape = detector_shape
        self.at_most = at_most
        self.sum = np.zeros(detector_shape)
        self.finite = np.zeros(detector_shape, np.int64)
        self.number = 0

    def measure(self, batch: Batch) -> SummedPatterns:
        """Return the sum of the patterns of a batch and how many they were."""
        if isinstance(batch, Events):
            size = self.detector_shape[0] * self.detector_shape[1]
            counts = np.bincount(batch.pixels, minlength=size)
            sums = counts.reshape(self.detector_shape).astype(float)
            return SummedPatterns(sums, len(batch.pixels), len(batch.pixels))
        total = len(batch.patterns)
        number = total if self.at_most is None else min(total, self.at_most)
        # Not the first and last, which on some instruments are the worst of a line.
        chosen = ((np.arange(number) + 0.5) * total / max(number, 1)).astype(int)
        patterns = batch.patterns[chosen]
        with np.errstate(invalid="ignore"):
            sums = patterns.sum(axis=0, dtype=float)
        if np.isfinite(sums).all():
            return SummedPatterns(sums, number, number)
        finite = np.isfinite(patterns)
        sums = patterns.sum(axis=0, dtype=float, where=finite)
        return SummedPatterns(sums, finite.sum(axis=0), number)

    def add(self, measured: SummedPatterns) -> None:
        """Add the sum of one batch."""
        self.sum += measured.sum
        self.finite += measured.finite
        self.number += measured.number

    @property
    def pattern(self) -> NDArray[Any]:
        """Mean pattern (ky, kx); zeros before any data, NaN where a pixel is seldom finite."""
        if self.number == 0:
            return np.zeros(self.detector_shape)
        known = self.finite >= max(LEAST_KNOWN * int(self.finite.max()), 1)
        return np.where(known, self.sum / np.maximum(self.finite, 1), np.nan)
