"""Patterns that lie one after another in a file, read at their place and never mapped."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from crewe.errors import ReadError
from crewe.sources.buffers import Buffers
from crewe.sources.positional import PositionalFile

_HEADERS = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}


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

    def __getitem__(self, region: slice | tuple[slice]) -> NDArray[Any]:
        """Read a range along the first axis."""
        (part,) = region if isinstance(region, tuple) else (region,)
        start, stop, _ = part.indices(self.shape[0])
        content = self._buffers.lend(max(stop - start, 0) * self._step)
        if self._file.read_into(content, self._offset + start * self._step) < content.size:
            raise ReadError(f"{self._file.path.name}: the file became shorter while it was read")
        return content.view(self.dtype).reshape(-1, *self.shape[1:])


def open_npy_patterns(path: Path) -> tuple[FileArray, PositionalFile] | None:
    """Open a .npy file of a stack or a scan of patterns in C order; None for any other.

    Raises ReadError for a truncated one.
    """
    with path.open("rb") as opened:
        header = _HEADERS.get(npy_format.read_magic(opened))
        if header is None:
            return None
        shape, fortran, dtype = header(opened)
        offset = opened.tell()
    if fortran or len(shape) not in (3, 4) or dtype.kind not in "biuf":
        return None
    file = PositionalFile(path)
    needed = offset + math.prod(shape) * dtype.itemsize
    if file.size() < needed:
        size = file.size()
        file.close()
        raise ReadError(f"{path.name}: truncated, it has {size:,} of {needed:,} bytes")
    return FileArray(file, offset, shape, dtype), file
