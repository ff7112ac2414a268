"""How far a multislice image lies from its convolution image, to hundredths of a pixel.

The images of a pair may come from two programs with two ideas of where pixel (0, 0) lies. A shift
left standing costs a polynomial most of its terms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.typing import NDArray

from crewe.simulation.emulator.pairs import Pair

Array = NDArray[np.float64]
Shift = tuple[float, float]
BORDER_PX = 6
ITERATIONS = 12
LARGEST_STEP_PX = 0.5
CONVERGED_PX = 1e-3
# Shifts below this are what fits of unshifted images scatter by.
NEGLIGIBLE_PX = 0.02
CERTAIN_SIGMAS = 4.0
# Standard deviation of a normal distribution over its median absolute deviation.
NORMAL_PER_MEDIAN = 1.4826


def pair_shift(pair: Pair) -> Shift:
    """Shift (y, x) in px of the multislice image: it is the convolution image moved by so much.

    From the highest cross-correlation on, Gauss–Newton on the residual of a cubic in the
    convolution image's pixel. NaN where the image is too small or too flat to tell, or the two
    images are so unlike that it does not converge.
    """
    shift = _whole_pixels(pair)
    for _ in range(ITERATIONS):
        step = _step(_moved(pair.linear, shift), pair.multislice.astype(np.float64))
        if step is None:
            break
        shift += step
        if np.abs(step).max() < CONVERGED_PX:
            return float(shift[0]), float(shift[1])
    return float("nan"), float("nan")


def common_shift(pairs: Sequence[Pair]) -> tuple[Shift, Array]:
    """Median shift (y, x) of pairs in px, and each pair's (n, 2).

    Zero where it is negligible, or not more than what the pairs' disagreement may do by chance:
    a tilted crystal's two images have their columns in slightly different places.
    """
    each = np.array([pair_shift(pair) for pair in pairs])
    known = each[np.isfinite(each).all(axis=1)]
    if len(known) == 0:
        return (0.0, 0.0), each
    middle: Array = np.median(known, axis=0)
    deviation = NORMAL_PER_MEDIAN * np.median(np.abs(known - middle), axis=0)
    doubt = np.maximum(CERTAIN_SIGMAS * deviation / np.sqrt(len(known)), NEGLIGIBLE_PX)
    if (np.abs(middle) < doubt).all():
        return (0.0, 0.0), each
    return (float(middle[0]), float(middle[1])), each


def moved(image: NDArray[np.float32], shift: Shift) -> NDArray[np.float32]:
    """Image (y, x) moved down and right by a shift (y, x) in px, by a cubic spline.

    What comes in over the border is the border's own value.
    """
    if shift == (0.0, 0.0):
        return image
    return _moved(image, np.asarray(shift)).astype(np.float32)


def unknown_border(shift: Shift) -> int:
    """Width in px of the border that a moved image does not know."""
    if shift == (0.0, 0.0):
        return 0
    # A cubic spline looks two samples far.
    return int(np.ceil(np.abs(shift).max())) + 1


def _whole_pixels(pair: Pair) -> Array:
    """Shift (y, x) of the highest cross-correlation, in whole pixels, at most a quarter image."""
    wide = [2 * size for size in pair.linear.shape]
    spectra = [
        scipy.fft.rfft2(image - image.mean(dtype=np.float64), wide)
        for image in (pair.multislice, pair.linear)
    ]
    matched = scipy.fft.irfft2(spectra[0] * np.conj(spectra[1]), wide)
    rows, columns = (np.arange(size) - size * (np.arange(size) > size // 2) for size in wide)
    far = (np.abs(rows)[:, None] > wide[0] // 8) | (np.abs(columns)[None, :] > wide[1] // 8)
    matched[far] = -np.inf
    row, column = np.unravel_index(int(matched.argmax()), matched.shape)
    return np.array([rows[row], columns[column]], dtype=np.float64)


def _moved(image: NDArray[np.float32], shift: Array) -> Array:
    result: Array = scipy.ndimage.shift(image.astype(np.float64), shift, order=3, mode="nearest")
    return result


def _step(linear: Array, target: Array) -> Array | None:
    """One Gauss–Newton step (y, x) in px, None where it is undetermined."""
    inner = (slice(BORDER_PX, -BORDER_PX),) * 2
    slope: list[Array] = list(np.gradient(linear))
    slopes = np.stack([along[inner].ravel() for along in slope], axis=1)
    scale = float(linear.std()) or 1.0
    x, y = linear[inner].ravel() / scale, target[inner].ravel()
    if len(x) < 100:
        return None
    powers = np.stack([np.ones_like(x), x, x**2, x**3], axis=1)
    weights = np.linalg.lstsq(powers, y, rcond=None)[0]
    steepness = (weights[1] + 2 * weights[2] * x + 3 * weights[3] * x**2) / scale
    change = -steepness[:, None] * slopes
    # The cubic gives way while the image moves: take out what it can explain of the change.
    change -= powers @ np.linalg.lstsq(powers, change, rcond=None)[0]
    normal = change.T @ change
    if np.linalg.cond(normal) > 1e6:
        return None
    step: Array = np.linalg.solve(normal, change.T @ (y - powers @ weights))
    return np.clip(step, -LARGEST_STEP_PX, LARGEST_STEP_PX)
