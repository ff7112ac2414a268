"""How far the making of a training set has come, as an observer hears it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from crewe.workflows.observer import Observer

if TYPE_CHECKING:
    from crewe.training_sets.folder import SetDescription

STAGE = "samples"
SECONDS_BETWEEN_MESSAGES = 10.0


class SampleProgress:
    """Tells how many samples there are, how fast they come and how long it will take."""

    def __init__(self, observer: Observer, description: SetDescription, missing: list[int]) -> None:
        self.observer = observer
        self._count = description.count
        spans = [description.span(block) for block in missing]
        self._there = description.count - sum(stop - start for start, stop in spans)
        self._new = 0
        self._began = self._told = time.monotonic()
        observer.stage_started(STAGE)
        if self._there:
            observer.message(f"{self._there} of {self._count} samples are there already")

    def made(self, start: int, stop: int) -> None:
        """Count the samples of a block."""
        self._new += stop - start
        self.observer.advanced(STAGE, (self._there + self._new) / self._count)
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_MESSAGES:
            self._told = now
            self.observer.message(self.so_far(now - self._began))

    def so_far(self, seconds: float) -> str:
        """Return number, speed and time left in one line."""
        rate = self._new / seconds
        left = (self._count - self._there - self._new) / rate
        return (
            f"{self._there + self._new} of {self._count} samples, {rate:.3g} per second, "
            f"{readable_time(left)} left"
        )


def readable_time(seconds: float) -> str:
    """Write a duration in the units that people use."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
