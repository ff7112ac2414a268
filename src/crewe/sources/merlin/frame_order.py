"""What the numbers of the frames in a Merlin file say of their order and of missing ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.errors import ReadError
from crewe.sources.merlin.header import MAGIC, FrameHeader, parse_header

MOST_DIGITS = 18
LONGEST_OPENING = 200
LOSS_AT_MOST = 1000
"""A file may lack this many frames, or ten times as many as it holds; more is damage."""


def signature(content: bytes) -> NDArray[np.uint8]:
    """Return the bytes between the frame number and the chip mask, equal in all headers."""
    fields = content[:LONGEST_OPENING].split(b",")
    return np.frombuffer(b"," + b",".join(fields[2:8]) + b",", np.uint8)


@njit(cache=True, nogil=True)
def _numbers(frames, magic, same, numbers):  # type: ignore[no-untyped-def]
    """Write the number of each frame (frame, byte), −1 where its header is not as expected."""
    longest = magic.size + MOST_DIGITS
    for frame in range(len(frames)):
        numbers[frame] = -1
        good = frames.shape[1] >= longest + same.size
        value, at = 0, magic.size
        for i in range(magic.size):
            good = good and frames[frame, i] == magic[i]
        while good and at < longest and 48 <= frames[frame, at] <= 57:
            value = 10 * value + frames[frame, at] - 48
            at += 1
        good = good and at > magic.size
        for i in range(same.size):
            good = good and frames[frame, at + i] == same[i]
        if good:
            numbers[frame] = value


_MAGIC = np.frombuffer(MAGIC, np.uint8)


def read_numbers(
    frames: NDArray[np.uint8], header: FrameHeader, same: NDArray[np.uint8], name: str
) -> NDArray[np.int64]:
    """Return the number in the header of each frame (frame, byte); −1 where it is damaged.

    Raises ReadError when a header is sound but its frame has another form than `header`.
    """
    numbers = np.empty(len(frames), np.int64)
    _numbers(frames, _MAGIC, same, numbers)
    if numbers.min(initial=0) < 0:
        for place in np.flatnonzero(numbers < 0):
            numbers[place] = _number_of_odd(frames[place].tobytes(), header, name)
    return numbers


def _number_of_odd(content: bytes, header: FrameHeader, name: str) -> int:
    """Look again at a header that differs from the first one."""
    try:
        odd = parse_header(content)
    except ReadError:
        return -1
    if odd.form == header.form:
        return odd.number
    raise ReadError(
        f"{name}: frame {odd.number} has {odd.height} × {odd.width} pixels of {odd.pixel_type} "
        f"where the first has {header.height} × {header.width} of {header.pixel_type}: several "
        "acquisitions in one file; write each to a file of its own"
    )


@dataclass(frozen=True)
class FrameOrder:
    """How frame numbers follow the order of a file of `frames` frames.

    Places count from 0 where the acquisition began: the number in a header less `base`. Frame i of
    the file should lie at i + `before`; `lost` frames are missing behind the first, or so many too
    many where it is negative.
    """

    frames: int
    base: int
    before: int
    lost: int
    numbered: bool
    """False when numbers start again: then frames are taken as they come."""

    @property
    def stop(self) -> int:
        """Places that the file reaches over."""
        return self.frames + self.before + self.lost

    def among(self, place: int, stop: int) -> tuple[int, int]:
        """Return the first frame of the file from `place` on and the first from `stop` on."""
        first, last = (min(max(at - self.before, 0), self.frames) for at in (place, stop))
        return first, last

    def expected(self, first: int, number: int) -> NDArray[np.int64]:
        """Return the numbers that so many frames from the first on should have."""
        return np.arange(number) + (first + self.before + self.base)


def as_they_come(frames: int) -> FrameOrder:
    """Return the order of frames of which the numbers say nothing."""
    return FrameOrder(frames, 0, 0, 0, False)


def frame_order(first: int, last: tuple[int, int], frames: int, expected: int) -> FrameOrder:
    """Judge the numbers of a file from its first and from a (frame, number) near its end.

    A file that begins late is taken to lack its beginning where all its numbers are among the
    `expected` frames of the acquisition, and otherwise to be cut from a longer one.
    """
    index, number = last
    lost = number - first - index
    if lost > max(LOSS_AT_MOST, 10 * frames):
        return as_they_come(frames)
    base = 1 if first >= 1 and number <= expected else first
    return FrameOrder(frames, base, first - base, lost, True)
