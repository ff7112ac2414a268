"""Electrons that wait until it is known where the probe was when they came."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class EventStore:
    """Times (in ticks) and pixels of electrons, in the order in which they came."""

    def __init__(self, capacity: int = 1 << 16) -> None:
        self.times: NDArray[np.int64] = np.empty(capacity, np.int64)
        self.pixels: NDArray[np.uint32] = np.empty(capacity, np.uint32)
        self.count = 0
        self.examined = 0
        """So many of the first were looked at, and left, since the lines last changed."""

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
        left = self.count - number
        self.times[:left] = self.times[number : self.count].copy()
        self.pixels[:left] = self.pixels[number : self.count].copy()
        self.count = left
        self.examined = max(0, self.examined - number)
