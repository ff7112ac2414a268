"""The frames of what is to be restored, in numbers that keep their contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError

Image = NDArray[np.float32]

LARGEST, LEAST_SPREAD = 1e37, 1e-32
"""Intensities and contrast that float32, which ends at 3e38 and 1e-38, holds with room to spare."""
LEAST_CONTRAST = 1e-6
"""Standard deviation over the mean below which float32 rounds an image to a few levels."""


@dataclass(frozen=True)
class Frame:
    """An image without its mean, which would take up the digits that its contrast needs."""

    image: Image
    """(y, x), of mean 0; NaN where nothing was measured."""
    mean: float
    """In the unit of the image; that of a constant frame is its value."""
    constant: bool
    """Whether all measured pixels are equal."""

    def with_mean(self, image: Image) -> Image:
        """Return an image (y, x) of this frame's kind with the mean that was taken off."""
        return (image.astype(np.float64) + self.mean).astype(np.float32)


def frames_of(image: Any) -> tuple[list[Frame], Any]:
    """Frames of an array or DataArray (y, x) or (frame, y, x), and what results are to look like.

    Raises ImageError for other dims, pixels that are no real numbers, and intensities or contrast
    that a result in float32 cannot hold.
    """
    import xarray as xr

    template: Any
    if isinstance(image, xr.DataArray):
        if image.dims[-2:] != ("y", "x"):
            raise ImageError(f"dims {image.dims}: the last two must be 'y' and 'x', transpose it")
        template, values = image, np.asarray(image.values)
    else:
        template = values = np.asarray(image)
        # Only dims tell colours from a stack of images that are three pixels wide.
        if values.ndim == 3 and values.shape[-1] in (3, 4):
            raise ImageError(f"an RGB image of shape {values.shape}: give the grey original")
    if values.ndim not in (2, 3) or values.size == 0:
        raise ImageError(f"an image of shape {values.shape}: give dims (y, x) or (frame, y, x)")
    if values.dtype.kind not in "buif":
        raise ImageError(f"pixels of type {values.dtype}: give real numbers, e.g. the amplitude")
    stack = values[None] if values.ndim == 2 else values
    return [frame_of(one) for one in stack], template


def frame_of(values: NDArray[Any]) -> Frame:
    """Frame of real values (y, x); infinite pixels become NaN. Raises ImageError."""
    image = np.array(values, dtype=np.float64, order="C")
    image[~np.isfinite(image)] = np.nan
    if np.isnan(image).all():
        return Frame(image.astype(np.float32), 0.0, constant=False)
    low, high = float(np.nanmin(image)), float(np.nanmax(image))
    if max(-low, high) > LARGEST:
        raise ImageError(
            f"intensities up to {max(-low, high):.3g}: the result in float32 cannot hold them, "
            "give the image in a larger unit"
        )
    mean = low if low == high else float(np.nanmean(image))
    image -= mean
    if low < high:
        _check_contrast(float(np.nanstd(image)), mean)
    return Frame(image.astype(np.float32), mean, constant=low == high)


def _check_contrast(spread: float, mean: float) -> None:
    if spread < LEAST_CONTRAST * abs(mean):
        raise ImageError(
            f"a contrast of {spread:.3g} on a mean of {mean:.6g}: the result in float32 cannot "
            "hold it, subtract the constant that was added to the image"
        )
    if spread < LEAST_SPREAD:
        raise ImageError(
            f"a contrast of {spread:.3g}: the result in float32 cannot hold it, "
            "give the image in a smaller unit"
        )
