"""TIFF: vendors' tags through RosettaSciIO, and our own files that Fiji opens calibrated."""

from __future__ import annotations

import gc
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.axes import Axis, calibrated_array, length_unit, normalise_unit, plain_value, sampling
from crewe.axes.arrays import signed_step
from crewe.errors import WriteError
from crewe.io.guard import DEFLATE_RATIO, EAGER_BYTES, check_claim
from crewe.io.vendor import open_vendor

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

OWN_LINE = "crewe="
# Print resolutions (72 or 300 dpi) say how large to print, not what was imaged.
COARSEST_PIXEL_ANGSTROM = 1e4
_RESOLUTION_TAGS = {"y": "YResolution", "x": "XResolution"}
_RESOLUTION_UNITS = {2: 2.54e8, 3: 1e8}


def open_tiff(path: Path) -> list[xr.DataArray]:
    """Open the series of a TIFF file; a print resolution is not taken for a calibration.

    Series above 64 MiB are lazy, page by page where each page is an image.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = list(file.series)
        for one in series:
            plain = one.keyframe.compression == 1
            check_claim(path, one.nbytes, 1 if plain else DEFLATE_RATIO)
        tags = {tag.name: tag.value for tag in file.pages.first.tags.values()}
        large = sum(one.nbytes for one in series) > EAGER_BYTES
        pages = [StoredSeries(path, i, one) for i, one in enumerate(series)]
    arrays = open_vendor(path, "tiff", lazy=large)
    if large and len(arrays) == len(pages):
        arrays = [_page_by_page(array, page) for array, page in zip(arrays, pages, strict=True)]
        # The reader's file object hangs in a cycle: let it close here, not at some later moment.
        gc.collect()
    own = _own_description(str(tags.get("ImageDescription", "")))
    if own is not None and len(arrays) == 1:
        return [_restore(arrays[0], own)]
    return [_with_tag_resolution(array, tags) for array in arrays]


class StoredSeries:
    """A series of pages that opens its file for each page it reads, so no handle stays open."""

    def __init__(self, path: Path, index: int, series: Any) -> None:
        self.path, self.index = path, index
        self.shape, self.dtype, self.ndim = series.shape, series.dtype, len(series.shape)
        self.images = str(series.axes).endswith("YX")
        self.paged = self.ndim == 3 and len(series.pages) == series.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        """Read the pages of one chunk, or the whole series where it is not paged."""
        import numpy as np
        import tifffile

        with tifffile.TiffFile(self.path) as file:
            if not self.paged:
                return file.asarray(series=self.index)[key]
            place, *rest = key if isinstance(key, tuple) else (key,)
            chosen = np.arange(self.shape[0])[place]
            pages = [file.asarray(key=int(page), series=self.index) for page in chosen.flat]
        stack = np.stack(pages).reshape(*chosen.shape, *self.shape[1:])
        return stack[(*[slice(None)] * chosen.ndim, *rest)]


def _page_by_page(array: xr.DataArray, stored: StoredSeries) -> xr.DataArray:
    """Replace the reader's lazy array, which loads a whole series and never closes its file."""
    import dask.array as da

    if array.shape != stored.shape or array.dims[-2:] != ("y", "x") or not stored.images:
        return array
    chunks = (1, *stored.shape[1:]) if stored.paged else stored.shape
    return array.copy(data=da.from_array(stored, chunks=chunks, name=False, asarray=True))


def _own_description(description: str) -> dict[str, Any] | None:
    """Find the line in which crewe noted dims, coordinates and attrs."""
    for line in description.splitlines():
        if line.startswith(OWN_LINE):
            try:
                own = json.loads(line[len(OWN_LINE) :])
            except ValueError:
                return None
            return own if isinstance(own, dict) and "axes" in own else None
    return None


def _restore(array: xr.DataArray, own: dict[str, Any]) -> xr.DataArray:
    axes = [Axis(str(a["name"]), a["step"], a["origin"], a["unit"]) for a in own["axes"]]
    shape = tuple(int(a["size"]) for a in own["axes"])
    if math.prod(shape) != array.size:
        return array
    # TIFF knows no axis of a single page.
    return calibrated_array(
        array.data.reshape(shape), axes, name=own.get("name"), attrs=own.get("attrs")
    )


