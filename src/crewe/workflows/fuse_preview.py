"""Large images made small enough to be looked at, a few lines in memory at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

LONGEST_PX = 1024
LINES_AT_ONCE = 64


def thinned(image: xr.DataArray, longest_px: int = LONGEST_PX) -> xr.DataArray:
    """Average an image (y, x) in blocks until no side is longer than `longest_px`.

    Smaller images come back as they are, loaded. Rows and columns that fill no block are left out.
    """
    import xarray as xr

    side = -(-max(image.shape) // longest_px)
    if side == 1:
        return image.load()
    down, across = (length // side for length in image.shape)
    values = np.empty((down, across), np.float32)
    for top in range(0, down, LINES_AT_ONCE):
        lines = image[top * side : min(top + LINES_AT_ONCE, down) * side, : across * side]
        blocks = np.asarray(lines, np.float32).reshape(-1, side, across, side)
        values[top : top + LINES_AT_ONCE] = blocks.mean(axis=(1, 3))
    coords = {
        str(dim): (dim, _means(image[dim].values, side, number), _attrs(image[dim], side))
        for dim, number in zip(("y", "x"), (down, across), strict=True)
    }
    return xr.DataArray(values, dims=("y", "x"), coords=coords, name=image.name, attrs=image.attrs)


def _means(places: np.ndarray, side: int, number: int) -> np.ndarray:
    return np.asarray(places[: number * side].reshape(number, side).mean(axis=1))


def _attrs(coordinate: xr.DataArray, side: int) -> dict[str, object]:
    attrs = {str(key): value for key, value in coordinate.attrs.items()}
    return attrs | ({"step": side * attrs["step"]} if "step" in attrs else {})
