"""How arrays are stored: float32 rounded to a documented precision, everything compressed.

Stored with it, a label differs from what the simulation gave by at most
`RELATIVE_PRECISION` of its own value or `FLOOR` of the largest value in the array,
whichever is more: far below any noise, and less than half the bytes. Integers and
float64 are stored exactly.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

KEPT_BITS = 12
RELATIVE_PRECISION = 2.0 ** -(KEPT_BITS + 1)
FLOOR_BITS = 16
FLOOR = 2.0**-FLOOR_BITS
LARGEST_ROUNDED = 2.0**127
COMPRESSOR: Final = "lz4"
LEVEL: Final = 5
"""With bits shuffled, lz4 is four times as fast as zstd on labels and 15 % larger."""


def rounded(array: NDArray[Any]) -> NDArray[Any]:
    """Return a float32 array as the store holds it; other types come back as they are.

    A value v is rounded to a multiple of 2^-16 of the power of two at or above max|v|, then to
    13 significant bits: the error is at most 2^-13 |v| + 2^-16 max|v|. Zero and whole numbers
    up to 2^13 of an array below 2^16 stay exact; so do arrays that reach 2^127, since rounding
    up might pass the end of float32. The values must be finite.
    """
    if array.dtype != np.float32 or not array.size:
        return array
    largest = float(np.abs(array).max())
    if largest < np.finfo(np.float32).tiny:
        return np.zeros_like(array)
    if largest >= LARGEST_ROUNDED:
        return array
    # A power of two: multiplying by it loses nothing.
    step = np.ldexp(np.float32(1.0), int(np.frexp(np.float32(largest))[1]) - FLOOR_BITS)
    if step < np.finfo(np.float32).tiny:
        return _with_kept_bits(array)
    return _with_kept_bits(np.rint(array / step) * step)


def _with_kept_bits(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round the mantissa, halves to even; the carry moves into the exponent as it should."""
    dropped = np.uint32(23 - KEPT_BITS)
    one = np.uint32(1)
    bits = np.ascontiguousarray(array).view(np.uint32)
    half = (one << (dropped - one)) - one
    # Adding +0.0 turns minus zero, which would only cost bytes, into zero.
    up = (bits + (half + ((bits >> dropped) & one))) & ~((one << dropped) - one)
    return up.view(np.float32) + np.float32(0.0)


def compressed(array: NDArray[Any]) -> bytes:
    """Return an array as the bytes of one chunk, the same on every machine."""
    from numcodecs import Blosc, blosc  # type: ignore[import-untyped]

    coder = Blosc(COMPRESSOR, LEVEL, Blosc.BITSHUFFLE, typesize=array.dtype.itemsize)
    threads = blosc.use_threads
    # Several threads would put the parts of a chunk in the order in which they finish.
    blosc.use_threads = False
    try:
        return coder.encode(np.ascontiguousarray(array, array.dtype.newbyteorder("<")))
    finally:
        blosc.use_threads = threads


def restored(chunk: bytes, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Return the array of a chunk; raise ValueError when the bytes are no such chunk."""
    from numcodecs import Blosc

    array: NDArray[Any] = np.empty(shape, np.dtype(dtype).newbyteorder("<"))
    try:
        Blosc().decode(chunk, out=array)
    except RuntimeError as error:
        raise ValueError("the compressed bytes are damaged") from error
    return array.astype(dtype, copy=False)


def zarr_codec(dtype: Any) -> Any:
    """Return the codec that zarr writes into an array's metadata."""
    from zarr.codecs import BloscCodec

    return BloscCodec(
        cname=COMPRESSOR, clevel=LEVEL, shuffle="bitshuffle", typesize=np.dtype(dtype).itemsize
    )
