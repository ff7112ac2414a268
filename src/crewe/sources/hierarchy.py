"""4D data in the groups of an HDF5 file or a zarr folder, as several programs lay them out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from crewe.axes import Axis
from crewe.axes.hyperspy import dimension_names
from crewe.io.hdf5_heaps import check_heaps
from crewe.sources.arina import arina_patterns
from crewe.sources.hdf5_compression import check_compression
from crewe.sources.plain_chunks import PlainChunks, is_plain
from crewe.sources.stored_patterns import Stored

Closer = Callable[[], None]
_HYPERSPY_KEYS = ("beam_energy", "convergence_angle")


def open_hdf5(path: Path) -> tuple[list[Stored], Closer]:
    """Open the arrays of an HDF5 file without reading their pixels; the file stays open.

    HyperSpy's, EMD's, py4DSTEM's and Prismatic's axes are understood, and the master file of an
    ARINA detector; others come uncalibrated. Raises ReadError for a compression that h5py lacks.
    """
    import h5py

    check_heaps(path)
    file = h5py.File(path, "r")
    try:
        arina = arina_patterns(file, path)
        arrays = [arina] if arina is not None else _described(file, "", file)
        for stored in arrays:
            check_compression(stored.data, path)
    except BaseException:
        file.close()
        raise
    return arrays, file.close


def open_zarr(path: Path) -> tuple[list[Stored], Closer]:
    """Open the arrays of a zarr folder (v2 or v3) without reading their pixels."""
    import zarr

    opened = zarr.open(str(path), mode="r")
    if isinstance(opened, zarr.Array):
        names = _dimensions(opened) or [None] * opened.ndim
        axes = tuple(Axis(name) for name in dimension_names(names, opened.shape))
        return [Stored(path.stem, _quick(opened), axes)], lambda: None
    arrays = _described(opened, "", opened)
    return [replace(stored, data=_quick(stored.data)) for stored in arrays], lambda: None


def _quick(array: Any) -> Any:
    return PlainChunks(array) if is_plain(array) else array


def _described(group: Any, prefix: str, root: Any) -> list[Stored]:
    """List the arrays below a group, coordinates of others excepted."""
    found: list[Stored] = []
    for name, node in _members(group):
        full = f"{prefix}/{name}".lstrip("/")
        if not hasattr(node, "shape"):
            found += _described(node, full, root)
        elif len(node.shape) >= 2 and node.dtype.kind in "biufc":
            found.append(_stored(group, node, full, root))
    return found


def _members(group: Any) -> Iterator[tuple[str, Any]]:
    for name in group:
        try:
            yield name, group[name]
        except KeyError:  # a link to a file that is not there
            continue


def _stored(group: Any, data: Any, name: str, root: Any) -> Stored:
    beam = _beam(group, data, root)
    axes = _hyperspy_axes(group, data) or _emd_axes(group, data, root) or _named_axes(group, data)
    return Stored(name, data, axes, *beam, _measured(group, data, name))


def _measured(group: Any, data: Any, name: str) -> Any:
    """Find the map that a recording keeps of what was measured: measured_0 beside scan_0."""
    number = re.search(r"(?:^|/)scan(_\d+)$", name)
    beside = None if number is None else group.get(f"measured{number[1]}", None)
    if beside is None or tuple(beside.shape) != tuple(data.shape[:2]):
        return None
    return np.asarray(beside[...]).astype(bool)


def _hyperspy_axes(group: Any, data: Any) -> tuple[Axis, ...] | None:
    """HyperSpy keeps a group axis-N of attributes for each dimension."""
    if "axis-0" not in group:
        return None
    described = [dict(group[f"axis-{place}"].attrs) for place in range(data.ndim)]
    names = dimension_names([_text(one.get("name")) for one in described], data.shape)
    return tuple(
        Axis(name, float(one.get("scale", 1)), float(one.get("offset", 0)), _unit(one))
        for name, one in zip(names, described, strict=True)
    )


def _emd_axes(group: Any, data: Any, root: Any) -> tuple[Axis, ...] | None:
    """EMD keeps the coordinates of each dimension in dim1, dim2 … (from dim0 on in EMD 1.0)."""
    first = 0 if "dim0" in group else 1
    if f"dim{first}" not in group or f"dim{first + data.ndim - 1}" not in group:
        return None
    stored = [group[f"dim{first + place}"] for place in range(data.ndim)]
    prismatic = "4DSTEM_simulation" in root
    names: list[Any] = [_text(one.attrs.get("name")) for one in stored]
    if data.ndim == 4 and not prismatic and all(re.match("[RQ]_?[xy]$", name) for name in names):
        # py4DSTEM calls x what runs down the image.
        names = ["y", "x", "ky", "kx"]
    named = dimension_names(names, data.shape)
    axes = []
    for name, one in zip(named, stored, strict=True):
        unit = _unit(one.attrs)
        # Prismatic writes Å and labels it nm.
        axes.append(Axis(name, *_spacing(one), unit.replace("nm", "Å") if prismatic else unit))
    return tuple(axes)


def _spacing(values: Any) -> tuple[float, float]:
    """Step and first value; evenly spaced axes may be stored by their first two values."""
    first = np.asarray(values[:2], dtype=float) if values.dtype.kind in "iuf" else np.zeros(0)
    return (float(first[1] - first[0]), float(first[0])) if first.size == 2 else (1.0, 0.0)


def _named_axes(group: Any, data: Any) -> tuple[Axis, ...]:
    """As xarray stores them: dimensions have names, coordinates lie beside the array."""
    names = dimension_names(_dimensions(data) or [None] * len(data.shape), tuple(data.shape))
    return tuple(_coordinate(group, name) for name in names)


def _coordinate(group: Any, name: str) -> Axis:
    values = group.get(name, None)
    if values is None or getattr(values, "ndim", 0) != 1:
        return Axis(name)
    step, origin = _spacing(values)
    if values.shape[0] == 1:
        step = float(values.attrs.get("step", 1.0))
    return Axis(name, step, origin, _unit(values.attrs))


def _dimensions(data: Any) -> list[Any] | None:
    names = getattr(getattr(data, "metadata", None), "dimension_names", None)
    names = names or data.attrs.get("_ARRAY_DIMENSIONS")
    return list(names) if names is not None and len(names) == len(data.shape) else None


def _beam(group: Any, data: Any, root: Any) -> tuple[float | None, float | None]:
    """Beam energy in keV and convergence semi-angle in mrad, where a program wrote them down."""
    parameters = "4DSTEM_simulation/metadata/metadata_0/original/simulation_parameters"
    own = ("beam_energy_kev", "convergence_semi_angle_mrad")
    places = [
        (_attributes(group, "metadata/crewe", "attrs"), own),
        (_attributes(group, "metadata/Acquisition_instrument/TEM"), _HYPERSPY_KEYS),
        (_attributes(root, parameters), ("E", "sa")),
        *((node.attrs, own) for node in (data, group, root)),
    ]
    for attributes, (energy, angle) in places:
        if _positive(attributes, energy) is not None:
            return _positive(attributes, energy), _positive(attributes, angle)
    return None, None


def _attributes(group: Any, place: str, key: str | None = None) -> Mapping[str, Any]:
    """Attributes of a group below another, or those kept in one of them as JSON text."""
    attributes = group[place].attrs if place in group else {}
    if key is None or key not in attributes:
        return attributes
    try:
        inner = json.loads(_text(attributes[key]))
    except ValueError:
        return {}
    return inner if isinstance(inner, dict) else {}


def _positive(attrs: Mapping[str, Any], key: str) -> float | None:
    try:
        value = float(attrs[key])
    except (KeyError, TypeError, ValueError):
        return None
    return value if np.isfinite(value) and value > 0 else None


def _unit(attrs: Mapping[str, Any]) -> str:
    """Read a unit; EMD writes [n_m^-1] for nm^-1."""
    return _text(attrs.get("units")).strip("[]").replace("_", "")


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
