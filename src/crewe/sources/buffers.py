"""Memory that batches are read into, used again when nobody holds a batch any more."""

from __future__ import annotations

import weakref
from collections import deque

import numpy as np
from numpy.typing import NDArray

MOST_KEPT = 32


class Buffers:
    """Lends bytes and takes them back by itself; any thread may borrow.

    Fresh memory costs as much as the reading, since the system clears it page by page.
    """

    def __init__(self) -> None:
        self._free: deque[memoryview] = deque(maxlen=MOST_KEPT)

    def lend(self, size: int) -> NDArray[np.uint8]:
        """Return `size` bytes, the borrower's until it lets go of them and of all views."""
        try:
            buffer = self._free.pop()
        except IndexError:
            buffer = memoryview(b"")
        if len(buffer) < size:
            buffer = np.empty(size, np.uint8).data
        # NumPy makes a view refer to the array nearest to a base that is none: it outlives all.
        lent = np.frombuffer(buffer, np.uint8, size) if size else np.empty(0, np.uint8)
        weakref.finalize(lent, self._free.append, buffer).atexit = False
        return lent
