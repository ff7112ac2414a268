"""What a thread that receives tells the one that reads: blocks of bytes, and what happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CreweError

HEADROOM_BYTES = 5 * 2**18
"""Room before each block for the incomplete message that the block before left over."""


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes as they came, from `start` to `stop`; to be given back when read."""

    content: NDArray[np.uint8]
    start: int
    stop: int

    def after(self, rest: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int, int]:
        """Return the bytes with `rest` in front of them, and where both begin and end."""
        start = self.start - rest.size
        if start < 0:
            content = np.concatenate([rest, self.content[self.start : self.stop]])
            return content, 0, content.size
        self.content[start : self.start] = rest
        return self.content, start, self.stop


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection ended; another, if there can be one, will be tried after `go_on`."""

    problem: str


@dataclass(frozen=True, slots=True)
class Connected:
    """What follows comes over another connection."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """Nothing has come for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing follows: patience is over, or it was closed (no problem).

    `error` is what `keep` raised.
    """

    problem: str = ""
    error: CreweError | None = None


Arrival = Block | Broken | Connected | Stalled | Ended
