"""How many units of a map make one count: read off the noise of maps that are no counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe.chemistry.neighbours import shared_noise, variance_line, whiteness
from crewe.errors import ImageError

Array = NDArray[np.floating[Any]]

SMALLEST_PX = 16
WHITE = 0.8
"""Least power at fine over middle frequencies of noise that neighbours do not share."""
SIGNIFICANT = 3.0
"""Standard errors that a slope must exceed to be one."""
NOISELESS = 1e-4
"""Deviation, in shares of the mean, below which there is no noise."""
STEPS = 12
"""Of a bisection over a factor of 64: to 0.1 %, less than the noise of the slope."""
LIKE_COUNTS = (0.5, 2.0)
"""Variance over mean between which whole numbers are believed to be counts."""
FEWEST_MULTIPLES = 32
"""Pixels that hold something, from which on a common factor of all is no chance."""
LARGEST_WHOLE = 2.0**53
JUDGED_PX = 512
"""Side of the brightest part of whole numbers, which tells whether they are counts."""


@dataclass(frozen=True)
class MapNoise:
    """Noise of an element map: variance `constant` + `slope`·mean, in squares of its unit."""

    gain: float
    """Units of the map that one count makes; 1 for counts."""
    constant: float
    """Variance where there is no signal, such as that of a background taken off; unit²."""
    slope: float
    """The gain, or 0 where the noise does not measurably grow with the signal."""
    remarks: tuple[str, ...] = ()

    @property
    def counts_per_unit(self) -> float:
        """What to multiply the map with to get something that scatters like counts."""
        return 1 / self.gain

    @property
    def in_counts(self) -> MapNoise:
        """That of the map times its counts per unit: the gain is 1 then."""
        slope, constant = self.slope / self.gain, self.constant / self.gain**2
        return replace(self, gain=1.0, constant=constant, slope=slope)

    def variance(self, mean: Array) -> Array:
        """Variance of pixels whose mean is given, in squares of the map's unit."""
        return self.constant + self.slope * np.maximum(mean, 0.0)


COUNTS = MapNoise(1.0, 0.0, 1.0)
"""Poisson's noise."""


def is_counts(values: ArrayLike) -> bool:
    """Whether all values are non-negative whole numbers; NaN and infinity are none."""
    numbers = np.asarray(values)
    if numbers.dtype.kind in "bu":
        return True
    if numbers.dtype.kind not in "if" or not np.isfinite(numbers).all():
        return False
    return bool((numbers >= 0).all() and (numbers == np.round(numbers)).all())


def counts_per_unit(values: ArrayLike, element: str = "") -> float:
    """Return what an element map (y, x) must be multiplied with to scatter like counts.

    `element` is named in errors. Raises ImageError as `map_noise` does.
    """
    return map_noise(values, element).counts_per_unit


def map_noise(values: ArrayLike, element: str = "") -> MapNoise:
    """Estimate gain and constant of the noise of one element map (y, x).

    Counts have gain 1. Of anything else the variance is read off second differences of
    neighbouring pixels and fitted by a line over their mean (see `variance_line`). Where
    neighbours share their noise, because the map was smoothed or interpolated, the variance is
    raised to what sums over many pixels would show, and a remark says that it is uncertain: right
    to a few percent for a Gaussian filter on a smooth specimen, several times too large on one
    with texture, without meaning for a map that was simulated without noise. Where the noise does
    not measurably grow with the signal, variance over mean of the whole map is the gain, and a
    remark says so. Whole numbers that are all multiples of one number are counts times that number
    where they scatter like them; whole numbers whose variance is not between half and twice their
    mean, such as those of a picture, are no counts; remarks say both. `element` is named in errors.

    Raises ImageError where the map holds NaN or infinity, is smaller than 16 pixels, has no
    noise, or no signal that the noise could be compared with.
    """
    try:
        image = _checked(values)
        return _of_whole_numbers(image) if is_counts(image) else _measured(image)
    except ImageError as problem:
        if not element:
            raise
        raise ImageError(f"{element}: {problem}") from None


