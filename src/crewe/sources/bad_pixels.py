"""Detector pixels that tell nothing: found in a mean pattern, and taken out of a source."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from crewe.errors import PlanError
from crewe.sources.closing import Closing
from crewe.sources.protocol import Batch, DividedSource, Events, Source

SURE = 8.0
"""Standard deviations of noise from which on a pixel counts as hot, or dead."""
LEAST_SHARE = 1e-3
"""What stands out by less than this share of the brightest part does no harm."""
BRIGHT_SHARE = 0.25
"""A pixel without counts is dead where all around has this share of the brightest part."""
_RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)


@dataclass(frozen=True)
class BadPixels:
    """Masks (ky, kx) of the pixels that are not finite, far too bright, and without counts."""

    non_finite: NDArray[np.bool_]
    hot: NDArray[np.bool_]
    dead: NDArray[np.bool_]

    @property
    def all(self) -> NDArray[np.bool_]:
        """Mask (ky, kx) of all of them."""
        return self.non_finite | self.hot | self.dead


def find_bad_pixels(mean_pattern: NDArray[Any], patterns: int = 1) -> BadPixels:
    """Find the bad pixels in the mean (ky, kx) of so many patterns.

    Hot is what stands far above all neighbours, by more than noise: that of counting, or of the
    dimmer half of the pattern where it has more. Dead is what has no counts where the pixels around
    are bright. A diffraction spot of a single pixel cannot be told from a hot one.
    """
    image = np.asarray(mean_pattern, float)
    non_finite = ~np.isfinite(image)
    none = np.zeros(image.shape, bool)
    if non_finite.all() or not np.nanmax(image) > 0:
        return BadPixels(non_finite, none, none)
    image = Replacement(non_finite).of(image[None])[0]
    around = ndimage.median_filter(image, footprint=_RING, mode="nearest")
    least = SURE * _noise(image, around, patterns)
    brightest = float(ndimage.median_filter(image, 3, mode="nearest").max())
    excess = image - around
    hot = far_above_neighbours(image) & (excess > least) & (excess > LEAST_SHARE * brightest)
    level = ndimage.median_filter(image, 5, mode="nearest")
    dead = (image <= 0) & (level > least) & (level > BRIGHT_SHARE * brightest)
    return BadPixels(non_finite, hot & ~non_finite, dead & ~non_finite)


def far_above_neighbours(image: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which pixels (ky, kx) stand far above all eight neighbours, or all but one."""
    highest = ndimage.maximum_filter(image, footprint=_RING, mode="nearest")
    high = ndimage.percentile_filter(image, 80, footprint=_RING, mode="nearest")
    return np.asarray((image > 1.5 * highest) | (image > 3 * np.maximum(high, 1e-12 * image.max())))


def _noise(
    image: NDArray[np.float64], around: NDArray[np.float64], patterns: int
) -> NDArray[np.float64]:
    """Standard deviation of each pixel of the mean, of counting or as the dimmer half shows it."""
    counts = image * patterns
    counted = np.abs(counts - np.rint(counts)).max() < 1e-6 * max(1.0, float(counts.max()))
    counting = np.sqrt(np.maximum(around * patterns, 0) + 1) / patterns if counted else 0.0
    rest = (image - around)[around <= np.median(around)]
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
    return np.asarray(np.maximum(counting, spread) * np.ones(image.shape))


class Replacement:
    """Means of good neighbours in place of the bad pixels of a mask (ky, kx).

    Neighbours are those in 3 × 3 pixels, or in the least larger square that has a good one. Raises
    PlanError when no pixel is good.
    """

    def __init__(self, bad: NDArray[np.bool_]) -> None:
        if bad.all():
            raise PlanError(f"all {bad.size:,} detector pixels are bad: leave out fewer of them")
        self._bad = np.flatnonzero(bad)
        around = [_good_around(bad, int(ky), int(kx)) for ky, kx in np.argwhere(bad)]
        self._neighbours = np.concatenate([np.empty(0, np.int64), *around])
        self._numbers = np.array([len(one) for one in around], np.int64)

    def of(self, patterns: NDArray[Any]) -> NDArray[Any]:
        """Return patterns (frame, ky, kx) of the same type without bad pixels, as a copy.

        Whole numbers stay whole; without bad pixels the patterns themselves are returned.
        """
        if not self._bad.size:
            return patterns
        copy = np.array(patterns, order="C")
        flat = copy.reshape(len(copy), -1)
        begins = np.cumsum(self._numbers) - self._numbers
        with np.errstate(invalid="ignore"):
            around = flat[:, self._neighbours].astype(float)
            means = np.add.reduceat(around, begins, axis=1) / self._numbers
        flat[:, self._bad] = means if copy.dtype.kind == "f" else np.rint(means)
        return copy


def _good_around(bad: NDArray[np.bool_], ky: int, kx: int) -> NDArray[np.int64]:
    """Flat numbers of the good pixels nearest to a bad one."""
    reach = 0
    while True:
        reach += 1
        top, left = max(ky - reach, 0), max(kx - reach, 0)
        rows, columns = np.nonzero(~bad[top : ky + reach + 1, left : kx + reach + 1])
        if rows.size:
            return np.asarray((rows + top) * bad.shape[1] + columns + left, np.int64)


class WithoutBadPixels(Closing):
    """A source whose patterns have the mean of good neighbours in place of bad pixels (ky, kx).

    The patterns are copies, of the same type; what the source handed out is not touched. Electrons
    on bad pixels are left out and counted in `left_out`. Raises PlanError for a mask of another
    shape than the detector, or without a good pixel. See `without_bad_pixels` for divided sources.
    """

    def __init__(self, source: Source, bad: NDArray[np.bool_]) -> None:
        bad = np.asarray(bad, bool)
        if bad.shape != tuple(source.detector_shape):
            raise PlanError(
                f"a mask of bad pixels of {bad.shape} for a detector of {source.detector_shape}: "
                "give one of the same shape"
            )
        self.source = source
        self.scan, self.known = source.scan, source.known
        self.detector_shape, self.counters = source.detector_shape, source.counters
        self.left_out = 0
        self._good, self._all_good = ~bad.ravel(), not bad.any()
        self._replacement = Replacement(bad)
        self._lock = threading.Lock()

    def batches(self) -> Iterator[Batch]:
        """Yield the batches of the source in their order."""
        for batch in self.source.batches():
            yield self._cleaned(batch)

    def close(self) -> None:
        """Close the source."""
        self.source.close()

    def _cleaned(self, batch: Batch) -> Batch:
        if self._all_good:
            return batch
        if not isinstance(batch, Events):
            return replace(batch, patterns=self._replacement.of(batch.patterns))
        kept = self._good[batch.pixels]
        with self._lock:
            self.left_out += len(kept) - int(np.count_nonzero(kept))
        return replace(batch, positions=batch.positions[kept], pixels=batch.pixels[kept])


class _DividedWithoutBadPixels(WithoutBadPixels):
    """The same of a source that can be read in any order, by several threads."""

    source: DividedSource

    def parts(self) -> Iterator[Callable[[], Batch]]:
        """Yield one function per batch that reads it and replaces its bad pixels."""
        for part in self.source.parts():
            yield partial(self._read, part)

    def _read(self, part: Callable[[], Batch]) -> Batch:
        return self._cleaned(part())


def without_bad_pixels(source: Source, bad: NDArray[np.bool_]) -> WithoutBadPixels:
    """Return a source without its bad pixels (ky, kx), divided when the source is."""
    if isinstance(source, DividedSource):
        return _DividedWithoutBadPixels(source, bad)
    return WithoutBadPixels(source, bad)
