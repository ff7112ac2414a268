"""To and from HyperSpy, and the dictionary that HyperSpy and RosettaSciIO share.

HyperSpy keeps one dictionary per signal: the data, one dictionary per axis in the order of the
data, and nested metadata. Our ``attrs`` travel as JSON text in its metadata under ``crewe.attrs``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crewe.axes.arrays import SPATIAL_DIMS, Axis, calibrated_array
from crewe.axes.plain import plain_value
from crewe.axes.units import normalise_unit

if TYPE_CHECKING:
    import xarray as xr

DIMENSION_NAMES = {
    **dict.fromkeys(("height", "r_y", "scan_y", "yaxis"), "y"),
    **dict.fromkeys(("width", "r_x", "scan_x", "xaxis"), "x"),
    **dict.fromkeys(("dy", "q_y", "qy"), "ky"),
    **dict.fromkeys(("dx", "q_x", "qx"), "kx"),
    **dict.fromkeys(("energy_loss", "energy"), "energy"),
    **dict.fromkeys(("stack_count", "image_series", "frames", "z", "time"), "frame"),
    **dict.fromkeys(("sample", "color|em-wavelength|channel"), "channel"),
}
LAST_DIMENSIONS = ("y", "x", "ky", "kx", "energy", "channel")


def from_signal_dictionary(signal: Mapping[str, Any]) -> xr.DataArray:
    """Make a calibrated array of one signal as RosettaSciIO or HyperSpy describe it.

    Dims are renamed to y, x, ky, kx, energy, frame and brought into that order of crewe's
    conventions; units become Å and its kin; the data may be a dask array and stay one.
    """
    data = signal["data"]
    described = list(signal.get("axes") or [])
    while len(described) < data.ndim:
        described.insert(0, {})
    names = dimension_names([axis.get("name") for axis in described], data.shape)
    axes = [_axis(axis, name) for axis, name in zip(described, names, strict=True)]
    metadata = plain_value(signal.get("metadata") or {})
    title = str(metadata.get("General", {}).get("title") or "")
    array = calibrated_array(data, axes, name=title or None, attrs=_attributes(metadata))
    for axis, name in zip(described, names, strict=True):
        array = _with_own_values(array, axis, name)
    return array.transpose(*_conventional_order(names))


def dimension_names(names: list[Any], shape: tuple[int, ...]) -> list[str]:
    """Give every axis of a file crewe's name; axes without one are named by their place.

    Unnamed axes longer than one pixel are taken as (y, x), (frame, y, x) or (y, x, ky, kx).
    """
    known = [_dimension_name(name) for name in names]
    unnamed = [i for i, name in enumerate(known) if not name]
    if len(unnamed) == len(known):
        long = unnamed if len(unnamed) <= 2 else [i for i in unnamed if shape[i] != 1]
        choice = {2: ("y", "x"), 3: ("frame", "y", "x"), 4: ("y", "x", "ky", "kx")}.get(len(long))
        if len(long) < 2:
            long, choice = unnamed[-2:], ("y", "x")[-len(unnamed[-2:]) :]
        for i, name in zip(long, choice or (), strict=False):
            known[i] = name
    elif len(unnamed) == 1:
        known[unnamed[0]] = "frame"
    for i, name in enumerate(known):
        if not name or name in known[:i]:
            known[i] = f"axis{i}" if not name else f"{name}{i}"
    return known


def _dimension_name(name: Any) -> str:
    text = "_".join(str(name if name is not None else "").strip().lower().split())
    if text in ("none", "<undefined>", "undefined"):
        return ""
    return DIMENSION_NAMES.get(text, text)


def _axis(axis: Mapping[str, Any], name: str) -> Axis:
    unit = _text(axis)
    if not unit.strip() and name in SPATIAL_DIMS:
        # A scale without a unit calibrates nothing.
        return Axis(name)
    return Axis(name, _number(axis.get("scale"), 1.0), _number(axis.get("offset"), 0.0), unit)


def _text(axis: Mapping[str, Any]) -> str:
    unit = axis.get("units")
    return unit if isinstance(unit, str) else ""


def _number(value: Any, default: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return default


def _with_own_values(array: xr.DataArray, axis: Mapping[str, Any], name: str) -> xr.DataArray:
    """Take over the values of an uneven axis, which HyperSpy stores one by one."""
    import numpy as np

    values = axis.get("axis")
    if values is None or "scale" in axis or np.size(values) != array.sizes[name]:
        return array
    factor, unit = normalise_unit(_text(axis))
    unit = "1" if unit == "px" and name not in LAST_DIMENSIONS else unit
    coordinate = np.asarray(values, dtype=np.float64) * factor
    return array.assign_coords({name: (name, coordinate, {"units": unit})})


def _conventional_order(names: list[str]) -> list[str]:
    """Other axes first, then y, x, ky, kx, energy."""
    first = [name for name in names if name not in LAST_DIMENSIONS]
    return first + [name for name in LAST_DIMENSIONS if name in names]


def _attributes(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Our own attrs when the file carries them, else what the microscope wrote down."""
    own = metadata.get("crewe")
    if isinstance(own, Mapping) and isinstance(own.get("attrs"), str):
        try:
            attrs = json.loads(own["attrs"])
        except ValueError:
            attrs = {}
        if isinstance(attrs, dict):
            return attrs
    attrs = {key: value for key, value in metadata.items() if not str(key).startswith("_")}
    result: dict[str, Any] = {"metadata": attrs} if attrs else {}
    instrument = metadata.get("Acquisition_instrument")
    for kind in ("TEM", "SEM"):
        energy = (
            instrument.get(kind, {}).get("beam_energy") if isinstance(instrument, Mapping) else None
        )
        if isinstance(energy, (int, float)) and energy > 0:
            result["beam_energy_kev"] = float(energy)
    return result


