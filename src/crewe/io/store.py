"""Our own results: zarr v3 folders and HDF5 files that HyperSpy opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crewe.axes import normalise_unit, plain_value, signal_dictionary, with_pixel_coordinates
from crewe.errors import ReadError
from crewe.io.vendor import write_hspy

if TYPE_CHECKING:
    import xarray as xr

NAME_ATTRIBUTE = "crewe_name"
VARIABLE = "data"


def write_zarr(path: Path, array: xr.DataArray) -> None:
    """Write a zarr v3 folder with coordinates and attrs; lazy arrays are written chunk by chunk."""
    attrs = {**plain_value(dict(array.attrs)), NAME_ATTRIBUTE: array.name}
    stored = array.rename(VARIABLE).assign_attrs(attrs)
    stored.attrs = attrs
    stored.encoding = {}
    if hasattr(stored.data, "dask"):
        stored = stored.chunk("auto")
        # Zarr wants chunks of one size, which dask does not always choose.
        stored = stored.chunk({dim: max(sizes) for dim, sizes in stored.chunksizes.items()})
    unfilled = {str(name): {"_FillValue": None} for name in (*stored.coords, VARIABLE)}
    dataset = stored.to_dataset()
    dataset.to_zarr(path, mode="w", zarr_format=3, consolidated=False, encoding=unfilled)


def open_zarr(path: Path) -> list[xr.DataArray]:
    """Open a zarr folder lazily, one array per variable.

    Nothing is decoded: xarray would otherwise turn a unit such as seconds into time stamps.
    """
    import xarray as xr

    stored = xr.open_dataset(
        path,
        engine="zarr",
        chunks={},
        consolidated=False,
        mask_and_scale=False,
        decode_times=False,
        decode_timedelta=False,
    )
    arrays = []
    for key, array in stored.data_vars.items():
        if array.dtype.kind not in "biufc" or array.ndim == 0:
            continue
        name = array.attrs.pop(NAME_ATTRIBUTE, str(key))
        array.encoding = {}
        arrays.append(_with_our_units(array.rename(name)))
    if not arrays:
        raise ReadError(f"{path.name}: this zarr folder holds no numeric array")
    return arrays


def _with_our_units(array: xr.DataArray) -> xr.DataArray:
    """Spell the units of other programs as ours; axes without coordinates get pixel numbers."""
    array = with_pixel_coordinates(array)
    for dim in map(str, array.dims):
        coordinate = array.coords[dim]
        factor, unit = normalise_unit(coordinate.attrs.get("units"))
        if unit not in ("px", coordinate.attrs.get("units")):
            values = coordinate.values * factor
            array = array.assign_coords({dim: (dim, values, {"units": unit})})
    return array


def write_hdf5(path: Path, array: xr.DataArray) -> None:
    """Write HyperSpy's HDF5 layout, so that hyperspy.load and crewe.io.read open it calibrated."""
    # The writer looks at no suffix, so the same layout serves .hspy and .h5.
    write_hspy(path, signal_dictionary(array))
