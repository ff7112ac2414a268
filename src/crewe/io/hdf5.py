"""HDF5 files: HyperSpy and EMD through their reader, any other file dataset by dataset."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.axes import Axis, calibrated_array
from crewe.axes.arrays import LONGEST_AXIS
from crewe.axes.hyperspy import dimension_names
from crewe.errors import CreweError, ReadError
from crewe.io.guard import EAGER_BYTES
from crewe.io.hdf5_heaps import check_heaps
from crewe.io.velox import READER_OPTIONS, holds_spectrum_image, spectrum_image_bytes
from crewe.io.vendor import open_vendor

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

CHUNK = "64 MiB"
LARGEST_DATASET_BYTES = 2**44


def open_hdf5(path: Path) -> list[xr.DataArray]:
    """Open the signals of an HDF5 file, whoever wrote it."""
    check_heaps(path)
    datasets, flavour = _look_inside(path)
    if flavour == "generic":
        return _open_datasets(path, datasets)
    claimed = sum(dataset.nbytes for dataset in datasets)
    shapes = {dataset.name: dataset.shape for dataset in datasets}
    options = READER_OPTIONS if flavour == "emd" and holds_spectrum_image(shapes) else None
    # Decoding a lazy stream takes seconds of compilation, which small files are spared.
    lazy = claimed > EAGER_BYTES or bool(options and spectrum_image_bytes(shapes) > 4 * EAGER_BYTES)
    try:
        arrays = open_vendor(path, flavour, lazy, options)
    except CreweError:
        raise
    except Exception as error:
        # EMD has dialects that RosettaSciIO refuses but whose datasets are plain arrays.
        if flavour == "hspy":
            raise
        arrays = _open_datasets(path, datasets)
        if not arrays:
            raise error
    return arrays or _open_datasets(path, datasets)


class StoredDataset:
    """A dataset that opens its file for each piece it reads, so no handle stays open."""

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.path, self.name, self.shape, self.dtype = path, name, shape, dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Size in memory, from the header alone."""
        size = self.dtype.itemsize
        for length in self.shape:
            size *= int(length)
        return size

    def __getitem__(self, key: Any) -> np.ndarray:
        """Read one piece."""
        import h5py

        _register_compressions()
        with h5py.File(self.path, "r") as file:
            try:
                return file[self.name][key]
            except OSError as error:
                if "plugin" not in str(error) and "filter" not in str(error):
                    raise
                raise ReadError(
                    f"{self.path.name}: {self.name} is compressed in a way that h5py does not "
                    "know: install hdf5plugin"
                ) from error


def _register_compressions() -> None:
    """Let h5py decode bitshuffle and the like when hdf5plugin is installed."""
    with contextlib.suppress(ImportError):
        import hdf5plugin  # type: ignore[import-not-found] # noqa: F401


def _look_inside(path: Path) -> tuple[list[StoredDataset], str]:
    """List the numeric datasets and tell HyperSpy's and EMD's files from others."""
    import h5py

    found: list[StoredDataset] = []
    marks: list[str] = []

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and node.shape and node.dtype.kind in "biufc":
            found.append(StoredDataset(path, name, node.shape, node.dtype))
        elif isinstance(node, h5py.Group) and "emd_group_type" in node.attrs:
            marks.append(name)

    with h5py.File(path, "r") as file:
        file.visititems(visit)
        root = set(file.keys())
        hyperspy = "experiments" in {name.lower() for name in root}
        hyperspy = hyperspy or "hyperspy" in str(file.attrs.get("file_format", "")).lower()
    for dataset in found:
        # Readers would plan billions of chunks for what a damaged header claims.
        if dataset.nbytes > LARGEST_DATASET_BYTES or max(dataset.shape) > LONGEST_AXIS:
            raise ReadError(f"{path.name}: {dataset.name} claims shape {dataset.shape}: damaged")
    if hyperspy:
        return found, "hspy"
    if "4DSTEM_simulation" in root:
        return found, "prismatic"
    velox = {"Data", "Version"} <= root
    return found, "emd" if velox or marks or path.suffix.lower() == ".emd" else "generic"


def _open_datasets(path: Path, datasets: list[StoredDataset]) -> list[xr.DataArray]:
    """Make one lazy, uncalibrated array of each dataset of two or more dimensions."""
    import dask.array as da

    chosen = [dataset for dataset in datasets if dataset.ndim >= 2] or datasets
    chosen = [dataset for dataset in chosen if dataset.nbytes > 0]
    if not chosen:
        raise ReadError(f"{path.name}: this HDF5 file holds no numeric dataset")
    arrays = []
    for dataset in chosen:
        data = da.from_array(dataset, chunks=CHUNK, name=False, asarray=True, lock=True)
        names = dimension_names([None] * dataset.ndim, dataset.shape)
        arrays.append(calibrated_array(data, [Axis(name) for name in names], name=dataset.name))
    return arrays
