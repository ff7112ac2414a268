"""HAADF on the pixels of the element maps: resampled and shifted where needed, frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from crewe.chemistry.grids import onto_grid
from crewe.chemistry.measured import brightest_window
from crewe.chemistry.registration import Registration, align, shifted
from crewe.errors import ImageError
from crewe.workflows.fuse_preview import thinned

if TYPE_CHECKING:
    import xarray as xr

Window = tuple[slice, slice]
MapsOf = Callable[[int, Window], "xr.DataArray"]
"""Maps (element, y, x) of a window of a frame, loaded."""

REGISTERED_PX = 1024
"""Longest side of the part of a frame that a shift is looked for in."""


class ElasticImages:
    """The elastic image of each frame, on the maps' pixels; one frame is in memory at a time."""

    def __init__(
        self, images: xr.DataArray, grid: xr.DataArray, maps_of: MapsOf, aligned: bool
    ) -> None:
        self._images, self._grid = images, grid
        self._maps_of, self._aligned = maps_of, aligned
        self._kept: tuple[int, xr.DataArray] | None = None
        self.registrations: dict[int, Registration] = {}
        """What was found of each frame that was read."""

    def frame(self, number: int) -> xr.DataArray:
        """Return the image (y, x) of a frame, float32, laid on the maps where it lies off them.

        Raises CalibrationError where pixels differ and are not calibrated.
        """
        if self._kept is None or self._kept[0] != number:
            image = onto_grid(frame_of(self._images, number), frame_of(self._grid, number))
            image = image.astype(np.float32)
            self._kept = number, self._laid(image, number) if self._aligned else image
        return self._kept[1]

    def _laid(self, image: xr.DataArray, number: int) -> xr.DataArray:
        window = self._brightest(number)
        part = image[window]
        maps = self._maps_of(number, window)
        _check_finite(maps)
        moved, found = align(part, maps)
        self.registrations[number] = found
        if moved is part:
            return image
        return shifted(image, found.shift_px).astype(np.float32)

    def _brightest(self, number: int) -> Window:
        """The window of at most 1024 pixels a side that holds the brightest part of the maps."""
        grid = frame_of(self._grid, number)
        if max(grid.shape) <= REGISTERED_PX:
            return slice(None), slice(None)
        small = thinned(grid)
        block = grid.shape[0] // small.shape[0]
        side = max(REGISTERED_PX // block, 1)
        rows, columns = brightest_window(np.asarray(small.values, np.float32)[None], side)
        return (
            slice(rows.start * block, rows.stop * block),
            slice(columns.start * block, columns.stop * block),
        )


def _check_finite(maps: xr.DataArray) -> None:
    for name, values in zip(maps["element"].values, maps.values, strict=True):
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise ImageError(
                f"the map of {name} has {bad} pixels that are NaN or infinite: crop or fill them"
            )


def frame_of(images: xr.DataArray, number: int) -> xr.DataArray:
    """Return one frame (y, x) of images ([frame,] y, x)."""
    if images.ndim == 2:
        return images
    return images[number].drop_vars(str(images.dims[0]), errors="ignore")
