"""Shards of a zarr v3 array: the chunks of a block of samples in one file.

The layout is that of zarr's `sharding_indexed` codec with its index at the end
(https://zarr-specs.readthedocs.io, codecs/sharding-indexed): the chunks one after the other,
then for each chunk its offset and length as little-endian uint64, then the CRC-32C of
that index. Written here rather than through zarr, a shard needs the memory of its compressed
chunks only and its checksum comes with the writing; read here, one sample costs tens of
microseconds rather than milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from crewe.errors import ReadError

MISSING = 2**64 - 1
CASTAGNOLI = 0x82F63B78
CRC_BYTES = 4


def shard(chunks: Sequence[bytes], slots: int) -> bytes:
    """Return the file of a shard with room for `slots` chunks; the last ones may be missing."""
    index = np.full((slots, 2), MISSING, "<u8")
    lengths = [len(chunk) for chunk in chunks]
    index[: len(chunks), 0] = np.cumsum([0, *lengths[:-1]])
    index[: len(chunks), 1] = lengths
    entries = index.tobytes()
    return b"".join([*chunks, entries, crc32c(entries).to_bytes(CRC_BYTES, "little")])


def read_chunk(path: Path, slot: int, slots: int) -> bytes:
    """Return chunk `slot` of a shard file with `slots` places, reading nothing else.

    Raises ReadError when the file is missing, cut short or its index is damaged.
    """
    length = slots * 16 + CRC_BYTES
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - length))
            tail = stream.read(length)
            start, count = _place(path, tail, slot, slots)
            if start + count > size - length:
                raise _damaged(path)
            stream.seek(start)
            return stream.read(count)
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror}") from error


def _place(path: Path, tail: bytes, slot: int, slots: int) -> tuple[int, int]:
    entries, stored = tail[:-CRC_BYTES], tail[-CRC_BYTES:]
    if len(entries) != slots * 16 or crc32c(entries).to_bytes(CRC_BYTES, "little") != stored:
        raise _damaged(path)
    start, count = np.frombuffer(entries, "<u8")[2 * slot : 2 * slot + 2]
    if start == MISSING:
        raise ReadError(f"{path}: sample {slot} of this block was never written")
    return int(start), int(count)


def _damaged(path: Path) -> ReadError:
    return ReadError(f"{path} is damaged: 'crewe training-set check SET.zarr --mend' repairs it")


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of the bytes, as RFC 3720, appendix B.4, defines it."""
    table = _crc_table()
    value = 0xFFFFFFFF
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (CASTAGNOLI if value & 1 else 0)
        table.append(value)
    return tuple(table)
