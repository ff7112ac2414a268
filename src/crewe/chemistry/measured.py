"""Element maps and HAADF as the fit takes them: plain arrays in counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from crewe.chemistry.noise import COUNTS, MapNoise, is_counts, map_noise, rounded_counts
from crewe.chemistry.operators import atomic_number
from crewe.chemistry.row_noise import row_noise
from crewe.chemistry.translations import Translations
from crewe.errors import ImageError

Planes = NDArray[np.float32]

_VARIANCE_PX = 3.0
_LEAST_VARIANCE = 0.05


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
    noise: tuple[MapNoise, ...] = ()
    """Of each map of counts, for least squares; if empty it is read off the counts."""

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
        if self.poisson:
            return None
        return local_variance(self.counts, self.noise or noise_of_counts(self.counts))

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


def noise_of_map(plane: NDArray[np.float32], symbol: str) -> MapNoise:
    """Return the noise of a map as given; whole numbers without any are taken for counts.

    Raises ImageError, naming the symbol, for other maps without noise, see `map_noise`.
    """
    try:
        return map_noise(plane, symbol)
    except ImageError:
        if not is_counts(plane):
            raise
        return replace(COUNTS, remarks=("whole numbers without noise are taken for counts",))


def whole_counts(
    given: Planes,
    symbols: tuple[str, ...],
    noises: Sequence[MapNoise],
    rng: np.random.Generator | None,
) -> tuple[Planes, Planes]:
    """Return counts per unit (element, 1, 1), and maps in counts, whole ones if `rng` is given.

    1 for counts; for the rest what makes the noise that of counts.
    """
    scale = np.ones((len(given), 1, 1), np.float32)
    whole = given.copy()
    for number, (symbol, noise) in enumerate(zip(symbols, noises, strict=True)):
        scale[number] = noise.counts_per_unit
        counts = given[number].astype(np.float64) / noise.gain
        if rng is not None and not is_counts(counts):
            counts, scale[number] = rounded_counts(given[number], rng, symbol)
        whole[number] = counts
    return scale, whole


def noise_of_counts(counts: Planes) -> tuple[MapNoise, ...]:
    """Return the noise of maps (element, y, x) that scatter like counts and may hold more noise.

    Poisson's where it cannot be estimated: for few pixels, or a mean that is not positive.
    """
    return tuple(_noise_of_counts(plane) for plane in counts)


def _noise_of_counts(plane: NDArray[np.float32]) -> MapNoise:
    if is_counts(plane):
        return COUNTS
    try:
        return map_noise(plane)
    except ImageError:
        return COUNTS


def local_variance(counts: Planes, noise: tuple[MapNoise, ...]) -> Planes:
    """Return the variance of counts from their mean over a few pixels, never near 0."""
    averaged = np.stack([gaussian_filter(plane, _VARIANCE_PX) for plane in counts])
    variance = np.stack([one.variance(plane) for one, plane in zip(noise, averaged, strict=True)])
    floor = _LEAST_VARIANCE * np.maximum(variance.mean((1, 2), keepdims=True), 1e-6)
    return np.asarray(np.maximum(variance, floor), np.float32)


def haadf_noise(image: NDArray[np.float32]) -> float:
    """Return the standard deviation of HAADF's noise, from second differences along the rows."""
    return max(row_noise(image), 1e-6 * float(np.ptp(image)))


def brightest_window(counts: Planes, side: int) -> tuple[slice, slice]:
    """Return the window of at most `side` pixels a side that holds most counts."""
    total = counts.sum(0, dtype=np.float64)
    rows, columns = (min(side, length) for length in total.shape)
    sums = np.pad(total.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    boxes = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns]
    boxes += sums[:-rows, :-columns]
    top, left = np.unravel_index(int(np.argmax(boxes)), boxes.shape)
    return slice(int(top), int(top) + rows), slice(int(left), int(left) + columns)
