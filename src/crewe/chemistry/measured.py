"""Element maps and HAADF as the fit takes them: plain arrays in counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from crewe.chemistry.operators import atomic_number
from crewe.chemistry.translations import Translations

Planes = NDArray[np.float32]

_VARIANCE_PX = 3.0


@dataclass(frozen=True)
class Measured:
    """One field of view; planes are (element, y, x), HAADF (y, x)."""

    counts: Planes
    """Maps over their gain: their noise is that of counts."""
    background: Planes
    """Mean counts that are no signal, in the same unit."""
    poisson: bool
    """Whether the likelihood is Poisson's; least squares otherwise."""
    whole: Planes
    """The counts as whole numbers, which can be split; for least squares the counts."""
    symbols: tuple[str, ...]
    """Of the elements."""
    haadf: NDArray[np.float32]
    haadf_offset: float
    translations: Translations | None
    """Of resolved columns."""

    @property
    def signal(self) -> Planes:
        """Counts without background; negative where noise has it so."""
        return self.counts - self.background

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Atomic numbers."""
        return np.array([atomic_number(symbol) for symbol in self.symbols])

    def variance(self) -> Planes | None:
        """Return that of the counts for least squares, from their local mean; None for Poisson."""
        return None if self.poisson else local_variance(self.counts)

    def crop(self, window: tuple[slice, slice]) -> Measured:
        """Return a part of the field."""
        rows, columns = window
        return replace(
            self,
            counts=np.ascontiguousarray(self.counts[:, rows, columns]),
            background=np.ascontiguousarray(self.background[:, rows, columns]),
            whole=np.ascontiguousarray(self.whole[:, rows, columns]),
            haadf=np.ascontiguousarray(self.haadf[rows, columns]),
        )


def local_variance(counts: Planes) -> Planes:
    """Return the variance of counts as their mean over a few pixels, never near 0."""
    averaged = np.stack([gaussian_filter(plane, _VARIANCE_PX) for plane in counts])
    floor = 0.05 * np.maximum(averaged.mean((1, 2), keepdims=True), 1e-6)
    return np.asarray(np.maximum(averaged, floor), np.float32)


def haadf_noise(image: NDArray[np.float32]) -> float:
    """Return the standard deviation of HAADF's noise, from second differences along the rows."""
    second = image[:, 1:-1] - 0.5 * (image[:, 2:] + image[:, :-2])
    spread = float(np.median(np.abs(second))) / 0.6745 / np.sqrt(1.5)
    return max(spread, 1e-6 * float(np.ptp(image)))


def brightest_window(counts: Planes, side: int) -> tuple[slice, slice]:
    """Return the window of at most `side` pixels a side that holds most counts."""
    total = counts.sum(0, dtype=np.float64)
    rows, columns = (min(side, length) for length in total.shape)
    sums = np.pad(total.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    boxes = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns]
    boxes += sums[:-rows, :-columns]
    top, left = np.unravel_index(int(np.argmax(boxes)), boxes.shape)
    return slice(int(top), int(top) + rows), slice(int(left), int(left) + columns)
