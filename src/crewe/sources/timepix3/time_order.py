"""Whether the times of electrons go on, step back, or start again."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.sources.counters import Counters
from crewe.sources.timepix3.gate import CONFIRMING
from crewe.sources.timepix3.store import EventStore

BLOCK = 64
NEWEST, START, AHEAD = range(3)


@njit(cache=True)
def _latest_of_block(times: NDArray[np.int64], first: int, low: int, high: int) -> int:
    """Return the latest time of a block, less than `low` when one is not within low…high.

    Without a branch, so that the compiler takes several at a time.
    """
    source, outside, latest = np.uint64(first), 0, low
    for k in range(np.uint64(BLOCK)):
        time = times[source + k]
        outside += (time < low) | (time > high)
        latest = max(latest, time)
    return latest if outside == 0 else low - 1


@njit(cache=True)
def _take_back(
    times: NDArray[np.int64],
    pixels: NDArray[np.uint32],
    kept: int,
    back_times: NDArray[np.int64],
    back_pixels: NDArray[np.uint32],
    earliest: int,
) -> int:
    """Keep those that were moved and are not too late; return up to where electrons are kept."""
    for k in range(len(back_times)):
        if back_times[k] >= earliest:
            times[kept], pixels[kept] = back_times[k], back_pixels[k]
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _go_on(
    times: NDArray[np.int64],
    pixels: NDArray[np.uint32],
    first: int,
    count: int,
    state: NDArray[np.int64],
    back_times: NDArray[np.int64],
    back_pixels: NDArray[np.uint32],
    disorder: int,
    restart: int,
    ended: bool,
) -> tuple[int, int, int, int]:
    """Leave out electrons that are too late and stop where the clock started again.

    Those that may be the first of a new run are moved to `back_times` and `back_pixels`; as many
    as these hold are one. Returns up to where electrons are left, how many were moved, where it
    stopped, and how many are late.
    """
    newest, start, ahead = state[NEWEST], state[START], state[AHEAD]
    kept, moved, late, i = first, 0, 0, first
    least = min(disorder, restart)
    while i < count and moved < len(back_times):
        if moved == 0 and i + BLOCK <= count:
            latest = _latest_of_block(times, i, newest - least, newest + disorder)
            if latest >= newest - least:
                if kept < i:
                    for k in range(BLOCK):
                        times[kept + k], pixels[kept + k] = times[i + k], pixels[i + k]
                newest, ahead = max(newest, latest), 0
                kept, i = kept + BLOCK, i + BLOCK
                continue
        time, pixel = times[i], pixels[i]
        i += 1
        behind = newest - time
        if behind > restart and 2 * (time - start) < newest - start:
            back_times[moved], back_pixels[moved] = time, pixel
            moved += 1
            continue
        if moved > 0:  # the clock goes on: those before were single ones
            before = kept
            kept = _take_back(
                times, pixels, kept, back_times[:moved], back_pixels, newest - disorder
            )
            late, moved = late + moved - (kept - before), 0
        if behind > disorder:
            late += 1
            continue
        # A damaged time far ahead must not make all others late; several in a row are a pause.
        ahead = ahead + 1 if -behind > disorder else 0
        if ahead == 0 or ahead >= len(back_times):
            newest, ahead = max(newest, time), 0
        times[kept], pixels[kept] = time, pixel
        kept += 1
    if ended and moved < len(back_times):
        before = kept
        kept = _take_back(times, pixels, kept, back_times[:moved], back_pixels, newest - disorder)
        late, moved = late + moved - (kept - before), 0
    state[NEWEST], state[AHEAD] = newest, ahead
    return kept, moved, i, late


class TimeOrder:
    """Watches the electrons of a store: drops and counts what is set back further than `disorder`.

    Electrons in a row that are set back by more than `restart`, and by more than half of the time
    since the `start` of the run, say that the clock started again.
    """

    def __init__(self, counters: Counters, disorder: int, restart: int) -> None:
        self._counters, self._disorder, self._restart = counters, disorder, restart
        self._state = np.zeros(3, np.int64)
        self._checked = self._moved = 0
        self._times, self._pixels = np.empty(CONFIRMING, np.int64), np.empty(CONFIRMING, np.uint32)

    def start_at(self, start: int) -> None:
        """Begin a run: all electrons of the store are of it and none was looked at."""
        self._state[:] = start, start, 0
        self._checked = 0

    def watched(self, store: EventStore) -> None:
        """Tell that others took electrons from the store: all that it holds were looked at."""
        self._checked = store.count

    def started_again(self, store: EventStore, ended: bool) -> bool:
        """Look at what came; return whether a new run began, which `next_run` takes over."""
        store.put(self._times[: self._moved], self._pixels[: self._moved], self._checked)
        kept, self._moved, seen, late = _go_on(
            store.times,
            store.pixels,
            self._checked,
            store.count,
            self._state,
            self._times,
            self._pixels,
            self._disorder,
            self._restart,
            ended,
        )
        if late:
            self._counters.late += late
            self._counters.fault("electrons set back in time", times=late)
        if self._moved < CONFIRMING:
            store.count = self._checked = kept
            return False
        self._rest = store.times[seen : store.count].copy(), store.pixels[seen : store.count].copy()
        store.count = kept
        self._counters.fault("the clock of the electrons started again", "a new scan begins")
        return True

    def next_run(self, store: EventStore) -> None:
        """Put the electrons of a new run into a store, which is empty."""
        for times, pixels in ((self._times, self._pixels), self._rest):
            store.put(times, pixels, store.count)
        self._moved = self._checked = 0

    def leave(self) -> int:
        """Forget those of which it is not known yet whether they begin a run; return how many."""
        left, self._moved = self._moved, 0
        return left
