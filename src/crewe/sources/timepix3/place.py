"""The compiled loop that turns times into probe positions, whatever the lines of a scan are.

A line is an interval of time of `columns` equal parts. Either lines are known one by one (from TDC
edges), or they follow each other evenly (from the dwell time).
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

ON_LINE, FLYBACK, LATE, KEEP = range(4)
BEFORE_ALL, AFTER_ALL = -(1 << 62), 1 << 62
BLOCK = 64
EXACT = float(1 << 50)
"""Below it, columns × duration of a line lets a float64 product find the column exactly."""


class Lines(NamedTuple):
    """Lines of scans in time, of one of two kinds.

    Known one by one: begin, end and number (row + rows × scan), in the order of time. `forgotten`
    says that lines before them were known once; what is not before `open_from` may belong to a
    line of which the end is not known yet.

    Even, without end, when `per_line` is not 0: the first begins at `origin`, each lasts
    `duration`, one follows the other after `per_line` and one scan the other after `per_scan`.
    """

    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    number: NDArray[np.int64]
    forgotten: bool
    open_from: int
    origin: int
    duration: int
    per_line: int
    per_scan: int


class Scanned(NamedTuple):
    """The scan being handed out, its shape, and how much of each dwell time is accepted.

    Electrons later than `accepted` after the start of their probe position are left out, with a
    negative one none. Times are multiplied by `scale` first. What lies outside the lines of this
    scan and not before `confirms_from` confirms that it is over.
    """

    scan: int
    rows: int
    columns: int
    accepted: int
    scale: int
    confirms_from: int


@njit(cache=True)
def _listed_line(time: int, lines: Lines, scanned: Scanned) -> tuple[int, int, int, int]:
    """Return the interval around a time: begin, end, what it is, and its first position."""
    if time >= lines.open_from:
        return lines.open_from, AFTER_ALL, KEEP, 0
    k = np.searchsorted(lines.begin, time, side="right") - 1
    after = lines.begin[k + 1] if k + 1 < len(lines.begin) else lines.open_from
    if k < 0:
        return BEFORE_ALL, after, LATE if lines.forgotten else FLYBACK, 0
    if time >= lines.end[k]:
        return lines.end[k], after, FLYBACK, 0
    scan, row = divmod(lines.number[k], scanned.rows)
    kind = ON_LINE if scan == scanned.scan else (LATE if scan < scanned.scan else KEEP)
    return lines.begin[k], lines.end[k], kind, row * scanned.columns


@njit(cache=True)
def _even_line(time: int, lines: Lines, scanned: Scanned) -> tuple[int, int, int, int]:
    """Return the interval around a time: begin, end, what it is, and its first position."""
    if time < lines.origin:
        return BEFORE_ALL, lines.origin, FLYBACK, 0
    scan, within = divmod(time - lines.origin, lines.per_scan)
    begin = time - within
    row = within // lines.per_line
    if row >= scanned.rows:
        return begin + scanned.rows * lines.per_line, begin + lines.per_scan, FLYBACK, 0
    begin += row * lines.per_line
    if time >= begin + lines.duration:
        return begin + lines.duration, begin + lines.per_line, FLYBACK, 0
    kind = ON_LINE if scan == scanned.scan else (LATE if scan < scanned.scan else KEEP)
    return begin, begin + lines.duration, kind, row * scanned.columns


@njit(cache=True)
def _all_on_line(
    times: NDArray[np.int64],
    first: int,
    scale: int,
    begin: int,
    end: int,
    per_tick: float,
    half: float,
    base: int,
    positions: NDArray[np.int64],
    placed: int,
) -> bool:
    """Place a block of electrons as of one line; return whether all were."""
    source, target = np.uint64(first), np.uint64(placed)
    outside = 0
    for k in range(np.uint64(BLOCK)):
        time = times[source + k] * scale
        positions[target + k] = base + np.int64((time - begin) * per_tick + half)
        outside += (time < begin) | (time >= end)
    return outside == 0


@njit(cache=True)
def _line_around(time: int, lines: Lines, scanned: Scanned) -> tuple[int, int, int, int]:
    if lines.per_line > 0:
        return _even_line(time, lines, scanned)
    return _listed_line(time, lines, scanned)


@njit(cache=True, nogil=True)
def place(
    times: NDArray[np.int64],
    pixels: NDArray[np.uint32],
    first: int,
    count: int,
    lines: Lines,
    scanned: Scanned,
    positions: NDArray[np.int64],
    placed_pixels: NDArray[np.uint32],
    tally: NDArray[np.int64],
    confirming: int,
    enough: int,
) -> tuple[int, int, int, int]:
    """Give electrons `first` to `count` that belong to one scan their positions.

    Writes positions and pixels of those that are placed; those that wait are moved down to `first`
    and on in `times` and `pixels`. `tally` counts what became of all others. Ends when `enough`
    electrons in a row, `confirming` of them earlier, were not before `confirms_from`. Returns how
    many were placed, up to where electrons wait, how many confirm, and where it ended.
    """
    kept, placed = first, 0
    begin, end, kind, base = AFTER_ALL, AFTER_ALL, KEEP, 0
    duration, per_tick, half = 1, 0.0, 0.0
    columns, accepted, too_late = scanned.columns, scanned.accepted, 0
    limit = accepted * columns if accepted >= 0 else AFTER_ALL
    i = first
    while i < count:
        whole = kind == ON_LINE and per_tick > 0 and accepted < 0 and i + BLOCK <= count
        # Half a tick's share keeps whole columns clear of rounding.
        if whole and _all_on_line(
            times, i, scanned.scale, begin, end, per_tick, half, base, positions, placed
        ):
            placed_pixels[placed : placed + BLOCK] = pixels[i : i + BLOCK]
            i, placed, confirming = i + BLOCK, placed + BLOCK, 0
            continue
        stop = min(i + BLOCK, count)
        while i < stop:
            time = times[i] * scanned.scale
            if time < begin or time >= end:
                begin, end, kind, base = _line_around(time, lines, scanned)
                duration = end - begin
                exact = float(duration) * columns < EXACT
                per_tick = columns / duration if exact else 0.0
                half = 0.5 / duration
            if kind == ON_LINE:
                confirming = 0
                since = time - begin
                if per_tick > 0:
                    column = np.int64(since * per_tick + half)
                else:
                    column = since * columns // duration
                positions[placed] = base + column
                placed_pixels[placed] = pixels[i]
                # Without a branch: which electron is early enough cannot be foreseen.
                early = since * columns - column * duration < limit
                placed += early
                too_late += not early
            else:
                confirming += time >= scanned.confirms_from
                if confirming >= enough:
                    stop = count = i + 1
                if kind == KEEP:
                    times[kept], pixels[kept] = times[i], pixels[i]
                    kept += 1
                else:
                    tally[kind] += 1
            i += 1
    tally[ON_LINE] += placed
    tally[FLYBACK] += too_late
    return placed, kept, confirming, i
