"""The pixels of the bright-field disk, in patterns and among single electrons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.errors import PlanError
from crewe.sources import Events
from crewe.stem4d.flat_patterns import FlatPatterns


@dataclass(frozen=True)
class DiskPixels:
    """Which detector pixels are kept, and into which bin each goes."""

    places: NDArray[np.float32]
    """Centres (2, bin) of the bins as (ky, kx) in detector pixels."""
    binning: int
    """Detector pixels along each side of a bin."""
    pixels: NDArray[np.int64]
    """Flat numbers ky·width + kx of the pixels kept, rising."""
    bins: NDArray[np.int32]
    """The bin of each pixel of the whole detector, −1 for those that are not kept."""

    @classmethod
    def around(
        cls, shape: tuple[int, int], centre: tuple[float, float], reach_px: float, binning: int
    ) -> DiskPixels:
        """Keep bins whose centre lies within `reach_px` of the centre (ky, kx).

        One bin has its corner in pixel (0, 0). Raises PlanError when nothing of it is on the
        detector.
        """
        whole = (shape[0] // binning, shape[1] // binning)
        ky, kx = (np.arange(n) * binning + (binning - 1) / 2 for n in whole)
        distance = np.hypot(ky[:, None] - centre[0], kx[None, :] - centre[1])
        kept = distance <= reach_px
        if not kept.any():
            raise PlanError(
                f"no pixel of a {shape[0]} × {shape[1]} detector lies within {reach_px:.1f} px of "
                f"its centre ({centre[0]:.1f}, {centre[1]:.1f}): check the centre and the radius"
            )
        rows, columns = np.nonzero(kept)
        numbers = np.full(whole, -1, np.int32)
        numbers[rows, columns] = np.arange(len(rows))
        bins = np.full(shape, -1, np.int32)
        covered = tuple(slice(n * binning) for n in whole)
        bins[covered] = numbers.repeat(binning, axis=0).repeat(binning, axis=1)
        flat = bins.reshape(-1)
        places = np.stack([ky[rows], kx[columns]]).astype(np.float32)
        return cls(places, binning, np.flatnonzero(flat >= 0), flat)

    @property
    def number(self) -> int:
        """How many bins are kept."""
        return self.places.shape[1]

    def of_frames(self, patterns: NDArray[Any]) -> NDArray[np.float32]:
        """Return the sums (frame, bin) of patterns (frame, ky, kx) of any type and byte order."""
        flat = FlatPatterns.of(patterns)
        values = np.zeros((flat.number, self.number), np.float32)
        bins = self.bins[self.pixels]
        places = flat.places(self.pixels)
        _gather(flat.values, flat.stride, flat.swapped, places, bins, values)
        return values

    def of_events(self, events: Events) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return position and bin of those electrons that fell on a kept pixel."""
        bins = self.bins[events.pixels]
        kept = bins >= 0
        return events.positions[kept], bins[kept]


def binning_for(across: int | None, radius_px: float) -> int:
    """Return the binning that makes the disk at most `across` bins wide; 1 for None."""
    if across is None:
        return 1
    if across < 4:
        raise PlanError(
            f"a bright-field disk {across} pixels wide shows no overlap: give 8 or more"
        )
    return max(1, math.ceil(2 * radius_px / across))


@njit(cache=True, nogil=True)
def _gather(
    values: NDArray[Any],
    stride: int,
    swapped: bool | None,
    pixels: NDArray[np.int64],
    bins: NDArray[np.int32],
    sums: NDArray[np.float32],
) -> None:
    for frame in range(sums.shape[0]):
        pattern = values[frame * stride :]
        for index in range(pixels.size):
            value = pattern[pixels[index]]
            if swapped is not None:
                value = np.uint16((value >> 8) | (value << 8))
            sums[frame, bins[index]] += np.float32(value)
