"""Every vendor format through RosettaSciIO; nothing else in crewe imports it."""

from __future__ import annotations

import contextlib
import copy
import importlib
import logging
import math
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.axes import from_signal_dictionary
from crewe.errors import ReadError
from crewe.io.guard import DEFLATE_RATIO, UNPACKED_RATIO, check_claim
from crewe.io.velox import corrected_velox

if TYPE_CHECKING:
    import xarray as xr

PLUGINS = {
    "digital_micrograph": "digitalmicrograph",
    "tia": "tia",
    "mrc": "mrc",
    "blockfile": "blockfile",
    "merlin": "quantumdetector",
    "bruker": "bruker",
    "tiff": "tiff",
    "emd": "emd",
    "prismatic": "emd",
    "hspy": "hspy",
}
_COMPRESSED = ("bruker", "tiff")
# Bytes per pixel of the modes that RosettaSciIO reads.
_MRC_BYTES = {0: 1, 1: 2, 2: 4, 4: 8, 6: 2, 12: 2}
_HDF5 = ("emd", "prismatic", "hspy")


def open_vendor(
    path: Path, format_name: str, lazy: bool = True, options: Mapping[str, Any] | None = None
) -> list[xr.DataArray]:
    """Open every signal of a vendor's file, calibrated and lazy where RosettaSciIO can.

    `options` go to its reader.

    Raises whatever the reader raises; `crewe.io.guard.reading` turns it into a ReadError.
    """
    if format_name == "mrc":
        _check_mrc_header(path)
    plugin = importlib.import_module(f"rsciio.{PLUGINS[format_name]}")
    # Its import sets the level of its logger anew.
    logging.getLogger("rsciio").setLevel(logging.CRITICAL + 1)
    described = plugin.file_reader(str(path), lazy=lazy, **(options or {}))
    ratio = DEFLATE_RATIO if format_name in _COMPRESSED else UNPACKED_RATIO
    arrays = []
    for signal in _usable(described, format_name):
        if format_name not in _HDF5:
            check_claim(path, signal["data"].nbytes, ratio, _stored_bytes(path))
        array = from_signal_dictionary(_corrected(signal, format_name))
        if "frames" in signal:
            array.attrs["frame"] = f"mean of {signal['frames']}"
        arrays.append(array)
    return arrays


def _usable(described: list[dict[str, Any]], format_name: str) -> Iterator[Mapping[str, Any]]:
    for signal in described:
        if signal["data"].dtype.kind in "OUSM":
            continue
        known = corrected_velox(signal) if format_name == "emd" else signal
        if known is not None:
            yield known


def _stored_bytes(path: Path) -> int:
    """Size of the file, or for an .emi index of the .ser files beside it."""
    beside = path.parent.glob(f"{path.stem}_*.ser") if path.suffix.lower() == ".emi" else ()
    return path.stat().st_size + sum(other.stat().st_size for other in beside)


def _check_mrc_header(path: Path) -> None:
    """Refuse MRC files that RosettaSciIO would swap the bytes of, or hang on.

    It takes every file for little-endian and splits whatever shape the header claims into chunks.
    """
    with path.open("rb") as handle:
        header = handle.read(256)
    if len(header) < 256:
        raise ReadError(f"{path.name}: truncated, an MRC header has 1024 bytes")
    if header[212:214] == b"\x11\x11":
        raise ReadError(f"{path.name}: a big-endian MRC file, convert it to little-endian first")
    *shape, mode = struct.unpack_from("<4i", header)
    if min(shape) <= 0 or mode not in _MRC_BYTES:
        raise ReadError(f"{path.name}: claims size {shape} and type {mode}: damaged")
    check_claim(path, math.prod(shape) * _MRC_BYTES[mode], 1)


def _corrected(signal: Mapping[str, Any], format_name: str) -> dict[str, Any]:
    """Undo what RosettaSciIO 0.15 gets wrong before the axes are believed."""
    result = dict(signal)
    axes = [dict(axis) for axis in signal.get("axes") or []]
    if format_name == "tia":
        for axis in axes:
            _correct_tia_offset(axis)
    if format_name == "prismatic":
        for axis in axes:
            # Prismatic writes Å and labels it nm.
            axis["units"] = str(axis.get("units") or "").replace("nm", "Å")
    if result["data"].dtype.names and {"R", "G", "B"} <= set(result["data"].dtype.names):
        result["data"] = _channels(result["data"])
        axes.append({"name": "channel", "scale": 1.0, "offset": 0.0, "units": ""})
    result["axes"] = axes
    result["metadata"] = _mapped_metadata(signal)
    return result


def _mapped_metadata(signal: Mapping[str, Any]) -> dict[str, Any]:
    """Carry over what the reader knows to find in the vendor's own metadata, e.g. beam energy."""
    metadata = copy.deepcopy(dict(signal.get("metadata") or {}))
    for source, (target, convert) in (signal.get("mapping") or {}).items():
        value: Any = signal.get("original_metadata") or {}
        for key in source.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is None:
            continue
        with contextlib.suppress(Exception):  # one odd entry must not cost the image
            _set_deep(metadata, target.split("."), convert(value) if convert else value)
    return metadata


def _set_deep(tree: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
    tree[keys[-1]] = value


def _correct_tia_offset(axis: dict[str, Any]) -> None:
    """Turn the offset of a .ser axis from m to nm, as the reader does with its scale only."""
    factor = {"nm": 1e9, "1 / nm": 1e-9, "1/nm": 1e-9}.get(str(axis.get("units")), 1.0)
    axis["offset"] = float(axis.get("offset", 0.0)) * factor


def _channels(data: Any) -> Any:
    """Spread RGB(A) records over a last axis."""
    import numpy as np

    values = np.asarray(data)
    return np.stack([values[name] for name in ("R", "G", "B")], axis=-1)


def write_hspy(path: Path, signal: Mapping[str, Any]) -> None:
    """Write one signal dictionary as HyperSpy's HDF5."""
    plugin = importlib.import_module("rsciio.hspy")
    plugin.file_writer(str(path), dict(signal), show_progressbar=False)