def _with_tag_resolution(array: xr.DataArray, tags: dict[str, Any]) -> xr.DataArray:
    """Calibrate y and x from the resolution tags, in ImageJ's unit or else in cm or inch.

    RosettaSciIO knows no unit of ImageJ but the micron and swaps its y and x resolutions.
    """
    if not {"y", "x"} <= set(array.dims):
        return array
    factor, unit = _resolution_unit(tags)
    if factor is None or (unit == "print" and length_unit(array) != "px"):
        return array
    steps = {dim: _pixel(tags.get(tag), factor) for dim, tag in _RESOLUTION_TAGS.items()}
    printed = unit == "print" and max(steps.values()) > COARSEST_PIXEL_ANGSTROM
    if min(steps.values()) <= 0 or printed:
        return array
    axes = [
        _retagged_axis(array, str(dim), steps, "Å" if unit == "print" else unit)
        for dim in array.dims
    ]
    return calibrated_array(
        array.data, axes, name=str(array.name) if array.name else None, attrs=array.attrs
    )


def _resolution_unit(tags: dict[str, Any]) -> tuple[float | None, str]:
    """Tell what a resolution tag counts in; 'print' marks inch and cm, which may mean nothing."""
    description = str(tags.get("ImageDescription", ""))
    if description.startswith("ImageJ="):
        for line in description.splitlines():
            if line.startswith("unit="):
                factor, unit = normalise_unit(line.removeprefix("unit="))
                if line.removeprefix("unit=").strip() in ("inch", "cm"):
                    return factor, "print"
                return (factor, unit) if unit in ("Å", "1/Å") else (None, unit)
        return None, "px"
    return _RESOLUTION_UNITS.get(int(tags.get("ResolutionUnit") or 0)), "print"


def _pixel(resolution: Any, factor: float) -> float:
    """Pixel size of one resolution tag, 0 when the tag is missing or void."""
    numerator, denominator = resolution or (0, 1)
    return factor * denominator / numerator if numerator else 0.0


def _retagged_axis(array: xr.DataArray, dim: str, steps: dict[str, float], unit: str) -> Axis:
    if dim in steps:
        return Axis(dim, steps[dim], 0.0, unit)
    return Axis(dim, 1.0, 0.0, str(array[dim].attrs.get("units", "")))


def write_tiff(path: Path, array: xr.DataArray) -> None:
    """Write an image or a stack with its counts as they are and ImageJ's calibration in nm.

    Raises WriteError for complex pixels and for more than one axis beside y and x.
    """
    import numpy as np
    import tifffile

    if array.ndim not in (2, 3) or array.dims[-2:] != ("y", "x"):
        raise WriteError(f"dims {array.dims}: a TIFF holds (y, x) or a stack of them, use .zarr")
    data = np.ascontiguousarray(array.values)
    if data.dtype == bool:
        data = data.astype(np.uint8)
    if data.dtype.kind not in "uif" or data.dtype.itemsize > 8 or data.dtype == np.float16:
        raise WriteError(f"pixels of type {array.dtype}: a TIFF that Fiji opens cannot hold them")
    unit = length_unit(array)
    pixels = sampling(array)
    scale, fiji_unit = {"Å": (10.0, "nm"), "1/Å": (0.1, "1/nm")}.get(unit, (1.0, unit))
    resolution = (scale / pixels[1], scale / pixels[0]) if unit != "px" else (1.0, 1.0)
    tifffile.imwrite(
        path,
        data,
        photometric="minisblack",
        metadata=None,
        description=_description(array, "pixel" if unit == "px" else fiji_unit),
        resolution=resolution,
        resolutionunit="NONE",
        software="crewe",
    )


def _description(array: xr.DataArray, unit: str) -> str:
    """ImageJ's header, with a last line from which crewe restores everything exactly."""
    lines = ["ImageJ=1.11a"]
    if array.ndim == 3:
        lines += [f"images={array.shape[0]}", f"slices={array.shape[0]}"]
    axes = [_axis_note(array, str(dim)) for dim in array.dims]
    own = {"axes": axes, "name": array.name, "attrs": plain_value(dict(array.attrs))}
    return "\n".join([*lines, f"unit={unit}", OWN_LINE + json.dumps(own), ""])


def _axis_note(array: xr.DataArray, dim: str) -> dict[str, Any]:
    size = int(array.sizes[dim])
    if dim not in array.coords:
        return {"name": dim, "size": size, "step": 1.0, "origin": 0.0, "unit": ""}
    coordinate = array.coords[dim]
    return {
        "name": dim,
        "size": size,
        "step": signed_step(array, dim),
        "origin": float(coordinate.values[0]),
        "unit": str(coordinate.attrs.get("units", "")),
    }
