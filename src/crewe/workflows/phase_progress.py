"""How fast 4D data come in, in probe positions per second."""

from __future__ import annotations

import time

from crewe.sources import Batch, Events, Scan
from crewe.workflows.observer import Observer

SECONDS_BETWEEN = 0.2
SECONDS_FOR_A_RATE = 0.3
"""What is over sooner says nothing about speed."""


class PhaseProgress:
    """Tells an observer how far the scan has come, and how fast where it wants to `rate`.

    An observer may offer rate(khz, fraction), with probe positions per millisecond.
    """

    def __init__(self, observer: Observer, scan: Scan) -> None:
        self._observer, self._scan = observer, scan
        self._rate = getattr(observer, "rate", None)
        self._begun = self._told = time.perf_counter()
        self._before = 0
        self._scans = 1
        self.positions = 0
        self.events = 0

    def heard(self, batch: Batch) -> None:
        """Count a batch."""
        first = self.positions == 0
        if isinstance(batch, Events):
            self.events += len(batch.pixels)
            reached = batch.scan * self._scan.size + batch.finished
            self.positions = max(self.positions, reached)
        else:
            self.positions += len(batch.positions)
        self._scans = max(self._scans, batch.scan + 1)
        now = time.perf_counter()
        if first and self.positions < self._scan.size:
            # The first batch waits for compiled code to be loaded.
            self._begun, self._before = now, self.positions
        if now - self._told >= SECONDS_BETWEEN:
            self._told = now
            self._tell()

    @property
    def khz(self) -> float:
        """Probe positions per millisecond since the first batch."""
        return (self.positions - self._before) / max(time.perf_counter() - self._begun, 1e-9) / 1e3

    def in_words(self) -> str:
        """Return how much came, and how fast where it lasted long enough to tell."""
        events = f" with {self.events:,} events" if self.events else ""
        long = time.perf_counter() - self._begun >= SECONDS_FOR_A_RATE
        rate = f" at {self.khz:,.1f} kHz" if long else ""
        return f"{self.positions:,} probe positions{events}{rate}"

    def _tell(self) -> None:
        fraction = min(1.0, self.positions / (self._scan.size * self._scans))
        self._observer.advanced("reading", fraction)
        if self._rate is not None:
            self._rate(self.khz, fraction)
