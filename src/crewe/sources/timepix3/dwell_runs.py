"""Electrons that the dwell time places, in one run of the detector's clock or in several."""

from __future__ import annotations

from collections.abc import Iterator

from crewe.sources.counters import Counters
from crewe.sources.protocol import Events
from crewe.sources.scan import Scan
from crewe.sources.timepix3.dwell_clock import DwellClock
from crewe.sources.timepix3.gate import Gate
from crewe.sources.timepix3.store import EventStore
from crewe.sources.timepix3.time_order import TimeOrder


class DwellRuns:
    """Hands out the electrons of a store as a Gate does; each run of the clock begins a scan.

    Frame 0 of a run is at time zero, or, not `from_zero`, at its first electron. Only then
    electrons may be out of order by the whole `disorder` (ticks) at the beginning of a run: from
    zero on, half a scan back to the beginning is a new run. Electrons set back further than the
    disorder are late.
    """

    def __init__(
        self,
        scan: Scan,
        detector_shape: tuple[int, int],
        counters: Counters,
        disorder: int,
        *,
        from_zero: bool,
        acceptance_us: float | None = None,
        scans: int | None = None,
        first_scan: int = 0,
        whole_before: int = 0,
    ) -> None:
        self._scan, self._shape, self._counters = scan, detector_shape, counters
        self._disorder, self._from_zero = disorder, from_zero
        self._acceptance_us, self._scans = acceptance_us, scans
        self._begin(first_scan, whole_before)
        per_scan = self._clock.lines()[0].per_scan // self._clock.scale
        restart = min(disorder, per_scan // 2) if from_zero else disorder
        self._order = TimeOrder(counters, disorder, restart)

    @property
    def next_scan(self) -> int:
        """Return the number of the first scan of which nothing was handed out."""
        return self._gate.next_scan

    @property
    def whole_scans(self) -> int:
        """Return how many scans came to their end, with those of connections before."""
        return self._gate.whole_scans

    @property
    def complete(self) -> bool:
        """Return whether as many scans as were asked for came to their end."""
        return self._gate.complete

    def events(
        self, store: EventStore, *, quiet: bool = False, ended: bool = False
    ) -> Iterator[Events]:
        """Yield what can be handed out; `quiet` tells that the stream rests, `ended` its end."""
        self._start(store)
        while self._order.started_again(store, ended):
            yield from self._gate.events(store, ended=True)
            self._order.next_run(store)
            if self.complete:
                break
            self._begin(self.next_scan, self.whole_scans)
            self._start(store)
        yield from self._gate.events(store, quiet=quiet, ended=ended)
        self._order.watched(store)
        if self.complete:
            self._counters.flyback += self._order.leave()

    def _begin(self, first_scan: int, whole_before: int) -> None:
        self._clock = DwellClock(self._scan, self._counters, self._disorder)
        self._gate = Gate(
            self._clock,
            self._scan,
            self._shape,
            self._counters,
            acceptance_us=self._acceptance_us,
            scans=self._scans,
            first_scan=first_scan,
            whole_before=whole_before,
        )
        self._started = False

    def _start(self, store: EventStore) -> None:
        """Begin a run with its first electrons."""
        if self._started or not store.count:
            return
        start = 0 if self._from_zero else int(store.times[0])
        self._clock.start_at(start)
        self._order.start_at(start)
        self._started = True
