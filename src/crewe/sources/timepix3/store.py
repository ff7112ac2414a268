"""Electrons that wait until it is known where the probe was when they came."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class EventStore:
    """Times (in ticks) and pixels of electrons, in the order in which they came."""

    def __init__(self, capacity: int = 1 << 16) -> None:
        self.times: NDArray[np.int64] = np.empty(capacity, np.int64)
        self.pixels: NDArray[np.uint32] = np.empty(capacity, np.uint32)
        self.begin = self.count = 0
        self.examined = 0
        """Those before it were looked at, and left, since the lines last changed."""

    @property
    def waiting(self) -> int:
        """Return how many electrons wait, from `begin` to `count`."""
        return self.count - self.begin

    def put(self, times: NDArray[np.int64], pixels: NDArray[np.uint32], at: int) -> None:
        """Put electrons in before place `at`."""
        number = len(times)
        if not number:
            return
        self.make_room(number)
        for array, new in ((self.times, times), (self.pixels, pixels)):
            array[at + number : self.count + number] = array[at : self.count].copy()
            array[at : at + number] = new
        self.count += number

    def keep(self, kept: int, seen: int) -> None:
        """Keep of those before `seen`, which were looked at, those before `kept`."""
        if seen == self.count:
            self.count = self.examined = kept
            return
        begin = seen - (kept - self.begin)
        for array in (self.times, self.pixels):
            array[begin:seen] = array[self.begin : kept].copy()
        self.begin, self.examined = begin, seen

    def settle(self) -> None:
        """Move what waits to the front: others put electrons in from `count` on."""
        self.forget_oldest(0)

    def clear(self) -> None:
        """Forget all."""
        self.begin = self.count = self.examined = 0

    def make_room(self, more: int) -> None:
        """Make the arrays long enough for so many further electrons."""
        needed = self.count + more
        if needed <= len(self.times):
            return
        capacity = max(needed, 2 * len(self.times))
        for name in ("times", "pixels"):
            old = getattr(self, name)
            new = np.empty(capacity, old.dtype)
            new[: self.count] = old[: self.count]
            setattr(self, name, new)

    def forget_oldest(self, number: int) -> None:
        """Drop the electrons that came first."""
        first = self.begin + number
        if first == 0:
            return
        left = self.count - first
        for array in (self.times, self.pixels):
            array[:left] = array[first : self.count].copy()
        self.begin, self.count = 0, left
        self.examined = max(0, self.examined - first)
