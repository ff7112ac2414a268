"""Decide whether a method can use an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crewe.errors import ImageError

if TYPE_CHECKING:
    import xarray as xr

SMALLEST_IMAGE = 8


def check_image(image: Any) -> xr.DataArray:
    """Return `image` when a method can use it, else raise an ImageError that says what to do.

    An image is a DataArray of dims ('y', 'x'), real, finite, not constant, 8 px or more a side.
    """
    import numpy as np
    import xarray as xr

    if not isinstance(image, xr.DataArray):
        raise ImageError(
            f"not a calibrated image but a {type(image).__name__}: use calibrated_image"
        )
    if image.ndim == 3 and image.shape[-1] in (3, 4):
        raise ImageError(f"an RGB image of shape {image.shape}: give the grey original")
    if image.dims != ("y", "x"):
        raise ImageError(f"dims {image.dims} instead of ('y', 'x'): choose one frame or transpose")
    if image.dtype.kind not in "uif":
        raise ImageError(f"pixels of type {image.dtype}: give real numbers, e.g. the amplitude")
    if min(image.shape) < SMALLEST_IMAGE:
        raise ImageError(f"{image.shape} pixels are too few: give {SMALLEST_IMAGE} or more a side")
    values = np.asarray(image.values)
    bad = int(values.size - np.count_nonzero(np.isfinite(values)))
    if bad:
        raise ImageError(f"{bad} pixels are NaN or infinite: crop or fill them first")
    if values.max() == values.min():
        raise ImageError(
            f"all pixels equal {values.flat[0]:g}: nothing was recorded, check the file"
        )
    return image
