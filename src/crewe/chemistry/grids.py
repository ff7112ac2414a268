"""An elastic image brought onto the pixels of the element maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crewe.axes import length_unit, sampling
from crewe.axes.arrays import signed_step
from crewe.errors import CalibrationError, ImageError

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray
# Relative difference of pixel sizes that programs write for one and the same scan.
_SAME_STEP = 2e-3


def onto_grid(image: xr.DataArray, maps: xr.DataArray) -> xr.DataArray:
    """Bring an image (y, x) onto the pixels of maps (…, y, x); maps are never interpolated.

    Same shape and pixel size, or no calibration on either: the same pixels, values unchanged.
    Fields of view that agree within a coarse pixel are laid corner on corner, whatever their
    origins (programs write them differently); else coordinates in Å say where the maps lie in
    the image. Coarser pixels average the area they cover, finer ones are cubic splines.
    Raises CalibrationError when shapes differ and one is not calibrated, or when the image does
    not cover the maps; ImageError for what is no image.
    """
    if image.dims != ("y", "x") or tuple(maps.dims[-2:]) != ("y", "x"):
        raise ImageError(
            f"an image of dims {tuple(image.dims)} and maps of dims {tuple(maps.dims)}: "
            "both must end in ('y', 'x')"
        )
    calibrated = _is_calibrated(image) and _is_calibrated(maps)
    if _same_pixels(image, maps, calibrated):
        return _on_coordinates(image, np.asarray(image.values), maps)
    if not calibrated:
        raise CalibrationError(
            f"the elastic image has {image.shape} pixels and the maps {maps.shape[-2:]}, and not "
            "both are calibrated: give both a pixel size in Å, or both the same shape"
        )
    values = np.asarray(image.values, dtype=np.float64)
    by_field = all(_fields_agree(image, maps, dim) for dim in ("y", "x"))
    for axis, dim in enumerate(("y", "x")):
        first, step = _by_field(image, maps, dim) if by_field else _by_place(image, maps, dim)
        values = _resampled(values, axis, first, step, maps.sizes[dim])
    return _on_coordinates(image, values, maps)


def _is_calibrated(array: xr.DataArray) -> bool:
    return length_unit(array) == "Å"


def _same_pixels(image: xr.DataArray, maps: xr.DataArray, calibrated: bool) -> bool:
    if image.shape != maps.shape[-2:]:
        return False
    if not calibrated:
        return True
    return bool(np.allclose(sampling(image), sampling(maps), rtol=_SAME_STEP))


def _fields_agree(image: xr.DataArray, maps: xr.DataArray, dim: str) -> bool:
    steps = [abs(signed_step(array, dim)) for array in (image, maps)]
    fields = [step * array.sizes[dim] for step, array in zip(steps, (image, maps), strict=True)]
    return abs(fields[0] - fields[1]) <= max(steps)


def _by_field(image: xr.DataArray, maps: xr.DataArray, dim: str) -> tuple[float, float]:
    """First pixel centre and step of the maps in pixels of the image, corners coinciding."""
    step = image.sizes[dim] / maps.sizes[dim]
    return 0.5 * step - 0.5, step


def _by_place(image: xr.DataArray, maps: xr.DataArray, dim: str) -> tuple[float, float]:
    """The same by coordinates. Raises CalibrationError when the image does not cover the maps."""
    own, other = signed_step(image, dim), signed_step(maps, dim)
    step = other / own
    first = (float(maps[dim].values[0]) - float(image[dim].values[0])) / own
    last = first + step * (maps.sizes[dim] - 1)
    low, high = min(first, last) - abs(step) / 2, max(first, last) + abs(step) / 2
    # Half a coarse pixel over the border is a matter of where a program puts its origin.
    spare = max(1.0, abs(step)) / 2 + 1e-6
    if low < -0.5 - spare or high > image.sizes[dim] - 0.5 + spare:
        raise CalibrationError(
            f"along {dim} the elastic image covers {_extent(image, dim)} but the maps "
            f"{_extent(maps, dim)}: give images of the same area, or correct their origins"
        )
    return first, step


def _extent(array: xr.DataArray, dim: str) -> str:
    half = abs(signed_step(array, dim)) / 2
    values = array[dim].values
    return f"{float(values.min()) - half:g}…{float(values.max()) + half:g} Å"


def _resampled(values: Array, axis: int, first: float, step: float, size: int) -> Array:
    """Resample along one axis at first + step·i, in pixels."""
    if abs(step) > 1:
        return np.moveaxis(
            np.tensordot(_area_weights(values.shape[axis], first, step, size), values, (1, axis)),
            0,
            axis,
        )
    from scipy.interpolate import make_interp_spline

    places = np.clip(first + step * np.arange(size), 0, values.shape[axis] - 1)
    order = min(3, values.shape[axis] - 1)
    spline = make_interp_spline(np.arange(values.shape[axis]), values, k=order, axis=axis)
    return np.asarray(spline(places))


def _area_weights(fine: int, first: float, step: float, size: int) -> Array:
    """Share of each fine pixel in each coarse one, (coarse, fine), rows summing to 1."""
    centres = first + step * np.arange(size)
    low, high = centres - abs(step) / 2, centres + abs(step) / 2
    pixels = np.arange(fine)
    overlap = np.minimum(high[:, None], pixels + 0.5) - np.maximum(low[:, None], pixels - 0.5)
    overlap = np.maximum(overlap, 0)
    covered: Array = overlap / overlap.sum(axis=1, keepdims=True)
    return covered


def _on_coordinates(image: xr.DataArray, values: Array, maps: xr.DataArray) -> xr.DataArray:
    import xarray as xr

    coords = {dim: maps.coords[dim] for dim in ("y", "x") if dim in maps.coords}
    return xr.DataArray(values, dims=("y", "x"), coords=coords, attrs=image.attrs, name=image.name)
