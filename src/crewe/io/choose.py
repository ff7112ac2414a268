"""Which signal of a file, and which frame of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from crewe.errors import ReadError

if TYPE_CHECKING:
    import xarray as xr

Frame = int | Literal["mean", "all"] | None


def choose_signal(path: Path, arrays: Sequence[xr.DataArray], signal: int | str | None) -> int:
    """Find a signal by index or name; without either, the best image.

    The best is a real image before a stack before anything else, then one that is called HAADF,
    ADF or DF, then the largest. Raises ReadError that lists what there is.
    """
    if signal is None:
        return max(range(len(arrays)), key=lambda i: (*_merit(arrays[i]), -i))
    if isinstance(signal, int):
        if not -len(arrays) <= signal < len(arrays):
            raise ReadError(f"{path.name}: no signal {signal}; it holds {_names(arrays)}")
        return signal % len(arrays)
    wanted = signal.lower()
    for matches in (
        [i for i, array in enumerate(arrays) if _name(array).lower() == wanted],
        [i for i, array in enumerate(arrays) if _name(array).lower().split("/")[-1] == wanted],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise ReadError(f"{path.name}: several signals {signal!r}, give an index {matches}")
    raise ReadError(f"{path.name}: no signal {signal!r}; it holds {_names(arrays)}")


def _name(array: xr.DataArray) -> str:
    return str(array.name or "")


def _names(arrays: Sequence[xr.DataArray]) -> str:
    shown = [f"{i} {_name(array)!r}" for i, array in enumerate(arrays[:20])]
    return ", ".join(shown) + (" …" if len(arrays) > 20 else "")


def _merit(array: xr.DataArray) -> tuple[int, int, int]:
    """Rank an array as an image, by kind, title and number of pixels."""
    long = [dim for dim in array.dims if array.sizes[dim] != 1 or dim in ("y", "x")]
    spatial = {"y", "x"} <= set(array.dims)
    kind = 0
    if spatial and array.dtype.kind in "uif":
        kind = 3 if len(long) == 2 else 2 if len(long) == 3 and "energy" not in long else 1
    name = _name(array).lower()
    title = 3 if "haadf" in name else 2 if "adf" in name else 1 if "df" in name else 0
    return kind, title, array.size


def choose_frame(path: Path, array: xr.DataArray, frame: Frame) -> xr.DataArray:
    """Take one frame of a stack, or the mean of all; None and 'all' return the stack as it is.

    Axes of a single pixel do not count. Raises ReadError when there is no such frame.
    """
    if frame is None or frame == "all":
        return array
    stacked = [dim for dim in array.dims if dim not in ("y", "x") and array.sizes[dim] > 1]
    if len(stacked) > 1 or "energy" in stacked or not {"y", "x"} <= set(array.dims):
        raise ReadError(
            f"{path.name}: axes {array.dims} are no stack of images: give another signal"
        )
    array = squeeze(array)
    if not stacked:
        if frame not in (0, -1, "mean"):
            raise ReadError(f"{path.name}: no frame {frame}, there is only one")
        return array
    dim, count = stacked[0], array.sizes[stacked[0]]
    if frame == "mean":
        mean = array.mean(str(dim), keep_attrs=True)
        mean.attrs["frame"] = f"mean of {count}"
        return mean
    if isinstance(frame, str) or not -count <= frame < count:
        raise ReadError(
            f"{path.name}: no frame {frame!r}: give --frame 0…{count - 1} or --frame mean"
        )
    part = array.isel({dim: frame}, drop=True)
    part.attrs["frame"] = frame % count
    return part


def squeeze(array: xr.DataArray) -> xr.DataArray:
    """Drop axes of a single pixel, except y and x."""
    single = [dim for dim in array.dims if array.sizes[dim] == 1 and dim not in ("y", "x")]
    return array.isel(dict.fromkeys(single, 0), drop=True)