def signal_dictionary(array: xr.DataArray) -> dict[str, Any]:
    """Describe a calibrated array as HyperSpy and RosettaSciIO do, one entry per axis.

    y and x are signal axes of images and navigation axes of 4D sets and spectrum images.
    """
    from crewe import __version__

    dims = [str(dim) for dim in array.dims]
    inner = [dim for dim in dims if dim in ("ky", "kx", "energy")]
    signal_dims = inner or [dim for dim in dims if dim in ("y", "x")] or dims[-1:]
    axes = [_described_axis(array, dim, dim not in signal_dims) for dim in dims]
    attrs = json.dumps(plain_value(dict(array.attrs)))
    return {
        "data": array.data,
        "axes": axes,
        "metadata": {
            "General": {"title": str(array.name or "")},
            "Signal": {"signal_type": ""},
            "crewe": {"attrs": attrs},
        },
        "original_metadata": {},
        "attributes": {"_lazy": hasattr(array.data, "dask"), "ragged": False},
        "learning_results": {},
        "models": {},
        "tmp_parameters": {},
        "package_info": {"package": "crewe", "package_version": __version__},
    }


def _described_axis(array: xr.DataArray, dim: str, navigate: bool) -> dict[str, Any]:
    """One axis in HyperSpy's words; uneven coordinates are stored value by value."""
    from crewe.axes.arrays import signed_step
    from crewe.errors import CalibrationError

    size = int(array.sizes[dim])
    common = {"name": dim, "units": _written_unit(array, dim), "navigate": navigate}
    common["is_binned"] = False
    if dim not in array.coords:
        uniform = {"scale": 1.0, "offset": 0.0}
    else:
        try:
            step = signed_step(array, dim)
        except CalibrationError:
            values = array.coords[dim].values
            return {"_type": "DataAxis", "axis": values, "size": size, **common}
        uniform = {"scale": step, "offset": float(array.coords[dim].values[0])}
    return {"_type": "UniformDataAxis", "size": size, **uniform, **common}


def _written_unit(array: xr.DataArray, dim: str) -> str:
    unit = str(array.coords[dim].attrs.get("units", "")) if dim in array.coords else ""
    return "" if unit == "1" else unit


def to_hyperspy(array: xr.DataArray) -> Any:
    """Make a HyperSpy signal of a calibrated array; needs hyperspy, an optional install."""
    import hyperspy.api as hs

    described = signal_dictionary(array)
    signal_axes = sum(not axis["navigate"] for axis in described["axes"])
    kind = {1: hs.signals.Signal1D, 2: hs.signals.Signal2D}.get(signal_axes, hs.signals.BaseSignal)
    signal = kind(described["data"], axes=described["axes"], metadata=described["metadata"])
    return signal.as_lazy() if described["attributes"]["_lazy"] and not signal._lazy else signal


def from_hyperspy(signal: Any) -> xr.DataArray:
    """Make a calibrated array of a HyperSpy signal; a lazy signal stays lazy."""
    axes = [axis.get_axis_dictionary() for axis in signal.axes_manager._axes]
    metadata = signal.metadata.as_dictionary()
    return from_signal_dictionary({"data": signal.data, "axes": axes, "metadata": metadata})
