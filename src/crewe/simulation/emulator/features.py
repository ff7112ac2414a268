"""What the emulator looks at: planes that each hold one number per pixel."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError

Image = NDArray[np.float32]
Planes = NDArray[np.float32]
LOG_FLOOR = np.float32(1e-4)


class Features(Protocol):
    """A rule that turns a linear image into one plane per feature.

    The image is in units of its training standard deviation. `names` are one per plane, `reach_px`
    is the farthest pixel, along either axis, that a pixel's features depend on.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """One readable name per plane."""
        ...

    @property
    def reach_px(self) -> int:
        """Distance in pixels to the farthest pixel that counts."""
        ...

    def planes(self, image: Image) -> Planes:
        """Features (feature, y, x) of an image (y, x)."""
        ...


def read_image(image: Any) -> Image:
    """Return the image as float32 (y, x) in C order.

    Raises ImageError for another number of axes, no pixels, NaN or infinity.
    """
    values = np.ascontiguousarray(image, dtype=np.float32)
    if values.ndim != 2 or values.size == 0:
        raise ImageError(f"features are of one image (y, x) with pixels, got shape {values.shape}")
    if not np.isfinite(values).all():
        bad = int(values.size - np.isfinite(values).sum())
        raise ImageError(
            f"{bad} pixels of the linear image are NaN or infinite: simulate it again or crop them"
        )
    return values


def logarithm(image: Image) -> Image:
    """Natural logarithm, of 10⁻⁴ where the image is darker.

    Images made by convolution hold zeros and tiny negative rounding values.
    """
    result: Image = np.log(np.maximum(image, LOG_FLOOR))
    return result
