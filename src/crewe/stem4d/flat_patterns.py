"""Patterns as one flat array, as compiled loops want them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_DIRECT = {"u1", "u2", "u4", "i2", "i4", "f4", "f8"}


@dataclass(frozen=True)
class FlatPatterns:
    """Pattern i begins at `values[i·stride]`, row by row, `shape` (ky, kx) pixels.

    `swapped` is True where the two bytes of each value stand the wrong way round, else None, which
    lets compiled loops leave the swapping out. `upside_down` says that rows are stored last first.
    """

    values: NDArray[Any]
    stride: int
    number: int
    shape: tuple[int, int]
    swapped: Literal[True] | None
    upside_down: bool = False

    def places(self, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where the pixels ky·width + kx of a pattern are stored, from its beginning on."""
        if not self.upside_down:
            return pixels
        ky, kx = np.divmod(pixels, self.shape[1])
        return (self.shape[0] - 1 - ky) * self.shape[1] + kx

    @classmethod
    def of(cls, patterns: NDArray[Any]) -> FlatPatterns:
        """Flatten patterns (frame, ky, kx) without a copy where each is contiguous."""
        array, swapped = _in_known_order(patterns)
        number, ky, kx = array.shape
        size = array.itemsize
        upside_down = array.strides[1] == -kx * size
        if upside_down:
            array = array[:, ::-1]
        whole = array.strides[1:] == (kx * size, size) and array.strides[0] % size == 0
        if not (whole and array.strides[0] >= 0 and array.flags.aligned):
            array = np.ascontiguousarray(array)
        stride = array.strides[0] // size if number > 1 else ky * kx
        extent = (number - 1) * stride + ky * kx if number else 0
        values = np.lib.stride_tricks.as_strided(array, (extent,), (size,), writeable=False)
        return cls(values, stride, number, (ky, kx), swapped, upside_down)


def _in_known_order(patterns: NDArray[Any]) -> tuple[NDArray[Any], Literal[True] | None]:
    dtype = patterns.dtype
    if not dtype.isnative and dtype.str[1:] == "u2":
        return patterns.view(dtype.newbyteorder("=")), True
    if dtype.str[1:] not in _DIRECT:
        wide = np.float64 if dtype.kind == "f" or dtype.itemsize > 4 else np.int32
        return patterns.astype(wide), None
    return (patterns if dtype.isnative else patterns.astype(dtype.newbyteorder("="))), None
