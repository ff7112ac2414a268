"""Looking at the first batches of a stream before they are used, without losing them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Self

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError
from crewe.sources import Batch, Events, Source
from crewe.stem4d.calibration import BrightField, bright_field
from crewe.stem4d.mean_pattern import MeanPattern

ENOUGH_PATTERNS, ENOUGH_EVENTS = 256, 50_000
PATIENCE_S = 2.0
"""Of a slow detector one takes what came so far."""
MOST_BYTES = 256 * 2**20
"""Of patterns that wait until the disk is found; then one does without."""


class Followed:
    """A source whose first batches were taken already: they come first, then all others."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.scan, self.known = source.scan, source.known
        self.detector_shape, self.counters = source.detector_shape, source.counters
        self._rest = iter(source.batches())
        self._first: list[Batch] = []

    def look(self) -> Iterator[Batch]:
        """Yield further batches, which are kept."""
        for batch in self._rest:
            self._first.append(batch)
            yield batch

    def batches(self) -> Iterator[Batch]:
        """Yield all batches in the order of their arrival."""
        first, self._first = self._first, []
        yield from chain(_taken(first), self._rest)

    def close(self) -> None:
        """Close the source."""
        self.source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _taken(batches: list[Batch]) -> Iterator[Batch]:
    # Let go of each as it is used.
    batches.reverse()
    while batches:
        yield batches.pop()


@dataclass
class FirstLook:
    """What the first batches show."""

    pattern: NDArray[np.float64]
    disk: BrightField | None
    problem: str = ""
    any_came: bool = True


def look_for_disk(followed: Followed) -> FirstLook:
    """Find the bright-field disk in the first batches.

    More of them are taken while none is found, until the stream ends or MOST_BYTES wait.
    """
    mean = MeanPattern(followed.detector_shape, at_most=64)
    found = FirstLook(mean.pattern, None, "no pattern came", any_came=False)
    wanted, waiting, next_look = 0, 0, time.monotonic() + PATIENCE_S
    for batch in followed.look():
        mean.add(mean.measure(batch))
        waiting += _bytes(batch)
        wanted = wanted or (ENOUGH_EVENTS if isinstance(batch, Events) else ENOUGH_PATTERNS)
        if mean.number >= wanted or time.monotonic() > next_look:
            found = _seen(mean)
            wanted, next_look = 2 * mean.number, time.monotonic() + PATIENCE_S
        if found.disk is not None or waiting > MOST_BYTES:
            break
    # The stream may have been shorter than what is usually wanted.
    return found if found.disk is not None or mean.number == 0 else _seen(mean)


def _seen(mean: MeanPattern) -> FirstLook:
    try:
        return FirstLook(mean.pattern, bright_field(mean.pattern))
    except ImageError as error:
        return FirstLook(mean.pattern, None, str(error))


def _bytes(batch: Batch) -> int:
    if isinstance(batch, Events):
        return batch.positions.nbytes + batch.pixels.nbytes
    return int(batch.patterns.nbytes)
