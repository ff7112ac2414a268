"""Decide whether an array of pixels can be degraded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError

Pixels = NDArray[np.float32]


def as_pixels(image: Any) -> Pixels:
    """Return an image (y, x) as C-ordered float32; the caller's array is never written to.

    Raises ImageError for another shape, no pixels, complex numbers, NaN or infinity.
    """
    pixels = np.asarray(image)
    if pixels.ndim != 2:
        raise ImageError(f"an image has 2 dimensions, got shape {pixels.shape}: choose one frame")
    if pixels.size == 0:
        raise ImageError(f"an image of {pixels.shape} pixels is empty")
    if pixels.dtype.kind not in "uif":
        raise ImageError(f"pixels of type {pixels.dtype}: give real numbers, e.g. the amplitude")
    with np.errstate(over="ignore"):
        pixels = np.ascontiguousarray(pixels, dtype=np.float32)
    if not np.isfinite(pixels).all():
        raise ImageError("pixels are NaN or infinite (or beyond 3e38): crop or fill them first")
    return pixels


def mean_of(pixels: Pixels) -> float:
    """Return the mean of an image, added up in float64."""
    return float(pixels.mean(dtype=np.float64))
