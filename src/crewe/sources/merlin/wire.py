"""How Merlin frames its messages: "MPX,", ten digits, a comma, and a payload.

The ten digits count the comma too, so that the payload has one byte less. Source: the Merlin
"MPX" protocol as spoken by the instrument (manual of Quantum Detectors).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

PREFIX_BYTES = 15
FRAME_MAGIC = b"MQ1,"
ANNOUNCEMENT_MAGIC = b"HDR,"
MAGIC_BYTES = 4
NUMBER_DIGITS = 15
"""A frame number with more digits is none."""

PREFIX = re.compile(rb"MPX,(\d{10}),")
START = re.compile(rb"MPX,\d{10},(?:MQ1,|HDR,)")
START_BYTES = PREFIX_BYTES + MAGIC_BYTES


def message(payload: bytes) -> bytes:
    """Return the payload as one message."""
    return b"MPX,%010d,%b" % (len(payload) + 1, payload)


def payload_length(block: NDArray[np.uint8], at: int, stop: int) -> int | None:
    """Return the bytes of the payload of the message that begins at `at`, or None.

    None stands for what is no prefix, be it cut short by `stop` or something else.
    """
    found = PREFIX.match(block.data[:stop], at)
    return int(found[1]) - 1 if found and int(found[1]) > 0 else None


def may_become_prefix(block: NDArray[np.uint8], at: int, stop: int) -> bool:
    """Tell whether a message begins at `at`, as far as it has come; no bytes may become one."""
    head = block[at : min(stop, at + PREFIX_BYTES)].tobytes()
    whole = head + b"MPX,0000000001,"[len(head) :]
    return PREFIX.fullmatch(whole) is not None


def next_message(block: NDArray[np.uint8], at: int, stop: int) -> int:
    """Return where the next prefix begins at or after `at`.

    Without one it is the end, less the bytes that may turn out to be the beginning of one.
    """
    found = PREFIX.search(block.data[:stop], at)
    if found:
        return found.start()
    for start in range(max(at, stop - PREFIX_BYTES + 1), stop):
        if may_become_prefix(block, start, stop):
            return start
    return stop


def message_inside(block: NDArray[np.uint8], start: int, stop: int) -> int | None:
    """Return where a frame or an announcement begins between `start` and `stop`, or None."""
    found = START.search(block.data[:stop], start)
    return found.start() if found else None


@njit(cache=True, nogil=True)
def _number(block: NDArray[np.uint8], at: int, stop: int) -> tuple[int, int]:
    """Return the number written at `at` and where its comma is; (-1, at) where there is none."""
    number, end = 0, at
    while end < stop and end - at <= NUMBER_DIGITS:
        digit = block[end]
        if digit == 44 and end > at:
            return number, end
        if digit < 48 or digit > 57:
            break
        number = number * 10 + (digit - 48)
        end += 1
    return -1, at


@njit(cache=True, nogil=True)
def walk(
    block: NDArray[np.uint8],
    start: int,
    stop: int,
    prefix: NDArray[np.uint8],
    signature: NDArray[np.uint8],
    message_bytes: int,
    numbers: NDArray[np.int64],
) -> tuple[int, bool]:
    """Return how many equal frame messages follow each other from `start`, and if more may come.

    `prefix` is that of each ("MPX,…,MQ1,"), `signature` what follows its number (comma, sizes,
    pixel type, layout). Writes the frame numbers into `numbers`, which limits their count. The
    flag is false where something else than a further message of this kind comes next.
    """
    count, at = 0, start
    while count < numbers.size:
        for i in range(min(prefix.size, stop - at)):
            if block[at + i] != prefix[i]:
                return count, False
        if at + message_bytes > stop:
            return count, True
        number, comma = _number(block, at + prefix.size, at + message_bytes - signature.size)
        if number < 0:
            return count, False
        for i in range(signature.size):
            if block[comma + i] != signature[i]:
                return count, False
        numbers[count] = number
        count += 1
        at += message_bytes
    return count, True


def payloads(
    block: NDArray[np.uint8], start: int, count: int, message_bytes: int, skipped: int
) -> NDArray[Any]:
    """Return a view (message, byte) of equal messages, less the first `skipped` bytes of each."""
    run = block[start : start + count * message_bytes]
    return run.reshape(count, message_bytes)[:, skipped:]
