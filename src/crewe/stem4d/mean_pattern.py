"""The position-averaged pattern (PACBED), from all data or from a sample of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.sources import Batch, Events


class MeanPattern:
    """Reducer that averages patterns; `at_most` frames of each batch, None all.

    A sample spread over the data is enough to find the bright-field disk and costs little. Of
    events all are taken, and the mean is per electron.
    """

    def __init__(self, detector_shape: tuple[int, int], at_most: int | None = 4) -> None:
        self.detector_shape = detector_shape
        self.at_most = at_most
        self.sum = np.zeros(detector_shape)
        self.number = 0

    def measure(self, batch: Batch) -> tuple[NDArray[np.float64], int]:
        """Return the sum of the patterns of a batch and how many they were."""
        if isinstance(batch, Events):
            size = self.detector_shape[0] * self.detector_shape[1]
            counts = np.bincount(batch.pixels, minlength=size)
            return counts.reshape(self.detector_shape).astype(float), len(batch.pixels)
        total = len(batch.patterns)
        number = total if self.at_most is None else min(total, self.at_most)
        # Not the first and last, which on some instruments are the worst of a line.
        chosen = ((np.arange(number) + 0.5) * total / max(number, 1)).astype(int)
        return batch.patterns[chosen].sum(axis=0, dtype=float), number

    def add(self, measured: tuple[NDArray[np.float64], int]) -> None:
        """Add the sum of one batch."""
        self.sum += measured[0]
        self.number += measured[1]

    @property
    def pattern(self) -> NDArray[Any]:
        """Mean pattern (ky, kx); zeros before any data."""
        return self.sum / max(self.number, 1)
