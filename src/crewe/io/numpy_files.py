"""NumPy files: .npy holds pixels only, .npz written by crewe holds the calibration too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.axes import Axis, calibrated_array, from_signal_dictionary, signal_dictionary
from crewe.axes.hyperspy import dimension_names
from crewe.axes.plain import plain_value
from crewe.errors import ReadError
from crewe.io.guard import DEFLATE_RATIO, check_claim

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

DATA_KEY, NOTE_KEY = "data", "crewe"


def open_npy(path: Path) -> list[xr.DataArray]:
    """Open the array of a .npy file, mapped from the disk and uncalibrated."""
    import numpy as np

    data = np.load(path, mmap_mode="r", allow_pickle=False)
    return [_uncalibrated(data, None)]


def open_npz(path: Path) -> list[xr.DataArray]:
    """Open the numeric arrays of a .npz file; one that crewe wrote comes back calibrated."""
    import numpy as np

    check_archive(path)
    with np.load(path, allow_pickle=False) as stored:
        contents = {key: stored[key] for key in stored.files}
    note = contents.get(NOTE_KEY)
    if note is not None and note.ndim == 0 and DATA_KEY in contents:
        return [_restore(contents[DATA_KEY], json.loads(str(note)))]
    numeric = {key: value for key, value in contents.items() if value.dtype.kind in "biufc"}
    arrays = [_uncalibrated(value, key) for key, value in numeric.items() if value.ndim >= 1]
    if not arrays:
        raise ReadError(f"{path.name}: this archive holds no numeric array")
    return arrays


def check_archive(path: Path) -> None:
    """Refuse a .npz file whose arrays claim more than it holds; ReadError says which is wrong."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            check_claim(path, entry.file_size, DEFLATE_RATIO, entry.compress_size)
            with archive.open(entry) as member:
                _check_member(path, member, entry.file_size)


def _check_member(path: Path, member: Any, size: int) -> None:
    """Compare the shape in the header with the bytes that follow, before anything is allocated."""
    import math

    from numpy.lib import format as npy_format

    version = npy_format.read_magic(member)
    header = (
        npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    )
    shape, _, dtype = header(member)
    if not dtype.hasobject:
        check_claim(path, math.prod(shape) * dtype.itemsize, 1, size)


def _uncalibrated(data: np.ndarray, name: str | None) -> xr.DataArray:
    if data.dtype.kind not in "biufc" or data.ndim == 0:
        raise ReadError(f"an array of type {data.dtype} and shape {data.shape} is no image")
    names = dimension_names([None] * data.ndim, data.shape)
    return calibrated_array(data, [Axis(dim) for dim in names], name=name)


def _restore(data: np.ndarray, note: dict[str, Any]) -> xr.DataArray:
    return from_signal_dictionary(
        {"data": data, "axes": note["axes"], "metadata": note["metadata"]}
    )


def write_npy(path: Path, array: xr.DataArray) -> None:
    """Write the pixels alone; NumPy's format has no room for a calibration."""
    import numpy as np

    np.save(path, np.asarray(array.values), allow_pickle=False)


def write_npz(path: Path, array: xr.DataArray) -> None:
    """Write pixels, coordinates and attrs, compressed."""
    import numpy as np

    described = signal_dictionary(array)
    axes = [
        {**axis, "axis": axis["axis"].tolist()} if "axis" in axis else axis
        for axis in described["axes"]
    ]
    note = json.dumps({"axes": plain_value(axes), "metadata": plain_value(described["metadata"])})
    with path.open("wb") as handle:
        np.savez_compressed(handle, data=array.values, crewe=np.asarray(note))
