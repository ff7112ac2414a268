"""Patterns that lie one after another in a file, read at their place and never mapped."""

from __future__ import annotations

import math
import mmap
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ReadError
from crewe.sources.buffers import Buffers
from crewe.sources.positional import PositionalFile


class FileArray:
    """An array (…, ky, kx) in C order, of which ranges along the first axis are read from a file.

    A memory map would keep in memory what was read of it. Any number of threads read side by side.
    Raises ReadError for a file that has become too short.
    """

    def __init__(
        self, file: PositionalFile, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.shape, self.ndim, self.dtype = shape, len(shape), dtype
        self._file, self._offset, self._buffers = file, offset, Buffers()
        self._step = math.prod(shape[1:]) * dtype.itemsize

    def stack(self) -> Self:
        """Return the same array with all axes before the last two as one."""
        shape = (math.prod(self.shape[:-2]), *self.shape[-2:])
        return type(self)(self._file, self._offset, shape, self.dtype)

    def close(self) -> None:
        """Close the file, for all arrays that read it."""
        self._file.close()

    def __getitem__(self, region: slice | tuple[slice]) -> NDArray[Any]:
        """Read a range along the first axis."""
        (part,) = region if isinstance(region, tuple) else (region,)
        start, stop, _ = part.indices(self.shape[0])
        content = self._buffers.lend(max(stop - start, 0) * self._step)
        if self._file.read_into(content, self._offset + start * self._step) < content.size:
            raise ReadError(f"{self._file.path.name}: the file became shorter while it was read")
        return content.view(self.dtype).reshape(-1, *self.shape[1:])


def unmapped(data: Any) -> FileArray | None:
    """Return an array that reads the file from which `data`, of numpy or dask, is mapped.

    None for what is not mapped as a whole, pattern after pattern in C order. Raises ReadError for a
    truncated file.
    """
    if not isinstance(data, np.ndarray) and not _is_mapped_by_dask(data):
        return None
    strides = [data.dtype.itemsize * math.prod(data.shape[at + 1 :]) for at in range(data.ndim)]
    first, last = (_place_in_file(data, at, strides) for at in (0, -1))
    end = sum(step * (size - 1) for step, size in zip(strides, data.shape, strict=True))
    if first is None or last is None or last != (first[0], first[1] + end):
        return None
    file = PositionalFile(first[0])
    needed, size = last[1] + data.dtype.itemsize, file.size()
    if size < needed:
        file.close()
        raise ReadError(f"{first[0].name}: truncated, it has {size:,} of {needed:,} bytes")
    return FileArray(file, first[1], tuple(map(int, data.shape)), data.dtype)


def _is_mapped_by_dask(data: Any) -> bool:
    """Say whether RosettaSciIO maps the blocks: to look at a block of others could take long."""
    layers = getattr(getattr(data, "dask", None), "layers", ())
    return any(str(name).startswith("slice_memmap") for name in layers)


def _block(data: Any, at: int) -> Any:
    """Return the first or last block as it is mapped; compute() would copy it."""
    import dask

    place = [0 if at == 0 else blocks - 1 for blocks in data.numblocks]
    key = (data.name, *place)
    return dask.get(data.dask.cull({key}), key)


def _place_in_file(data: Any, at: int, strides: list[int]) -> tuple[Path, int] | None:
    """Return of which file, and from which byte on, the first or last element is mapped."""
    shape = data.shape
    block = data if isinstance(data, np.ndarray) else _block(data, at)
    corner = block[tuple(slice(at, at + 1 or None) for _ in shape)]
    pairs = zip(corner.strides, strides, shape, strict=True)
    if corner.dtype != data.dtype or any(own != step for own, step, size in pairs if size > 1):
        return None
    address = corner.__array_interface__["data"][0]
    mapped: Any = corner
    while mapped is not None and not isinstance(mapped, np.memmap):
        mapped = getattr(mapped, "base", None)
    memory = getattr(mapped, "_mmap", None)
    if mapped is None or memory is None or mapped.filename is None:
        return None
    # NumPy maps from the page on in which the array begins.
    begin = mapped.offset - mapped.offset % mmap.ALLOCATIONGRANULARITY
    since = address - np.frombuffer(memory, np.uint8).__array_interface__["data"][0]
    return Path(mapped.filename), begin + since
