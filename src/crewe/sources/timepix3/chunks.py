"""Chunks of CheeTah words: read what can be read, find the next header after what cannot.

Sizes in headers are not trusted: a header inside a chunk opens the next one, and where a header
should stand and does not, bytes are skipped until one does.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.sources.counters import Counters
from crewe.sources.timepix3.decode import EARLY_HEADER, LOST, REMAINING, decode_words
from crewe.sources.timepix3.store import EventStore
from crewe.sources.timepix3.words import INTEGRATED, PIXEL, SKIPPED, TDC, is_header, placement

FIRST_WINDOW = 1 << 12
WHOLE = 1 << 40


@njit(cache=True, nogil=True)
def find_header(data: NDArray[np.uint8], begin: int, end: int, chips: int) -> int:
    """Return where the next plausible header starts, at any byte, or end − 7 if none does."""
    for at in range(begin, end - 7):
        if data[at] == 0x54 and data[at + 1] == 0x50:
            word = np.int64(0)
            for k in range(8):
                word |= np.int64(data[at + k]) << np.int64(8 * k)
            if is_header(word, chips):
                return at
    return max(begin, end - 7)


class ChunkDecoder:
    """Decodes a stream of CheeTah bytes, in pieces of any length, into electrons and TDC edges.

    `kinds` counts the words by their highest four bits.
    """

    def __init__(self, chips: int, counters: Counters, edges_at_once: int = 1 << 14) -> None:
        self._placement, self.detector_shape = placement(chips)
        self.counters = counters
        self.kinds = np.zeros(17, np.int64)
        self._state = np.zeros(7, np.int64)
        self._clocks = np.zeros((chips, 3), np.int64)
        self._edges = np.empty((edges_at_once, 4), np.int64)
        self._told = np.zeros(17, np.int64)
        self._searching = False
        self._window = WHOLE
        self._skipped = 0

    def decode(
        self, data: NDArray[np.uint8], begin: int, end: int, store: EventStore
    ) -> tuple[int, NDArray[np.int64]]:
        """Decode bytes until all, or as many TDC edges as fit, are read.

        Electrons go into the store. Returns the number of the first byte not used (up to seven at
        the end belong to a word that is not complete) and the edges (time, kind, chip, count).
        Call again from there until less than a word is left.
        """
        if self._searching:
            begin = self._search(data, begin, end)
        edges = self._edges[:0]
        while not self._searching and end - begin >= 8 and not len(edges):
            piece = data[begin : begin + min(end - begin, self._window) // 8 * 8]
            if piece.ctypes.data % 8:
                piece = piece.copy()
            store.make_room(len(piece) // 8)
            used, store.count, found, stopped = self._decode(piece.view(np.int64), store)
            begin, edges = begin + 8 * used, self._edges[:found]
            self._window = min(2 * self._window, WHOLE)
            if stopped == LOST:
                begin = self._lose(data, begin, end)
        self._tell()
        return begin, edges

    def _lose(self, data: NDArray[np.uint8], begin: int, end: int) -> int:
        self.counters.fault("a damaged chunk", "left out up to the next header")
        # Short pieces first, so that much damage does not mean much copying.
        self._searching, self._window = True, FIRST_WINDOW
        return self._search(data, begin, end)

    def _search(self, data: NDArray[np.uint8], begin: int, end: int) -> int:
        at = find_header(data, begin, end, len(self._placement))
        self._searching = at >= end - 7
        self._skipped += at - begin
        return at

    def end_of_stream(self, bytes_left: int) -> None:
        """Count what a stream that ended left of its last word and chunk."""
        if bytes_left:
            self.counters.fault("the data end within a word", f"{bytes_left} bytes are left over")
            self._skipped += bytes_left
        if self._state[REMAINING]:
            self.counters.fault("the data end within a chunk", f"{self._state[REMAINING]} words")
        self._tell()

    def _tell(self) -> None:
        new = self.kinds - self._told
        self._told += new
        known = new[PIXEL] + new[TDC] + sum(new[kind] for kind in SKIPPED)
        unreadable = int(new[:16].sum() - known)
        if not self._searching:
            unreadable += -(-self._skipped // 8)
            self._skipped = 0
        self.counters.received += int(new[PIXEL]) + unreadable
        self.counters.unreadable += unreadable
        for number, kind in (
            (int(new[INTEGRATED]), "words of the integrated mode, which carries no times"),
            (int(new[:16].sum() - known - new[INTEGRATED]), "words of unknown kind"),
            (int(new[EARLY_HEADER]), "a chunk is shorter than its header says"),
        ):
            if number:
                self.counters.fault(kind, times=number)

    def _decode(self, words: NDArray[np.int64], store: EventStore) -> tuple[int, int, int, int]:
        return decode_words(
            words,
            self._state,
            self._clocks,
            self._placement,
            self.detector_shape[1],
            store.times,
            store.pixels,
            store.count,
            self._edges,
            self.kinds,
        )


@njit(cache=True)
def highest_chip(data: NDArray[np.uint8]) -> int:
    """Return the highest chip index (0..3) in headers of some bytes."""
    highest, at, end = 0, 0, len(data)
    while at < end - 7:
        at = find_header(data, at, end, 4)
        if at < end - 7:
            highest = max(highest, int(data[at + 4]))
            at += 8
    return highest
