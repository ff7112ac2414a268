"""A stream of CheeTah bytes, from a file or a socket, becomes batches of electrons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError
from crewe.sources.counters import Counters
from crewe.sources.protocol import Events
from crewe.sources.scan import Scan
from crewe.sources.timepix3.chunks import ChunkDecoder
from crewe.sources.timepix3.dwell_runs import DwellRuns
from crewe.sources.timepix3.gate import Gate
from crewe.sources.timepix3.line_clock import LineClock
from crewe.sources.timepix3.lines import NEVER, LineEnd, LineTracker, add_edges
from crewe.sources.timepix3.source import DISORDER_US, in_ticks
from crewe.sources.timepix3.store import EventStore
from crewe.sources.timepix3.words import FALLING, RISING, TICKS_PER_US


@dataclass(frozen=True)
class CheetahSettings:
    """How a CheeTah is wired and read.

    With `place_by` "lines" a rising edge of the TDC `channel` begins a line and a falling one ends
    it (`inverted`: the reverse); with `line_end` "dwell" a line lasts its columns times the dwell
    time of the scan, with "next" until the next begins. With `place_by` "dwell" the TDC is left
    alone and the probe is placed by the dwell time from the first electron on, and from the first
    after the clock started again; after more than 13 s that cannot be told from its roll-over,
    which comes every 26.8 s. Electrons later than `acceptance_us` after the start of their position
    are left out. Electrons of a scan are awaited `disorder_us` after its end. `scans` is the number
    of scans to take to their end, None all.
    """

    chips: Literal[1, 4] = 4
    place_by: Literal["lines", "dwell"] = "lines"
    channel: Literal[1, 2] = 1
    inverted: bool = False
    line_end: LineEnd = "edge"
    acceptance_us: float | None = None
    disorder_us: float = DISORDER_US
    scans: int | None = None

    def __post_init__(self) -> None:
        if self.chips not in (1, 4) or self.channel not in (1, 2):
            raise PlanError(
                f"a detector of {self.chips} chips, line signal on TDC {self.channel}: give 1 or 4 "
                "chips and channel 1 or 2"
            )
        if self.place_by not in ("lines", "dwell") or self.line_end not in (
            "edge",
            "dwell",
            "next",
        ):
            raise PlanError(
                f"place by {self.place_by!r} with line end {self.line_end!r}: give 'lines' or "
                "'dwell', and 'edge', 'dwell' or 'next'"
            )

    def begin_and_end_kinds(self) -> tuple[int, int]:
        """Return the kinds of TDC words that begin and end a line."""
        kinds = RISING[self.channel - 1], FALLING[self.channel - 1]
        return kinds[::-1] if self.inverted else kinds


class CheetahStream:
    """Decodes bytes and hands out electrons; `used` says up to where the last bytes were used."""

    def __init__(
        self,
        scan: Scan,
        settings: CheetahSettings,
        counters: Counters,
        first_scan: int = 0,
        whole_before: int = 0,
    ) -> None:
        self.decoder = ChunkDecoder(settings.chips, counters)
        self.used = 0
        self._store = EventStore()
        self._kinds = settings.begin_and_end_kinds()
        disorder = in_ticks("disorder", settings.disorder_us)
        shape = self.decoder.detector_shape
        more: dict[str, Any] = {
            "acceptance_us": settings.acceptance_us,
            "scans": settings.scans,
            "first_scan": first_scan,
            "whole_before": whole_before,
        }
        self._tracker: LineTracker | None = None
        self.gate: Gate | DwellRuns
        if settings.place_by == "dwell":
            self.gate = DwellRuns(scan, shape, counters, disorder, from_zero=False, **more)
        else:
            duration = _line_duration(scan, settings)
            self._tracker = LineTracker(scan.shape[0], counters, settings.line_end, duration)
            clock = LineClock(self._tracker, scan, disorder)
            self.gate = Gate(clock, scan, shape, counters, **more)

    @property
    def found_lines(self) -> bool:
        """Return whether the stream said where its lines are, if it had to."""
        return self._tracker is None or self._tracker.newest > NEVER

    def feed(self, data: NDArray[np.uint8], end: int) -> Iterator[Events]:
        """Decode the first `end` bytes and yield what can be handed out."""
        self.used = 0
        while True:
            before = self.used
            self.used, edges = self.decoder.decode(data, self.used, end, self._store)
            if self._tracker is not None and len(edges):
                add_edges(self._tracker, edges, *self._kinds)
            yield from self.gate.events(self._store)
            if self.used == before or end - self.used < 8 or self.gate.complete:
                return

    def rest(self) -> Iterator[Events]:
        """Yield a scan that has come to its end, when the stream rests."""
        return self.gate.events(self._store, quiet=True)

    def finish(self, bytes_left: int) -> Iterator[Events]:
        """Yield what is left when nothing more will come."""
        self.decoder.end_of_stream(bytes_left)
        return self.gate.events(self._store, ended=True)


def _line_duration(scan: Scan, settings: CheetahSettings) -> int | None:
    if settings.line_end != "dwell":
        return None
    if scan.dwell_time_us is None:
        raise PlanError("lines end by the dwell time, which is unknown: give it")
    return round(scan.shape[1] * scan.dwell_time_us * TICKS_PER_US)
