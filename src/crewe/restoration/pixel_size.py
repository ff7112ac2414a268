"""Bring an image to pixels of a size that a network was trained on, and its result back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from crewe.errors import PlanError

Array = NDArray[np.floating[Any]]

LARGEST_FACTOR = 4
RIM_PX = 12
TOLERANCE = 1.01
"""Factor that a pixel size may miss the trained range by without a word."""
SQUARE, LONGEST = 1.02, 1.5
"""Ratios of a pixel's sides up to which it counts as square, and can be used at all."""


@dataclass(frozen=True)
class Resampling:
    """How an image is brought to other pixels: whole numbers only, so that grids stay aligned."""

    binned: int = 1
    """Sides of the blocks of pixels that become one."""
    parts: int = 1
    """Parts that the side of a pixel is cut into."""

    def there(self, image: Array) -> Array:
        """Image (y, x) without NaN on the new pixels; incomplete blocks are filled by mirroring."""
        if self.binned > 1:
            return _block_means(_mirrored(image, self.binned), self.binned)
        return _enlarged(image, self.parts)

    def back(self, image: Array, shape: tuple[int, ...]) -> Array:
        """Result (y, x) of a network on the pixels that the image of `shape` had."""
        if self.parts > 1:
            return _block_means(image, self.parts)
        return np.ascontiguousarray(_enlarged(image, self.binned)[: shape[0], : shape[1]])


def choose_resampling(
    pixel_size_angstrom: float, trained: tuple[float, float]
) -> tuple[Resampling, str | None]:
    """Choose how pixels of a size are brought into a trained range, and a warning if they are.

    Finer pixels are averaged in blocks, coarser ones cut by cubic splines, by the whole number
    up to 4 that comes nearest to the range. Raises PlanError for a size that is not positive and
    for one outside the range by more than a factor 4.
    """
    pixel, (low, high) = pixel_size_angstrom, trained
    if not (math.isfinite(pixel) and pixel > 0):
        raise PlanError(f"a pixel size of {pixel} Å: give a positive number")
    if _missed(pixel, trained) <= TOLERANCE:
        return Resampling(), None
    if _missed(pixel, trained) > LARGEST_FACTOR * TOLERANCE:
        raise PlanError(
            f"pixels of {pixel:.4g} Å are too far from the {low:g} to {high:g} Å that the network "
            "was trained on: choose another model, check the pixel size, or bin the image first"
        )
    steps = range(1, LARGEST_FACTOR + 1)
    if pixel < low:
        binned = min(steps, key=lambda n: _missed(n * pixel, trained))
        change = Resampling(binned=binned)
    else:
        parts = min(steps, key=lambda n: _missed(pixel / n, trained))
        change = Resampling(parts=parts)
    return change, _warning(pixel, trained, change)


def one_pixel_size(y: float, x: float) -> tuple[float, str | None]:
    """Return one size for pixels of sides y and x in Å, and a warning where they are not square.

    The size is the geometric mean. Raises PlanError when the sides differ by more than a factor
    1.5: a network would see structures that it was not trained on.
    """
    size, ratio = math.sqrt(y * x), max(y / x, x / y)
    if ratio <= SQUARE:
        return size, None
    if ratio > LONGEST:
        raise PlanError(
            f"pixels of {y:.4g} × {x:.4g} Å (y, x) are too far from the squares that networks are "
            "trained on: check the calibration, resample or bin the image to square pixels, or "
            "give one pixel size, as in --pixel-size 0.12"
        )
    return size, (
        f"pixels of {y:.4g} × {x:.4g} Å (y, x) are not square as in training: the image was "
        f"restored as if they were, of {size:.4g} Å"
    )


def _warning(pixel: float, trained: tuple[float, float], change: Resampling) -> str:
    now = pixel * change.binned / change.parts
    side = "finer" if pixel < trained[0] else "coarser"
    how = (
        f"it was restored with {now:.4g} Å and brought back"
        if change != Resampling()
        else "it was restored as it is"
    )
    return (
        f"pixels of {pixel:.4g} Å are {side} than the {trained[0]:g} to {trained[1]:g} Å that the "
        f"network was trained on: {how}"
    )


def _missed(pixel: float, trained: tuple[float, float]) -> float:
    """Factor by which a pixel size lies outside the range; 1 inside."""
    return max(trained[0] / pixel, pixel / trained[1], 1.0)


def _mirrored(image: Array, side: int) -> Array:
    pads = [(0, -length % side) for length in image.shape]
    return np.pad(image, pads, mode="symmetric") if any(after for _, after in pads) else image


def _block_means(image: Array, side: int) -> Array:
    rows, columns = image.shape[0] // side, image.shape[1] // side
    blocks = image.reshape(rows, side, columns, side)
    means: Array = blocks.mean(axis=(1, 3), dtype=np.float64)
    return means.astype(image.dtype)


def _enlarged(image: Array, parts: int) -> Array:
    if parts == 1:
        return image
    # scipy's spline coefficients are wrong near borders by what a rim of this width takes up.
    wide = np.pad(image, RIM_PX, mode="symmetric")
    rim = RIM_PX * parts
    fine = ndimage.zoom(wide, parts, order=3, mode="reflect", grid_mode=True)
    return np.ascontiguousarray(fine[rim:-rim, rim:-rim])
