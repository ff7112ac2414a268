"""Calibrated arrays: build them, ask them for their pixel size and cut them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crewe.axes.units import normalise_unit
from crewe.errors import CalibrationError, ImageError

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

SPATIAL_DIMS = ("y", "x", "ky", "kx")
# A damaged header may claim billions of pixels along an axis and none along another.
LONGEST_AXIS = 2**25


@dataclass(frozen=True)
class Axis:
    """One evenly spaced axis: dim name, step and first coordinate in `unit`."""

    name: str
    step: float = 1.0
    origin: float = 0.0
    unit: str | None = "px"


def calibrated_array(
    data: Any, axes: Sequence[Axis], name: str | None = None, attrs: Mapping[str, Any] | None = None
) -> xr.DataArray:
    """Give an array of any dimension its calibrated coordinates, one `Axis` per dimension.

    Units are normalised; a step that is zero or not finite counts as uncalibrated. A negative
    step is kept, so the coordinate falls while the data stay in their order.
    """
    import xarray as xr

    if len(axes) != data.ndim:
        raise CalibrationError(f"an array of {data.ndim} dimensions was given {len(axes)} axes")
    if max(data.shape, default=0) > LONGEST_AXIS:
        raise CalibrationError(f"an array of shape {data.shape}: no axis may exceed {LONGEST_AXIS}")
    coords = {
        axis.name: _coordinate(axis, size) for axis, size in zip(axes, data.shape, strict=True)
    }
    dims = [axis.name for axis in axes]
    array = xr.DataArray(data, dims=dims, coords=coords, attrs=dict(attrs or {}))
    # Without this a dask array would lend its internal name.
    array.name = name
    return array


def _coordinate(axis: Axis, size: int) -> tuple[str, np.ndarray, dict[str, Any]]:
    """Build one coordinate; `step` in its attrs serves axes of a single pixel."""
    import numpy as np

    step, origin = float(axis.step), float(axis.origin)
    factor, unit = normalise_unit(axis.unit)
    if not math.isfinite(step * factor) or step == 0:
        step, origin, factor, unit = 1.0, 0.0, 1.0, "px"
    if not math.isfinite(origin * factor):
        origin = 0.0
    if unit == "px" and axis.name not in SPATIAL_DIMS:
        unit = "1"
    values = origin * factor + step * factor * np.arange(int(size), dtype=np.float64)
    return axis.name, values, {"units": unit, "step": step * factor}


def calibrated_image(
    data: Any,
    sampling: float | tuple[float, float],
    unit: str = "Å",
    name: str | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.DataArray:
    """Make an image ``('y', 'x')`` of a 2D array and its pixel size, in `unit`, as (y, x) or one.

    The centre of pixel (0, 0) lies at (0, 0). Raises ImageError for another number of
    dimensions and CalibrationError for a pixel size that is not positive.
    """
    if getattr(data, "ndim", None) is None:
        import numpy as np

        data = np.asarray(data)
    if data.ndim != 2:
        raise ImageError(f"an image has 2 dimensions, got shape {tuple(data.shape)}: choose one")
    step_y, step_x = _pair(sampling)
    return calibrated_array(
        data, (Axis("y", step_y, 0, unit), Axis("x", step_x, 0, unit)), name, attrs
    )


def _pair(sampling: float | Sequence[float]) -> tuple[float, float]:
    """Read a pixel size given once or as (y, x)."""
    import numpy as np

    values = np.broadcast_to(np.asarray(sampling, dtype=float), (2,))
    if not (np.all(np.isfinite(values)) and np.all(values > 0)):
        raise CalibrationError(f"a pixel size must be positive and finite, got {sampling}")
    return float(values[0]), float(values[1])


def sampling(array: xr.DataArray, dims: tuple[str, ...] = ("y", "x")) -> tuple[float, ...]:
    """Return the pixel size along each of `dims`, positive, in the unit of its coordinate.

    Raises CalibrationError when a coordinate is missing or unevenly spaced.
    """
    return tuple(abs(signed_step(array, dim)) for dim in dims)


def signed_step(array: xr.DataArray, dim: str) -> float:
    """Signed distance of neighbouring coordinates along `dim`."""
    import numpy as np

    if dim not in array.dims or dim not in array.coords:
        raise CalibrationError(
            f"axis {dim!r} has no coordinate (dims are {tuple(array.dims)}): "
            "use crewe.axes.calibrated_image or with_sampling"
        )
    values = np.asarray(array.coords[dim].values, dtype=float)
    if values.size == 1:
        return float(array.coords[dim].attrs.get("step", 1.0))
    step = float(values[-1] - values[0]) / max(values.size - 1, 1) if values.size else 0.0
    rounding = 8 * np.finfo(float).eps * float(np.max(np.abs(values), initial=0.0))
    even = np.abs(np.diff(values) - step) <= 1e-6 * abs(step) + rounding
    if step == 0 or not math.isfinite(step) or not np.all(even):
        raise CalibrationError(f"axis {dim!r} is not evenly spaced: resample the image first")
    return step


def length_unit(array: xr.DataArray) -> str:
    """Return the unit of the y and x axes, 'Å' or 'px' (or '1/Å' of a diffraction pattern).

    Raises CalibrationError when y and x differ; an axis without a unit counts as px.
    """
    units = {dim: _unit(array, dim) for dim in ("y", "x")}
    if units["y"] != units["x"]:
        raise CalibrationError(f"y is in {units['y']} but x in {units['x']}: use with_sampling")
    return units["x"]


def _unit(array: xr.DataArray, dim: str) -> str:
    if dim not in array.dims:
        raise CalibrationError(f"no axis {dim!r} among {tuple(array.dims)}")
    if dim not in array.coords:
        return "px"
    return str(array.coords[dim].attrs.get("units", "px"))


def with_sampling(
    image: xr.DataArray, sampling: float | tuple[float, float], unit: str = "Å"
) -> xr.DataArray:
    """Replace the calibration of y and x; pixel (0, 0) goes to (0, 0). Data are not copied."""
    steps = dict(zip(("y", "x"), _pair(sampling), strict=True))
    coords = {
        dim: _coordinate(Axis(dim, step, 0, unit), image.sizes[dim]) for dim, step in steps.items()
    }
    return image.assign_coords(coords)


def with_pixel_coordinates(array: xr.DataArray) -> xr.DataArray:
    """Give each axis without a coordinate its pixel numbers; others stay as they are."""
    missing = [str(dim) for dim in array.dims if dim not in array.coords]
    return array.assign_coords({dim: _coordinate(Axis(dim), array.sizes[dim]) for dim in missing})


def crop(image: xr.DataArray, y: slice | None = None, x: slice | None = None) -> xr.DataArray:
    """Cut out a rectangle given as slices of length, start included and stop excluded.

    Coordinates stay those of the whole image. Raises ImageError when nothing is left.
    """
    kept = {
        dim: _inside(image, dim, part) for dim, part in (("y", y), ("x", x)) if part is not None
    }
    part = image.isel(kept)
    if 0 in part.shape:
        raise ImageError(f"the crop y={y}, x={x} leaves no pixel of an image of {_extent(image)}")
    return part


def _inside(image: xr.DataArray, dim: str, part: slice) -> np.ndarray:
    import numpy as np

    if part.step is not None:
        raise ImageError(f"a crop takes no step, got {part}: bin the image instead")
    tolerance = 1e-6 * abs(signed_step(image, dim))
    values = image.coords[dim].values
    inside = np.ones(values.size, dtype=bool)
    if part.start is not None:
        inside &= values >= part.start - tolerance
    if part.stop is not None:
        inside &= values < part.stop - tolerance
    return np.flatnonzero(inside)


def _extent(image: xr.DataArray) -> str:
    ranges = (
        f"{dim} {float(image[dim].min()):g}…{float(image[dim].max()):g}" for dim in ("y", "x")
    )
    return f"{', '.join(ranges)} {length_unit(image)}"
