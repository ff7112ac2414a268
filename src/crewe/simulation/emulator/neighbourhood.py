"""The pixels around a pixel, and the logarithm of its own.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, Eqs. (5)
and (6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from crewe.errors import CalibrationError
from crewe.simulation.emulator.features import Image, Planes, logarithm, read_image

LARGEST_SIZE = 255


@dataclass(frozen=True)
class Neighbourhood:
    """The `size` × `size` pixels around each, row by row, then with `log` the centre's logarithm.

    Plane r is the pixel at offset (r // size, r % size) − reach as (y, x), the index r of Eq. (6).
    Beyond its border the image repeats the edge pixel; crop `reach_px` pixels, as the paper does,
    where that is not wanted. Raises CalibrationError for a size that is even, not positive or
    above 255, whose pixels no image has enough of.
    """

    size: int
    log: bool

    def __post_init__(self) -> None:
        whole = isinstance(self.size, int | np.integer) and not isinstance(self.size, bool)
        if not (whole and self.size > 0 and self.size % 2 == 1):
            raise CalibrationError(
                f"a neighbourhood has a pixel in its centre, so its size is 1, 3, 5, …; "
                f"got {self.size!r}"
            )
        if self.size > LARGEST_SIZE:
            raise CalibrationError(
                f"a neighbourhood of {self.size} px is too large: at most {LARGEST_SIZE}"
            )

    @property
    def reach_px(self) -> int:
        """Distance in pixels from the centre to the farthest row and column."""
        return self.size // 2

    @property
    def names(self) -> tuple[str, ...]:
        """`pixel(dy,dx)` of each offset, then `log`."""
        offsets = range(-self.reach_px, self.reach_px + 1)
        pixels = tuple(f"pixel({dy},{dx})" for dy in offsets for dx in offsets)
        return (*pixels, "log") if self.log else pixels

    def planes(self, image: Any) -> Planes:
        """Features (feature, y, x) of an image (y, x) in units of its standard deviation.

        Raises ImageError for what is no finite image.
        """
        values = read_image(image)
        rows, columns = values.shape
        padded = self.padded(values)
        result = np.empty((len(self.names), rows, columns), dtype=np.float32)
        for r in range(self.size**2):
            y, x = divmod(r, self.size)
            result[r] = padded[y : y + rows, x : x + columns]
        if self.log:
            result[-1] = logarithm(values)
        return result

    def padded(self, image: Image) -> Image:
        """Return the image with its edge pixels repeated `reach_px` times on every side."""
        return np.pad(image, self.reach_px, mode="edge")
