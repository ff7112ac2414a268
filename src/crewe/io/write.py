"""Write any result; the suffix chooses the format."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.axes import with_pixel_coordinates
from crewe.errors import CreweError, WriteError
from crewe.io.atomic import atomic_path
from crewe.io.guard import one_line

if TYPE_CHECKING:
    import xarray as xr

ARRAY_SUFFIXES = (".tif", ".tiff", ".hspy", ".h5", ".hdf5", ".zarr", ".npz", ".npy", ".png")


def write(path: str | os.PathLike[str], obj: Any, overwrite: bool = False) -> Path:
    """Write an image or set, a table or atoms, and return the path.

    DataArray: .tif (Fiji opens it calibrated), .hspy (HyperSpy opens it; .h5 is the same layout,
    for which hyperspy.load wants to be told the format), .zarr, .npz,
    .npy (pixels only), .png (a picture, no measurement). DataFrame: .csv, .parquet. ase.Atoms:
    .xyz, .cif. The file appears whole or not at all. Raises WriteError.
    """
    import pandas as pd
    import xarray as xr

    path = Path(path)
    if isinstance(obj, pd.DataFrame):
        from crewe.io.tables import write_table

        return write_table(path, obj, overwrite=overwrite)
    if hasattr(obj, "get_chemical_symbols"):
        from crewe.io.structures import write_atoms

        return write_atoms(path, obj, overwrite=overwrite)
    if not isinstance(obj, xr.DataArray):
        raise WriteError(f"cannot write a {type(obj).__name__}: give a DataArray, table or atoms")
    writer = _array_writer(path)
    with atomic_path(path, overwrite) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            writer(temporary, with_pixel_coordinates(obj))
        except CreweError:
            raise
        except Exception as error:
            raise WriteError(f"cannot write {path}: {one_line(error)}") from error
    return path


def _array_writer(path: Path) -> Callable[[Path, xr.DataArray], None]:
    from crewe.io import numpy_files, picture, store, tiff

    writers: dict[str, Callable[[Path, xr.DataArray], None]] = {
        ".tif": tiff.write_tiff,
        ".tiff": tiff.write_tiff,
        ".hspy": store.write_hdf5,
        ".h5": store.write_hdf5,
        ".hdf5": store.write_hdf5,
        ".zarr": store.write_zarr,
        ".npz": numpy_files.write_npz,
        ".npy": numpy_files.write_npy,
        ".png": picture.write_picture,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise WriteError(f"no format {path.suffix!r} for an array: use {', '.join(ARRAY_SUFFIXES)}")
    return writer
