"""Read any file as a calibrated array."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crewe.errors import CalibrationError, ImageError, ReadError
from crewe.io.choose import Frame, choose_frame, choose_signal, squeeze
from crewe.io.detect import detect_format
from crewe.io.guard import EAGER_BYTES, check_load, reading

if TYPE_CHECKING:
    import xarray as xr

_TITLES = {
    "png": "PNG",
    "jpeg": "JPEG",
    "tiff": "TIFF",
    "npy": "NumPy",
    "npz": "NumPy",
    "hdf5": "HDF5",
    "matlab": "MATLAB",
    "matlab73": "MATLAB",
    "digital_micrograph": "DigitalMicrograph",
    "tia": "TIA",
    "mrc": "MRC",
    "merlin": "Merlin",
    "bruker": "Bruker",
}


@dataclass(frozen=True)
class SignalInfo:
    """What one signal of a file is, without reading its pixels.

    `units` and `sampling` have one entry per dim, sampling in that unit; `nbytes` is the size in
    memory.
    """

    index: int
    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    units: tuple[str, ...]
    sampling: tuple[float, ...]
    nbytes: int


def list_signals(path: str | os.PathLike[str]) -> list[SignalInfo]:
    """List the signals of a file in its order. Raises ReadError for a file that is none."""
    arrays, _, _ = _open(Path(path))
    return [_describe(index, array) for index, array in enumerate(arrays)]


def read(
    path: str | os.PathLike[str], signal: int | str | None = None, frame: Frame = None
) -> xr.DataArray:
    """Read one signal of a file with its axes in Å, 1/Å, mrad, eV or s.

    `signal` is an index or a name, None the best image; attrs['signal'] says which. `frame` is an
    index or 'mean' for one image of a stack; None and 'all' give the whole stack. Coordinates are
    those of the file, also where they fall; data keep their order. Up to 64 MiB are loaded, more
    stays lazy. Raises ReadError, or ImageError for a coloured picture.
    """
    path = Path(path)
    arrays, format_name, title = _open(path)
    index = choose_signal(path, arrays, signal)
    array = arrays[index]
    with reading(path, title):
        if "channel" in array.dims:
            array = _grey(path, array)
        array.attrs = {**array.attrs, "source": path.name, "format": format_name}
        array.attrs["signal"] = str(array.name or index)
        array = choose_frame(path, array, frame)
        if array.nbytes <= EAGER_BYTES:
            array = _loaded(array)
    return array


def read_image(
    path: str | os.PathLike[str],
    signal: int | str | None = None,
    frame: Frame = None,
    sampling: float | tuple[float, float] | None = None,
    sampling_unit: str = "Å",
) -> xr.DataArray:
    """Read one image (y, x) fit for quantification: loaded, float, counts not rescaled.

    The centre of pixel (0, 0) lies at (0, 0) whatever the file says; its own origin is kept in
    attrs['file_origin']. `sampling`, one value or (y, x) in `sampling_unit`, replaces the
    calibration of the file. Raises ReadError for a stack without `frame`, ImageError for pixels
    that are not real grey values, CalibrationError for an uneven axis.
    """
    from crewe.axes import length_unit, with_sampling
    from crewe.axes import sampling as pixel_size

    path = Path(path)
    array = squeeze(read(path, signal, frame))
    if array.dims != ("y", "x"):
        raise ReadError(f"{path.name}: {_not_one_image(array)}")
    if array.dtype.kind not in "biuf":
        raise ImageError(f"{path.name}: pixels of type {array.dtype}: choose a real signal")
    check_load(path, array.size * 8)
    with reading(path, str(array.attrs["format"])):
        # float32 holds every 8- and 16-bit count; anything wider needs float64.
        exact = array.dtype.itemsize <= 2 or array.dtype == "float32"
        image = _loaded(array).astype("float32" if exact else "float64")
    image.attrs = dict(array.attrs)
    if sampling is not None:
        return with_sampling(image, sampling, sampling_unit)
    unit = length_unit(image)
    image.attrs["file_origin"] = [float(image[dim].values[0]) for dim in ("y", "x")]
    y, x = pixel_size(image)
    return with_sampling(image, (y, x), unit)


def _not_one_image(array: xr.DataArray) -> str:
    extra = [dim for dim in array.dims if dim not in ("y", "x")]
    if "energy" in extra:
        return f"a spectrum or spectrum image {array.dims}: read it with crewe.io.read"
    if len(extra) == 1 and array.ndim == 3:
        last = array.sizes[extra[0]] - 1
        return f"a stack along {extra[0]!r}: choose --frame 0…{last} or --frame mean"
    return f"a signal with axes {array.dims}, no image: choose another with --signal"


def _open(path: Path) -> tuple[list[xr.DataArray], str, str]:
    """Open every signal of a file as far as its header."""
    format_name = detect_format(path)
    title = _TITLES.get(format_name, format_name)
    with reading(path, title):
        arrays = _opener(format_name)(path)
    if not arrays:
        raise ReadError(f"{path.name}: this {title} file holds no numeric array")
    return arrays, format_name, title


def _opener(format_name: str) -> Callable[[Path], list[xr.DataArray]]:
    """Pick the function that opens a format; each imports its library only now."""
    from crewe.io import bitmap, hdf5, matlab, numpy_files, store, tiff, vendor

    openers: dict[str, Callable[[Path], list[xr.DataArray]]] = {
        "png": bitmap.open_bitmap,
        "jpeg": bitmap.open_bitmap,
        "tiff": tiff.open_tiff,
        "npy": numpy_files.open_npy,
        "npz": numpy_files.open_npz,
        "hdf5": hdf5.open_hdf5,
        "matlab": matlab.open_matlab,
        "matlab73": matlab.open_matlab73,
        "zarr": store.open_zarr,
    }
    return openers.get(format_name, lambda path: vendor.open_vendor(path, format_name))


def _grey(path: Path, array: xr.DataArray) -> xr.DataArray:
    """Take the one channel of a grey picture that was saved in colour."""
    from crewe.io.bitmap import grey_image

    check_load(path, array.nbytes)
    ordered = array.transpose(..., "channel")
    grey = grey_image(ordered.values)
    if grey is None:
        raise ImageError(f"{path.name}: a coloured picture, no measurement: give the grey original")
    return ordered.isel(channel=0, drop=True).copy(data=grey)


def _loaded(array: xr.DataArray) -> xr.DataArray:
    """Bring the pixels into memory in the byte order of the machine."""
    import numpy as np

    values = np.array(array.values)
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    return array.copy(data=values)


def _describe(index: int, array: xr.DataArray) -> SignalInfo:
    from crewe.axes import sampling

    steps = []
    for dim in array.dims:
        try:
            steps.append(sampling(array, (str(dim),))[0])
        except CalibrationError:
            steps.append(float("nan"))
    return SignalInfo(
        index=index,
        name=str(array.name or ""),
        dims=tuple(str(dim) for dim in array.dims),
        shape=tuple(int(size) for size in array.shape),
        dtype=str(array.dtype),
        units=tuple(str(array[dim].attrs.get("units", "1")) for dim in array.dims),
        sampling=tuple(steps),
        nbytes=int(array.nbytes),
    )
