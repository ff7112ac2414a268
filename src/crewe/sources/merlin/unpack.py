"""Payload bytes of Merlin frames -> patterns, in one pass where pixels must be reordered.

Raw (R64) pixels come in the order of the readout. A row of the wire is one row of every chip, the
last chip first, in 64-bit words whose pixels run backwards. The lower chips of a 2×2 assembly stand
on their heads. Orders as in the sample files with numbered chips; of the chips of an Nx1 assembly
no sample is known, they are taken to come last first as well. The wire has the lowest line of what
the detector shows first, so that patterns are views that run backwards along ky.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from crewe.errors import ReadError
from crewe.sources.merlin.header import FrameHeader

# Entry v: the bits of v as eight pixels, lowest first; and highest first.
_BITS = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(np.uint8)
_RISING = _BITS.view(np.uint64).ravel()
_FALLING = np.ascontiguousarray(_BITS[:, ::-1]).view(np.uint64).ravel()


def unpack(payload: NDArray[np.uint8], header: FrameHeader) -> NDArray[Any]:
    """Return the patterns (frame, ky, kx) of payload bytes (frame, byte), upright.

    `payload` may have any step between its rows; bytes beyond those of a frame are not looked at.
    Processed pixels are a view in the byte order of the wire; raw ones are a new array in native
    order. Raises ReadError when a frame has too few bytes.
    """
    if payload.ndim != 2 or payload.shape[1] < header.frame_bytes:
        raise ReadError(
            f"a Merlin frame of {header.height} × {header.width} pixels needs "
            f"{header.frame_bytes} bytes, given are {payload.shape[-1]}: the frame is cut off"
        )
    payload = payload[:, : header.frame_bytes]
    if not header.raw:
        return payload.view(header.dtype).reshape(len(payload), *header.shape)[:, ::-1]
    patterns = np.empty((len(payload), *header.shape), header.dtype)
    flat, step = _flat(payload)
    rows, chips, quad, depth = header.height, header.chips, header.quad, header.bit_depth
    # Single bits are written eight pixels at once.
    out = patterns.view(np.uint64) if depth == 1 else patterns
    _unpack_rows(flat, step, len(payload), rows, chips, quad, depth, out)
    return patterns[:, ::-1]


def unpack_some(
    payloads: NDArray[np.uint8], header: FrameHeader, rows: NDArray[np.int64]
) -> NDArray[Any]:
    """Return the patterns of some rows of payload bytes, copied out of them."""
    together = rows[-1] - rows[0] + 1 == rows.size
    chosen = payloads[rows[0] : rows[-1] + 1] if together else payloads[rows]
    # Raw pixels are unpacked into an array of their own.
    return unpack(chosen if header.raw or not together else chosen.copy(), header)


def _flat(payload: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """Return the bytes from the first frame to the last, gaps included, and the step of frames.

    As a contiguous array: of others the compiler does not know that bytes lie side by side.
    """
    frames, length = payload.shape
    if payload.strides[1] != 1 or (frames > 1 and payload.strides[0] < length):
        payload = np.ascontiguousarray(payload)
    step = payload.strides[0] if frames > 1 else length
    span = (frames - 1) * step + length if frames else 0
    return as_strided(payload, (span,), (1,), writeable=False), step


@njit(cache=True, nogil=True)
def _unpack_rows(flat, step, frames, rows, chips, quad, depth, out):  # type: ignore[no-untyped-def]
    """Put each row of each chip where it belongs in `out` (frame, ky, kx); for 1 bit, kx/8."""
    across = out.shape[2] // (2 if quad else chips)
    length = across if depth <= 6 else 2 * across
    for frame in range(frames):
        for row in range(rows):
            for segment in range(chips):
                start = frame * step + (row * chips + segment) * length
                source = flat[start : start + length]
                chip = chips - 1 - segment
                backwards = quad and chip >= 2
                y = 2 * rows - 1 - row if backwards else row
                x = (chip - 2 if backwards else chip) * across
                line = out[frame, y, x : x + across]
                if depth == 1:
                    _row_1_bit(source, backwards, line)
                elif depth == 6:
                    _row_6_bits(source, backwards, line)
                elif depth == 12:
                    _row_12_bits(source, backwards, line)
                else:
                    start += rows * chips * length
                    _row_24_bits(source, flat[start : start + length], backwards, line)


@njit(cache=True, nogil=True)
def _row_1_bit(source, backwards, line):  # type: ignore[no-untyped-def]
    """64 pixels per word; the last byte holds the first eight, its lowest bit the first."""
    last = line.size - 1
    for word in range(0, line.size, 8):
        for byte in range(8):
            if backwards:
                line[last - word - byte] = _FALLING[source[word + 7 - byte]]
            else:
                line[word + byte] = _RISING[source[word + 7 - byte]]


@njit(cache=True, nogil=True)
def _row_6_bits(source, backwards, line):  # type: ignore[no-untyped-def]
    """One byte per pixel, backwards in groups of eight."""
    if backwards:
        for x in range(0, line.size, 8):
            for k in range(8):
                line[line.size - 8 - x + k] = source[x + k]
    else:
        for x in range(0, line.size, 8):
            for k in range(8):
                line[x + k] = source[x + 7 - k]


@njit(cache=True, nogil=True)
def _row_12_bits(source, backwards, line):  # type: ignore[no-untyped-def]
    """Two bytes per pixel, the high one first, backwards in groups of four."""
    if backwards:
        for x in range(0, line.size, 4):
            for k in range(4):
                line[line.size - 4 - x + k] = _pair(source, 2 * (x + k))
    else:
        for x in range(0, line.size, 4):
            for k in range(4):
                line[x + k] = _pair(source, 2 * (x + 3 - k))


@njit(cache=True, nogil=True)
def _row_24_bits(high, low, backwards, line):  # type: ignore[no-untyped-def]
    """The high 12 bits of each pixel in one image, the low ones in the next."""
    if backwards:
        for x in range(0, line.size, 4):
            for k in range(4):
                byte = 2 * (x + k)
                value = np.uint32(_pair(high, byte)) << np.uint32(12)
                line[line.size - 4 - x + k] = value | np.uint32(_pair(low, byte))
    else:
        for x in range(0, line.size, 4):
            for k in range(4):
                byte = 2 * (x + 3 - k)
                value = np.uint32(_pair(high, byte)) << np.uint32(12)
                line[x + k] = value | np.uint32(_pair(low, byte))


@njit(cache=True, nogil=True, inline="always")
def _pair(source, byte):  # type: ignore[no-untyped-def]
    return np.uint16(source[byte]) << np.uint16(8) | np.uint16(source[byte + 1])