def rounded_counts(
    values: ArrayLike, rng: np.random.Generator, element: str = ""
) -> tuple[Array, float]:
    """Turn an element map (y, x) that is no count into whole numbers that scatter like counts.

    Each value times the returned counts per unit is rounded up or down at random, so that its mean
    is kept, and the counts per unit are those at which the variance grows with the mean as that of
    counts does, rounding included: fewer than `counts_per_unit` says, as rounding costs some. What
    comes out can be split into halves of independent noise like counts, also where few pixels hold
    anything at all; noise that is added to and taken from such a map does not split it, as both
    halves keep its few bright pixels. Negative values become 0, and raise the mean where a
    background was taken off. Raises ImageError as `map_noise` does.
    """
    image = _checked(values)
    raised = rng.random(image.shape)
    most = 2 * counts_per_unit(image, element)
    low, high = most / 64, most
    for _ in range(STEPS):
        middle = float(np.sqrt(low * high))
        line = variance_line(_rounded(image, middle, raised))
        low, high = (low, middle) if line.slope > 1 else (middle, high)
    return _rounded(image, low, raised), low


def _of_whole_numbers(image: Array) -> MapNoise:
    if min(image.shape) < SMALLEST_PX or not image.any():
        return COUNTS
    factor = _common_factor(image)
    if _scatters_like_counts(image / factor):
        if factor == 1:
            return COUNTS
        remark = f"all values are multiples of {factor}: taken for counts times {factor}"
        return MapNoise(float(factor), 0.0, float(factor), (remark,))
    found = _measured(image)
    remark = (
        f"whole numbers whose variance is {found.gain:.3g} times their mean are taken for rescaled "
        "ones (a picture?), not for counts"
    )
    return replace(found, remarks=(remark, *found.remarks))


def _common_factor(image: Array) -> int:
    """Return what all of many whole numbers can be divided by."""
    if image.max() > LARGEST_WHOLE or np.count_nonzero(image) < FEWEST_MULTIPLES:
        return 1
    return int(np.gcd.reduce(image.astype(np.int64).ravel()))


def _scatters_like_counts(image: Array) -> bool:
    line = variance_line(_brightest_part(image))
    error = SIGNIFICANT * line.slope_error
    least, most = LIKE_COUNTS
    return bool(line.slope + error >= least and line.slope - error <= most)


def _brightest_part(image: Array) -> Array:
    starts = (range(0, max(side - JUDGED_PX, 0) + 1, JUDGED_PX // 2) for side in image.shape)
    parts = [image[y : y + JUDGED_PX, x : x + JUDGED_PX] for y, x in product(*starts)]
    return max(parts, key=np.sum)


def _measured(image: Array) -> MapNoise:
    if min(image.shape) < SMALLEST_PX:
        raise ImageError(
            f"the noise of a map of {image.shape[0]} × {image.shape[1]} pixels cannot be "
            f"estimated; give counts, or at least {SMALLEST_PX} × {SMALLEST_PX} pixels."
        )
    line = variance_line(image)
    remarks = []
    shared = 1.0
    if whiteness(image) < WHITE:
        shared = shared_noise(image)
        remarks.append(
            "neighbouring pixels share their noise (a smoothed, interpolated or denoised map?); "
            f"it was raised by {shared:.3g}, which may be far off: the measured map is better"
        )
    if line.slope > SIGNIFICANT * line.slope_error:
        gain = slope = line.slope
        constant = max(line.constant - slope * line.lowest, 0.0)
    else:
        constant, slope = float(line.variance(np.array(image.mean()))), 0.0
        gain = constant / _mean(image)
        remarks.append(
            "the noise does not measurably grow with the signal: counts are told by variance over "
            "mean of the whole map"
        )
    _check_noise(gain * shared, image)
    return MapNoise(gain * shared, constant * shared, slope * shared, tuple(remarks))


def _mean(image: Array) -> float:
    mean = float(image.mean())
    if mean <= 0:
        raise ImageError(
            f"the mean of the map is {mean:.3g}, so that its noise cannot be compared with its "
            "signal; give a map whose signal exceeds the background that was taken off."
        )
    return mean


def _check_noise(gain: float, image: Array) -> None:
    mean = float(image.mean())
    if gain * abs(mean) <= (NOISELESS * mean) ** 2:
        raise ImageError(
            "the map has no noise: neighbouring pixels differ by less than 0.01 %. Give the "
            "measured map, or counts."
        )


def _checked(values: ArrayLike) -> Array:
    image = np.asarray(values, np.float64)
    if image.ndim != 2:
        raise ImageError(f"an element map has two dimensions (y, x); {image.ndim} were given.")
    if not np.isfinite(image).all():
        raise ImageError("the map holds NaN or infinity; crop it or fill the holes first.")
    return image


def _rounded(image: Array, per_unit: float, raised: Array) -> Array:
    return np.asarray(np.floor(np.maximum(image, 0.0) * per_unit + raised))
