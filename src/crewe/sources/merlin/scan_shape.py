"""The scan of a Merlin file of which the user said nothing."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from crewe.sources.merlin.header import Acquisition
from crewe.sources.scan import Scan

HEADERS_AT_MOST = 2200
"""So many headers are looked at for the pauses between lines: two lines of 1024 and more."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?Z?")


def scan_from_triggers(acquisition: Acquisition | None, frames: int) -> Scan | None:
    """Return the scan of an acquisition with one trigger per line, None for any other."""
    if acquisition is None or not acquisition.frames_per_trigger:
        return None
    columns, planned = acquisition.frames_per_trigger, acquisition.frames or 0
    if columns < 2 or columns >= max(planned, frames):
        return None
    return Scan((-(-max(planned, frames) // columns), columns))


def scan_from_pauses(times: NDArray[np.int64], frames: int) -> Scan | None:
    """Return the scan whose lines begin after longer pauses between the frames' times, in ns.

    `times` are those of the first frames. None unless the pauses recur after every line, are told
    from the others beyond doubt, and the frames make whole lines.
    """
    steps = np.diff(times)
    if steps.size < 3 or steps.min() <= 0 or steps.min() == steps.max():
        return None
    long = steps > (steps.min() + steps.max()) / 2
    short = steps[~long]
    if steps[long].min() - short.max() < 3 * (short.max() - short.min()):
        return None
    columns = int(np.argmax(long)) + 1
    recur = np.array_equal(np.flatnonzero(long) + 1, np.arange(columns, times.size, columns))
    # One pause alone may be a hiccup, unless it parts two halves.
    certain = int(long.sum()) > 1 or frames == 2 * columns
    if columns < 2 or not recur or not certain or frames % columns:
        return None
    return Scan((frames // columns, columns))


def times_ns(texts: list[str]) -> NDArray[np.int64]:
    """Return header times in ns; an empty array when one of them is none."""
    if not all(map(_TIME.fullmatch, texts)):
        return np.empty(0, np.int64)
    try:
        return np.array([text.rstrip("Z") for text in texts], "datetime64[ns]").astype(np.int64)
    except ValueError:
        return np.empty(0, np.int64)
