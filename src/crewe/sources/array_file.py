"""4D-STEM data in files that hold arrays, read out of core."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe import io
from crewe.axes import Axis, sampling
from crewe.errors import CalibrationError
from crewe.io.detect import detect_format
from crewe.io.guard import reading
from crewe.sources.file_array import unmapped
from crewe.sources.memory import ArraySource
from crewe.sources.scan import Scan
from crewe.sources.stored_patterns import Patterns, Stored, choose, in_order

if TYPE_CHECKING:
    import xarray as xr


def open_array_file(
    path: str | Path,
    scan: Scan | None = None,
    dataset: int | str | None = None,
    beam_energy_kev: float | None = None,
    partial: bool = False,
) -> ArraySource:
    """Open 4D data of a .npy, .zarr, .hspy, .h5, .emd, .dm4, .blo or other file, unread.

    `dataset` is the number or name of an array, None the largest that is 4D data: patterns over a
    scan, or a stack of patterns, for which the scan must be given. Axes are brought into the order
    (y, x, ky, kx); the scan step and the detector sampling are those of the file, for a detector in
    mrad with the given or stored beam energy. Raises ReadError for what holds no 4D data or is
    damaged, PlanError for a scan that the patterns do not fill unless it is `partial`.
    """
    path = Path(path)
    arrays, close = _arrays(path)
    try:
        stored, roles = choose(path.name, arrays, dataset)
        patterns = in_order(stored, roles, beam_energy_kev)
        if (read := unmapped(patterns.data)) is not None:
            patterns, close = replace(patterns, data=read), read.close
        return _source(patterns, scan, name=path.name, partial=partial, on_close=close)
    except BaseException:
        close()
        raise


def calibrated_source(
    array: xr.DataArray,
    scan: Scan | None = None,
    beam_energy_kev: float | None = None,
    partial: bool = False,
) -> ArraySource:
    """Take 4D data as crewe.io.read returns them, in memory or lazy, for a source.

    Raises ReadError for an array that is no 4D data.
    """
    name = str(array.attrs.get("source") or array.name or "the array")
    stored, roles = choose(name, [_of_calibrated(array)], None)
    return _source(in_order(stored, roles, beam_energy_kev), scan, name=name, partial=partial)


def _source(patterns: Patterns, scan: Scan | None, **options: Any) -> ArraySource:
    options |= {"measured": patterns.measured}
    source = ArraySource(patterns.data, scan, patterns.known, **options)
    if source.scan.step_angstrom is None and source.scan.shape == patterns.data.shape[:-2]:
        source.scan = replace(source.scan, step_angstrom=patterns.step_angstrom)
    return source


def _arrays(path: Path) -> tuple[list[Stored], Callable[[], None]]:
    """List the arrays of a file and how to let go of it."""
    from crewe.sources import hierarchy

    if path.is_dir() and any(
        (path / name).exists() for name in (".zgroup", ".zarray", "zarr.json")
    ):
        with reading(path, "zarr"):
            return hierarchy.open_zarr(path)
    format_name = detect_format(path)
    if format_name == "hdf5":
        with reading(path, "HDF5"):
            return hierarchy.open_hdf5(path)
    signals = io.list_signals(path)
    return [_of_signal(path, signal) for signal in signals], lambda: None


@dataclass(frozen=True)
class _Unread:
    """What cannot be 4D data, described without being read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def _of_signal(path: Path, signal: io.SignalInfo) -> Stored:
    if len(signal.dims) >= 3 and not {"channel", "energy"} & set(signal.dims):
        return _of_calibrated(io.read(path, signal.index))
    axes = tuple(Axis(dim) for dim in signal.dims)
    return Stored(signal.name, _Unread(signal.shape, np.dtype(signal.dtype)), axes)


def _of_calibrated(array: xr.DataArray) -> Stored:
    axes = tuple(_axis(array, str(dim)) for dim in array.dims)
    instrument = _instrument(array.attrs)
    energy = array.attrs.get("beam_energy_kev")
    angle = array.attrs.get("convergence_semi_angle_mrad", instrument.get("convergence_angle"))
    return Stored(str(array.name or ""), array.data, axes, _positive(energy), _positive(angle))


def _axis(array: xr.DataArray, dim: str) -> Axis:
    try:
        (step,) = sampling(array, (dim,))
    except CalibrationError:
        return Axis(dim)
    return Axis(dim, step, 0, str(array[dim].attrs.get("units", "px")))


def _instrument(attrs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings of the microscope as HyperSpy's metadata hold them."""
    found: Any = attrs
    for key in ("metadata", "Acquisition_instrument", "TEM"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _positive(value: Any) -> float | None:
    good = isinstance(value, (int, float)) and math.isfinite(value) and value > 0
    return float(value) if good else None
