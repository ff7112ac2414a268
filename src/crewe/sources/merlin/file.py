"""A Merlin .mib file, with its .hdr text if that lies beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from crewe.errors import ClosedError, PlanError, ReadError
from crewe.sources.closing import Closing
from crewe.sources.counters import Counters
from crewe.sources.frame_count import check_frame_count
from crewe.sources.merlin.header import Acquisition, parse_hdr
from crewe.sources.merlin.placed_frames import PlacedFrames, Tally
from crewe.sources.merlin.scan_shape import (
    HEADERS_AT_MOST,
    scan_from_pauses,
    scan_from_triggers,
    times_ns,
)
from crewe.sources.merlin.stored_frames import StoredFrames
from crewe.sources.protocol import Frames, Known
from crewe.sources.scan import Scan

PART_BYTES = 6 * 2**20
"""Read at once: enough that threads seldom wait for each other, few enough for the caches."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring positions of one scan."""

    scan: int
    place: int
    """Place of the first position in the acquisition, whether its frame exists or not."""
    position: int
    positions: int


class MerlinFile(Closing):
    """A DividedSource of the frames of a .mib file, raw or processed.

    Positions follow the frame numbers in the headers, so that frames that are lost, twice or out of
    order shift nothing; only where numbers start again frames are taken as they come. Patterns
    are upright, as the detector's program displays them; the file holds their lowest row first.
    Without `scan` it is taken from the .hdr text or from the pauses between lines in the header
    times, and is one line of all frames where both are silent; `scan_from` says which. What does
    not fit is counted as a fault in `counters`: an incomplete last frame, an interrupted
    acquisition, frames that do not fill the scan. Raises ReadError for what is no Merlin file, and
    for parts that cannot be read.
    """

    def __init__(
        self, path: str | Path, scan: Scan | None = None, *, frames_per_part: int | None = None
    ) -> None:
        self.path = Path(path)
        self.known = Known()
        self.counters = Counters()
        self._lock = threading.Lock()
        self._stored = StoredFrames(self.path)
        self.header = self._stored.header
        self.detector_shape = self.header.shape
        try:
            self.acquisition = self._read_hdr()
            self._placed = self._place(scan)
            self.scan, self.scan_from = self._find_scan(scan)
        except BaseException:
            self.close()
            raise
        self._check_completeness()
        usual = round(PART_BYTES / self._stored.step)
        self._frames_per_part = max(1, frames_per_part or usual)

    def __len__(self) -> int:
        """Whole frames in the file."""
        return self._stored.count

    def frame(self, index: int) -> NDArray[Any]:
        """Return the pattern (ky, kx) of a frame, counted from 0 in the order of the file.

        Raises ReadError when there is none or its header is damaged.
        """
        if not 0 <= index < len(self):
            raise ReadError(f"{self.path.name}: no frame {index}: it holds 0…{len(self) - 1}")
        block = self._stored.read(index, index + 1)
        if len(block) < 1 or self._stored.numbers(block)[0] < 0:
            raise ReadError(f"{self.path.name}: frame {index} is damaged: it has no header")
        return self._stored.patterns(block)[0]

    def parts(self) -> Iterator[Callable[[], Frames]]:
        """Yield one function per batch that reads it; they promise nothing of the order."""
        with suppress(ClosedError):
            for run in self._runs():
                if self._stored.file.closed:
                    return
                yield partial(self._read_run, run)

    def batches(self) -> Iterator[Frames]:
        """Yield the patterns in the order of the file."""
        with suppress(ClosedError):
            for run in self._runs():
                yield self._read_run(run, run.position + run.positions)

    def close(self) -> None:
        """Let go of the file."""
        self._stored.file.close()

    def _read_hdr(self) -> Acquisition | None:
        """Read the .hdr text; a damaged one is a fault, no more."""
        path = self.path.with_suffix(".hdr")
        try:
            with path.open("rb") as file:
                return parse_hdr(file.read(2**16))
        except FileNotFoundError:
            return None
        except (OSError, ReadError) as error:
            self.counters.fault("unreadable .hdr file", str(error))
            return None

    def _planned(self) -> int:
        """Frames of the acquisition by its .hdr text, 0 where that does not say."""
        return (self.acquisition.frames if self.acquisition else None) or 0

    def _place(self, scan: Scan | None) -> PlacedFrames:
        planned = self._planned()
        if scan is not None:
            planned = max(planned, scan.sync_offset + scan.frames_per_scan)
        placed = PlacedFrames(self._stored, planned)
        if not placed.order.numbered:
            self.counters.fault("frame numbers start again", "frames are taken as they come")
        Tally(dropped=placed.missing).add_to(self.counters)
        return placed

    def _find_scan(self, scan: Scan | None) -> tuple[Scan, str]:
        if scan is not None:
            return scan, "given"
        if found := scan_from_triggers(self.acquisition, self._placed.order.stop):
            return found, "frames per trigger in the .hdr file"
        if self._placed.order.stop == len(self):
            times = times_ns(self._stored.first_times(HEADERS_AT_MOST))
            if found := scan_from_pauses(times, len(self)):
                return found, "pauses between lines in the header times"
        return Scan((1, self._placed.order.stop)), "nothing: all frames as one line"

    def _check_completeness(self) -> None:
        if rest := self._stored.rest:
            self.counters.fault("incomplete last frame", f"{rest:,} of {self._stored.step:,} bytes")
        planned = self._planned()
        if self._placed.order.stop < planned:
            self.counters.fault("interrupted acquisition", f"{len(self):,} of {planned:,} frames")
        try:
            check_frame_count(self._placed.order.stop, self.scan, self.path.name)
        except PlanError as error:
            self.counters.fault("frames do not fill the scan", str(error))

    def _runs(self) -> Iterator[_Run]:
        """Cut the scans into parts; frames that lie in none are counted and not read."""
        others = len(self)
        for scan, place, position, length in lines_of(self.scan, self._placed.order.stop):
            for offset in range(0, length, self._frames_per_part):
                positions = min(self._frames_per_part, length - offset)
                run = _Run(scan, place + offset, position + offset, positions)
                number = self._placed.number_among(run.place, run.place + positions)
                others -= number
                if number:
                    yield run
        with self._lock:
            self._placed.others(others).add_to(self.counters)

    def _read_run(self, run: _Run, finished: int = 0) -> Frames:
        stop = run.place + run.positions
        block, offsets, tally = self._placed.read(run.place, stop, self.scan)
        with self._lock:
            tally.add_to(self.counters)
        return Frames(run.position + offsets, self._stored.patterns(block), run.scan, finished)


def lines_of(scan: Scan, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (scan, place, position, length) of all runs of positions without flyback before `stop`.

    A run is a line, or a whole scan where no flyback parts its lines; places count frames from 0.
    """
    rows, length = (scan.shape[0], scan.shape[1]) if scan.flyback_per_line else (1, scan.size)
    for number in count():
        begin = scan.sync_offset + number * scan.frames_per_scan
        if begin >= stop:
            return
        for row in range(rows):
            place = begin + row * scan.frames_per_line
            skipped = max(0, -place)
            kept = min(length, stop - place) - skipped
            if kept > 0:
                yield number, place + skipped, row * length + skipped, kept
