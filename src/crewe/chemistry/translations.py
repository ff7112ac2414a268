"""Where an image looks like itself again: lattice translations, and averages over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import gaussian_filter, maximum_filter

from crewe.chemistry.bands import Bands
from crewe.chemistry.row_noise import row_noise

Image = NDArray[np.float32]

_LOCAL_MEAN_PX = 12.0
_LARGEST_PX = 48
_MOST = 80
# Of the autocorrelation, its value at rest being 1 without noise.
_CLEAR = 0.2
_PATCH_PX = 5
_TOLERANCE = 30.0


@dataclass(frozen=True)
class Translations:
    """Shifts under which the columns of an image fall on columns."""

    shifts: NDArray[np.int64]
    """(n, 2), y and x in pixels, one of each pair ±s."""
    period_px: float
    """The shortest clear translation."""
    clearness: float
    """Autocorrelation of the best translation, up to 1."""


def find_translations(haadf: Image) -> Translations | None:
    """Return the translations of resolved columns, or None where none repeat clearly."""
    shape = haadf.shape
    reach = int(min(_LARGEST_PX, min(shape) // 4))
    correlation = _autocorrelation(_relief(haadf), reach)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    distance = np.hypot(y, x)
    summit = (maximum_filter(correlation, 5) == correlation) & (distance >= 3) & (distance <= reach)
    summit &= ~_touching_centre(correlation)
    # Noise adds to the value at rest only; its neighbours tell what columns alone give.
    rest = float(np.sort(correlation[(distance > 0) & (distance < 1.5)])[-1])
    clear = summit & (correlation > _CLEAR * max(rest, 1e-12))
    if rest <= 0 or clear.sum() < 4:
        return None
    period = float(distance[clear].min())
    near = np.zeros_like(clear)
    for row, column in zip(*np.nonzero(clear), strict=True):
        near[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
    half = (y > 0) | ((y == 0) & (x > 0))
    wanted = near & half & (distance <= reach) & (correlation > 0)
    order = np.argsort(-np.where(wanted, correlation, -1.0), axis=None)[: min(_MOST, wanted.sum())]
    shifts = np.stack([y.ravel()[order], x.ravel()[order]], axis=1)
    best = float(correlation[clear].max()) / rest
    return Translations(shifts, period, min(best, 1.0))


def column_patterns(
    counts: Image, expected: Image, haadf: Image, translations: Translations, threads: int = 1
) -> Image:
    """Return the ratio of counts to expected counts, averaged over like places; (element, y, x).

    Like places are the lattice translations of a pixel, weighted by distance and by how alike
    HAADF looks around both relative to its local mean. `expected` may be 0; so is the pattern
    where nothing is expected anywhere.
    """
    relief = _relief(haadf)
    shifts = np.concatenate([translations.shifts, -translations.shifts])
    spread = 2.5 * translations.period_px
    closeness = np.exp(-np.square(shifts).sum(1) / (2 * spread * spread)).astype(np.float32)
    # Vacuum, where relief is 0, has no noise to compare with.
    scale = 1.0 / (2.0 * max(row_noise(relief, skip_flat=True) ** 2, 1e-6))
    sums = np.empty((2, *counts.shape), np.float32)
    given = (relief, counts, expected, shifts, closeness, np.float32(scale), sums)
    with Bands(relief.shape[0], threads) as bands:
        bands.run(lambda first, last: _average(first, last, *given))
    floor = 1e-6 * max(float(expected.mean()), 1e-12)
    return np.asarray(sums[0] / np.maximum(sums[1], floor), np.float32)


@njit(cache=True, nogil=True)
def _average(
    first_row: int,
    last_row: int,
    relief: Image,
    counts: Image,
    expected: Image,
    shifts: NDArray[np.int64],
    closeness: Image,
    scale: float,
    sums: Image,
) -> None:
    """Add to every pixel its translated partners, weighted by closeness and likeness."""
    elements, rows, columns = counts.shape
    half = _PATCH_PX // 2
    for y in range(first_row, last_row):
        for e in range(elements):
            for x in range(columns):
                sums[0, e, y, x] = counts[e, y, x]
                sums[1, e, y, x] = expected[e, y, x]
        differences = np.empty(columns, np.float32)
        for s in range(shifts.shape[0]):
            down, right = shifts[s, 0], shifts[s, 1]
            if not 0 <= y + down < rows:
                continue
            first, last = max(0, -right), columns - max(0, right)
            for x in range(first, last):
                differences[x] = 0.0
            used = 0
            for row in range(max(y - half, 0, -down), min(y + half + 1, rows, rows - down)):
                used += 1
                for x in range(first, last):
                    step = relief[row, x] - relief[row + down, x + right]
                    differences[x] += step * step
            for x in range(first, last):
                left, end = max(x - half, first), min(x + half + 1, last)
                total = np.float32(0.0)
                for near in range(left, end):
                    total += differences[near]
                unlike = total * scale / np.float32(used * (end - left)) - np.float32(1.0)
                weight = closeness[s]
                if unlike > 0:
                    weight *= np.exp(-unlike / np.float32(_TOLERANCE))
                for e in range(elements):
                    sums[0, e, y, x] += weight * counts[e, y + down, x + right]
                    sums[1, e, y, x] += weight * expected[e, y + down, x + right]


def _relief(haadf: Image) -> Image:
    """Return the image over its local mean, less 1; 0 in vacuum."""
    base = float(np.percentile(haadf, 1))
    signal = np.maximum(haadf.astype(np.float32) - np.float32(base), 0.0)
    local = gaussian_filter(signal, _LOCAL_MEAN_PX)
    filled = local > 0.1 * local.max()
    return np.where(filled, signal / np.maximum(local, 1e-12) - 1.0, 0.0).astype(np.float32)


def _autocorrelation(relief: Image, reach: int) -> NDArray[np.float64]:
    """Autocorrelation for shifts up to `reach`, without wrap-around, at rest in the centre."""
    smoothed = gaussian_filter(relief, 0.7)
    size = [next_fast_len(side + reach, real=True) for side in relief.shape]
    spectrum = rfft2(smoothed.astype(np.float64), size)
    correlation = irfft2(np.abs(spectrum) ** 2, size)
    index = np.arange(-reach, reach + 1)
    window = correlation[np.ix_(index % size[0], index % size[1])]
    return np.asarray(window / max(float(window[reach, reach]), 1e-30))


def _touching_centre(correlation: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark what belongs to the peak at rest: monotone rays outwards from it end here."""
    reach = correlation.shape[0] // 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    distance = np.hypot(y, x)
    ring = np.rint(distance).astype(int)
    rings = np.bincount(ring.ravel(), correlation.ravel()) / np.bincount(ring.ravel())
    rising = np.nonzero(np.diff(rings) > 0)[0]
    radius = int(rising[0]) if rising.size else reach
    return np.asarray(distance <= min(radius, reach))
