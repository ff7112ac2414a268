"""The frames of a .mib file by their place in the acquisition, and what became of all others."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe.sources.counters import Counters
from crewe.sources.merlin.frame_index import (
    FrameIndex,
    frame_index,
    highest_number,
    start_again,
)
from crewe.sources.merlin.frame_order import FrameOrder, as_they_come, frame_order
from crewe.sources.merlin.stored_frames import StoredFrames
from crewe.sources.scan import NOWHERE, Scan


@dataclass
class Tally:
    """Frames of the file and what became of them; `damaged_frame` is one of the damaged."""

    received: int = 0
    used: int = 0
    flyback: int = 0
    late: int = 0
    damaged: int = 0
    dropped: int = 0
    cut: int = 0
    damaged_frame: int = -1

    def add_to(self, counters: Counters) -> None:
        """Add these numbers, and faults for those that should be 0."""
        counters.received += self.received
        counters.used += self.used
        counters.flyback += self.flyback
        counters.late += self.late
        counters.unreadable += self.damaged
        counters.dropped += self.dropped + self.cut
        if self.late:
            counters.fault("frames late or twice", times=self.late)
        if self.dropped:
            counters.fault("frames missing by their numbers", times=self.dropped)
        if self.cut:
            counters.fault("the file became shorter while it was read", times=self.cut)
        if self.damaged:
            detail = f"frame {self.damaged_frame}"
            counters.fault("frames with a damaged header", detail, self.damaged)


class PlacedFrames:
    """Reads frames by place, in any thread.

    As long as each frame has the number that its place in the file lets expect, no others are
    looked at. Where numbers are missing, twice or mixed up, all headers are read once.
    """

    def __init__(self, stored: StoredFrames, planned: int) -> None:
        self._stored = stored
        self._lock = threading.Lock()
        self._index: FrameIndex | None = None
        first, last = stored.first_number(), stored.last_number()
        self.order = frame_order(first, last, stored.count, planned)
        if self.order.numbered and self.order.lost:
            self._order_by_number(first, last[1])
        self._mixed_up = self._index is not None
        self.missing = self.order.before if self._index is None else self._index.missing

    def _order_by_number(self, first: int, last: int) -> None:
        numbers, order = self._stored.all_numbers(), self.order
        if start_again(numbers, first):
            self.order = as_they_come(order.frames)
            return
        stop = highest_number(numbers, max(first, last)) - order.base + 1
        lost = stop - order.before - order.frames
        self.order = FrameOrder(order.frames, order.base, order.before, lost, True)
        self._index = frame_index(numbers, order.base, stop)

    def number_among(self, place: int, stop: int) -> int:
        """Return how many frames lie at places from `place` on and before `stop`."""
        if self._index is not None and self._mixed_up:
            return len(self._index.among(place, stop)[0])
        first, last = self.order.among(place, stop)
        return last - first

    def others(self, number: int) -> Tally:
        """Say what became of the frames that lie on no probe position."""
        if self._index is None or not self._mixed_up:
            return Tally(number, flyback=number)
        late, damaged = int(self._index.late.sum()), int(self._index.damaged.sum())
        which = int(self._index.damaged.argmax())
        flyback = number - late - damaged
        return Tally(number, 0, flyback, late, damaged, damaged_frame=which)

    def read(
        self, place: int, stop: int, scan: Scan
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64], Tally]:
        """Return frames (frame, byte), headers included, and how far each is behind `place`."""
        if self._index is not None and self._mixed_up:
            return self._read_by_index(self._index, place, stop)
        first, last = self.order.among(place, stop)
        block = self._stored.read(first, last)
        numbers = self._stored.numbers(block)
        offsets = np.arange(first, first + len(block)) + (self.order.before - place)
        damaged = numbers < 0
        if self.order.numbered:
            strange = numbers != self.order.expected(first, len(block))
            if (strange & ~damaged).any():
                return self._read_mixed_up(place, stop, scan, len(block))
        tally = _tally(damaged, last - first, first)
        if tally.damaged:
            block, offsets = block[~damaged], offsets[~damaged]
        return block, offsets, tally

    def _read_by_index(
        self, index: FrameIndex, place: int, stop: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64], Tally]:
        frames, offsets = index.among(place, stop)
        block = self._stored.read_scattered(frames)
        offsets = offsets[: len(block)]
        changed = self._stored.numbers(block) != offsets + (place + self.order.base)
        tally = _tally(changed, len(frames), 0)
        if tally.damaged:
            tally.damaged_frame = int(frames[changed.argmax()])
            block, offsets = block[~changed], offsets[~changed]
        return block, offsets, tally

    def _read_mixed_up(
        self, place: int, stop: int, scan: Scan, came: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64], Tally]:
        """Read where a number is not the expected one: its place may be anywhere in the file.

        Each part counts the frames that the file holds there as received, and those that belong
        there, wherever they are, as used.
        """
        index, dropped = self._look_closer()
        first, last = self.order.among(place, stop)
        here = slice(first, first + came)
        # Parts before the first frame of the file were passed over: what belongs there is late.
        begin = max(place, self.order.before)
        block, offsets, tally = self._read_by_index(index, begin, stop)
        offsets = offsets + (begin - place)
        places = index.places[here]
        early = int(((places >= 0) & (places < self.order.before)).sum())
        strayed = int((scan.place(places)[1] == NOWHERE)[places >= self.order.before].sum())
        frames = index.among(begin, stop)[0][: tally.received]
        fetched = int((scan.place(frames + self.order.before)[1] == NOWHERE).sum())
        damaged = int(index.damaged[here].sum())
        if damaged:
            tally.damaged_frame = first + int(index.damaged[here].argmax())
        tally.received, tally.cut = came, last - first - came
        tally.flyback = strayed - fetched
        tally.late, tally.damaged = int(index.late[here].sum()) + early, tally.damaged + damaged
        tally.dropped = dropped
        return block, offsets, tally

    def _look_closer(self) -> tuple[FrameIndex, int]:
        """Return the index of all numbers, and how many are missing when they are looked at."""
        with self._lock:
            if self._index is not None:
                return self._index, 0
            numbers = self._stored.all_numbers()
            order = self.order
            self._index = frame_index(numbers, order.base, order.stop, order.before)
            return self._index, self._index.missing - self.missing


def _tally(damaged: NDArray[np.bool_], wanted: int, first: int) -> Tally:
    came, bad = len(damaged), int(damaged.sum())
    which = first + int(damaged.argmax()) if bad else -1
    return Tally(came, came - bad, damaged=bad, cut=wanted - came, damaged_frame=which)
