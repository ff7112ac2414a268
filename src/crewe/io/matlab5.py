"""Numeric matrices and structs of MATLAB's level 5 files, every length checked.

SciPy's reader crashes the interpreter on a damaged type code, which no exception can catch.
Format: MathWorks, "MAT-File Format", level 5.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from crewe.errors import ReadError
from crewe.io.guard import DEFLATE_RATIO

if TYPE_CHECKING:
    import numpy as np

HEADER_BYTES = 128
_COMPRESSED, _MATRIX = 15, 14
_TYPES = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_CLASSES = {
    6: "f8",
    7: "f4",
    8: "i1",
    9: "u1",
    10: "i2",
    11: "u2",
    12: "i4",
    13: "u4",
    14: "i8",
    15: "u8",
}
_STRUCT, _COMPLEX_FLAG, _LOGICAL_FLAG = 2, 0x08, 0x02
DEEPEST = 8


def read_variables(content: bytes) -> dict[str, Any]:
    """Read a whole file: numeric matrices as arrays, 1×1 structs as dicts, the rest left out."""
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        raise ReadError("the byte-order mark is damaged")
    variables = {}
    for kind, payload in _elements(content[HEADER_BYTES:], order):
        if kind == _COMPRESSED:
            kind, payload = next(_elements(_inflate(payload), order))
        if kind == _MATRIX:
            name, value = _matrix(payload, order, 0)
            if value is not None:
                variables[name] = value
    return variables


def _inflate(payload: bytes) -> bytes:
    """Decompress one element, no further than deflate can have shrunk it."""
    inflater = zlib.decompressobj()
    content = inflater.decompress(payload, len(payload) * DEFLATE_RATIO + 1024)
    if not inflater.eof:
        raise ReadError("a compressed variable is cut short")
    return content


def _elements(content: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Split a byte string into data elements of (type, payload)."""
    position = 0
    while position + 8 <= len(content):
        kind, length = struct.unpack_from(order + "II", content, position)
        start = position + 8
        if kind >> 16:
            # Up to four bytes are packed into the tag itself.
            kind, length, start = kind & 0xFFFF, kind >> 16, position + 4
            step = 8
        else:
            # Only compressed elements are not padded to eight bytes.
            step = 8 + (length if kind == _COMPRESSED else length + -length % 8)
        if start + length > len(content) or (start == position + 4 and length > 4):
            raise ReadError(f"an element claims {length:,} bytes but the file ends before")
        yield kind, content[start : start + length]
        position += step


def _matrix(payload: bytes, order: str, depth: int) -> tuple[str, Any]:
    """Decode one matrix element; the value is None where it is neither numbers nor a struct."""
    if not payload or depth > DEEPEST:
        return "", None
    parts = list(_elements(payload, order))
    if len(parts) < 3 or len(parts[0][1]) < 8:
        raise ReadError("a matrix without flags, size and name")
    (word,) = struct.unpack_from(order + "I", parts[0][1])
    shape = tuple(int(size) for size in _numbers(*parts[1], order))
    name = parts[2][1].decode("ascii", "replace")
    family, flags = word & 0xFF, word >> 8 & 0xFF
    if family == _STRUCT:
        return name, _struct(parts[3:], order, shape, depth)
    if family not in _CLASSES or len(parts) < 4:
        return name, None
    values = _numbers(*parts[3], order)
    if flags & _COMPLEX_FLAG and len(parts) > 4:
        return name, _shaped(values + 1j * _numbers(*parts[4], order), shape)
    kind = "bool" if flags & _LOGICAL_FLAG else _CLASSES[family]
    return name, _shaped(values.astype(kind), shape)


def _numbers(kind: int, payload: bytes, order: str) -> np.ndarray:
    """Decode numbers, which may be stored narrower than their matrix says."""
    import numpy as np

    if kind not in _TYPES:
        raise ReadError(f"unknown number type {kind}")
    return np.frombuffer(payload, dtype=order + _TYPES[kind])


def _shaped(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Lay out column by column, as MATLAB stores."""
    if any(size < 0 for size in shape) or math.prod(shape) != values.size:
        raise ReadError(f"a matrix of shape {shape} holds {values.size} numbers")
    return values.reshape(shape, order="F")


def _struct(
    parts: list[tuple[int, bytes]], order: str, shape: tuple[int, ...], depth: int
) -> dict[str, Any] | None:
    """Decode a single struct; struct arrays are left out."""
    if math.prod(shape) != 1 or len(parts) < 2:
        return None
    width = int(_numbers(*parts[0], order)[0])
    joined = parts[1][1]
    if width <= 0 or len(joined) % width:
        raise ReadError("the field names of a struct are damaged")
    names = [joined[i : i + width].split(b"\0")[0] for i in range(0, len(joined), width)]
    fields = {}
    for name, (kind, payload) in zip(names, parts[2:], strict=False):
        value = _matrix(payload, order, depth + 1)[1] if kind == _MATRIX else None
        if value is not None:
            fields[name.decode("ascii", "replace")] = value
    return fields
