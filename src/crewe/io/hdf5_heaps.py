"""Check the text heaps of an HDF5 file before the HDF5 library walks them.

The library loops for ever over a heap whose object sizes are damaged, and nothing in Python can
interrupt it. Layout: HDF5 File Format Specification 3.0, III.E "Global Heap".
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from crewe.errors import ReadError

SIGNATURE = b"GCOL\x01\x00\x00\x00"
SMALLEST_HEAP = 4096
HEADER_BYTES = 16
# Text is written before and after the pixels; scanning every byte of a large file takes long.
SCANNED_BYTES = 2**26


def check_heaps(path: Path) -> None:
    """Raise ReadError when a heap within the first or last 64 MiB does not add up."""
    with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as file:
        end = len(file)
        for start, stop in {(0, min(end, SCANNED_BYTES)), (max(0, end - SCANNED_BYTES), end)}:
            place = file.find(SIGNATURE, start, stop)
            while place >= 0:
                if not _adds_up(file, place):
                    raise ReadError(f"{path.name}: damaged, the text stored in it does not add up")
                place = file.find(SIGNATURE, place + 1, stop)


def _adds_up(file: mmap.mmap, place: int) -> bool:
    """Walk the objects of one heap: each has its own number and together they fill it."""
    if place + HEADER_BYTES > len(file):
        return False
    (size,) = struct.unpack_from("<Q", file, place + 8)
    if size < SMALLEST_HEAP or place + size > len(file):
        return False
    position, end = place + HEADER_BYTES, place + size
    seen = set()
    while end - position >= HEADER_BYTES:
        index, _, length = struct.unpack_from("<HH4xQ", file, position)
        if index == 0:
            return length == end - position
        if index in seen:
            return False
        seen.add(index)
        position += HEADER_BYTES + length + -length % 8
    return position <= end
