"""Bring an image to another number of pixels over the same field, its coordinates kept true."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from crewe import axes
from crewe.atoms.stamps import Array


def resampled(image: xr.DataArray, shape: tuple[int, int]) -> xr.DataArray:
    """Image (y, x), finite, on `shape` pixels that cover the same field, edges on edges.

    Cubic splines between pixels; where pixels become larger the image is first smoothed by the
    Gaussian that a pixel of the new size lacks, so that nothing folds over. Values keep their
    unit: an image of electrons per pixel stays one per old pixel.
    """
    if tuple(image.shape) == tuple(shape):
        return image
    values = np.asarray(image.values, dtype=np.float64)
    factors = np.array(image.shape) / np.array(shape)
    sigma = 0.5 * np.sqrt(np.maximum(factors**2 - 1, 0))
    values = ndimage.gaussian_filter(values, sigma, mode="reflect")
    places = [_old_pixels(new, factor) for new, factor in zip(shape, factors, strict=True)]
    grid = np.meshgrid(*places, indexing="ij")
    data = ndimage.map_coordinates(values, grid, order=3, mode="reflect")
    return _on_grid(image, data, places)


def enlarged_like(image: xr.DataArray, data: NDArray[Any]) -> xr.DataArray:
    """Give `data`, of any number of pixels over the field of `image`, its coordinates."""
    factors = np.array(image.shape) / np.array(data.shape)
    places = [_old_pixels(n, f) for n, f in zip(data.shape, factors, strict=True)]
    return _on_grid(image, data, places)


def _old_pixels(count: int, factor: float) -> Array:
    """Centres of new pixels in numbers of old ones; both grids begin at the edge −1/2."""
    return np.asarray((np.arange(count) + 0.5) * factor - 0.5, dtype=np.float64)


def _on_grid(image: xr.DataArray, data: NDArray[Any], places: list[Array]) -> xr.DataArray:
    steps = axes.sampling(image)
    unit = axes.length_unit(image)
    made = []
    for dim, step, at in zip(("y", "x"), steps, places, strict=True):
        origin = float(image[dim].values[0])
        new = (at[1] - at[0]) * step if len(at) > 1 else step
        made.append(axes.Axis(dim, new, origin + at[0] * step, unit))
    return axes.calibrated_array(data, made, str(image.name or "") or None, image.attrs)
