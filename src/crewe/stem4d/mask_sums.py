"""Sums of patterns under masks, touching only the pixels that a mask lets through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.sources import Events
from crewe.stem4d.flat_patterns import FlatPatterns


@dataclass(frozen=True)
class Masks:
    """Masks (mask, ky, kx) as runs of pixels, for frames, and as weights, for events.

    Whole numbers, True and False, are summed exactly; other weights multiply the intensities.
    """

    weights: NDArray[np.float64]
    runs: NDArray[np.int64]
    """Runs (run, 3) of equal weight: mask, first pixel, pixel after the last, by place."""
    run_weights: NDArray[np.float64]

    @classmethod
    def of(cls, masks: NDArray[Any]) -> Masks:
        """Take masks (mask, ky, kx), bool or weights."""
        weights = np.asarray(masks, float).reshape(len(masks), -1)
        rows = weights.shape[1] // masks.shape[2]
        ends = np.arange(1, rows) * masks.shape[2]
        runs = []
        for mask, line in enumerate(weights):
            cuts = np.union1d(np.flatnonzero(np.diff(line)) + 1, ends)
            first, after = np.r_[0, cuts], np.r_[cuts, line.size]
            kept = line[first] != 0
            runs += [(mask, a, b) for a, b in zip(first[kept], after[kept], strict=True)]
        found = np.array(sorted(runs, key=lambda run: run[1]), np.int64).reshape(-1, 3)
        return cls(weights, found, weights[found[:, 0], found[:, 1]])

    def of_frames(self, patterns: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sums (frame, mask) of patterns (frame, ky, kx)."""
        flat = FlatPatterns.of(patterns)
        sums = np.zeros((flat.number, len(self.weights)))
        runs = self.runs.copy()
        runs[:, 1] = flat.places(runs[:, 1])
        runs[:, 2] += runs[:, 1] - self.runs[:, 1]
        if flat.values.dtype.kind == "f":
            _sum_floats(flat.values, flat.stride, runs, self.run_weights, sums)
        else:
            _sum_counts(flat.values, flat.stride, flat.swapped, runs, self.run_weights, sums)
        return sums

    def of_events(self, events: Events, first: int, number: int) -> NDArray[np.float64]:
        """Return the sums (position, mask) of electrons at positions first … first + number."""
        sums = np.zeros((number, len(self.weights)))
        _sum_events(events.positions, events.pixels, first, self.weights.T.copy(), sums)
        return sums


@njit(cache=True, nogil=True)
def _sum_counts(
    values: NDArray[Any],
    stride: int,
    swapped: bool | None,
    runs: NDArray[np.int64],
    weights: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    for frame in range(sums.shape[0]):
        for run in range(runs.shape[0]):
            part = values[frame * stride + runs[run, 1] : frame * stride + runs[run, 2]]
            total = np.int64(0)
            if swapped is None:
                for index in range(part.size):
                    total += np.int64(part[index])
            else:
                for index in range(part.size):
                    total += np.int64(np.uint16((part[index] >> 8) | (part[index] << 8)))
            sums[frame, runs[run, 0]] += weights[run] * total


# Reassociation lets the sums of floats be vectorised; nothing depends on their last bit.
@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _sum_floats(
    values: NDArray[Any],
    stride: int,
    runs: NDArray[np.int64],
    weights: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    for frame in range(sums.shape[0]):
        for run in range(runs.shape[0]):
            part = values[frame * stride + runs[run, 1] : frame * stride + runs[run, 2]]
            total = 0.0
            for index in range(part.size):
                total += part[index]
            sums[frame, runs[run, 0]] += weights[run] * total


@njit(cache=True, nogil=True)
def _sum_events(
    positions: NDArray[np.int64],
    pixels: NDArray[np.uint32],
    first: int,
    weights: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    for index in range(positions.size):
        for mask in range(weights.shape[1]):
            sums[positions[index] - first, mask] += weights[pixels[index], mask]
