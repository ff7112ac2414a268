"""The compiled loop that reads CheeTah words: electrons and TDC edges, on a clock that goes on.

Words of different chips, and of one chip by milliseconds, come out of order: roll-overs are undone
by taking each reading for the time nearest to the latest one of its chip.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.sources.timepix3.words import (
    INTEGRATED,
    MAGIC,
    PIXEL,
    PIXEL_CLOCK_BITS,
    TDC,
    TDC_CLOCK_BITS,
    TICKS_PER_FINE_TIME,
    is_header,
    nearest,
    pixel_place,
    pixel_time,
    tdc_fine_ticks,
    tdc_time,
)

REMAINING, CHIP, STARTED, NEWEST, TDC_STARTED, TDC_BASE, UNKNOWN = range(7)
LATEST, FAR_WORDS, RUNS = range(3)
READ_ALL, LOST, EDGES_FULL = range(3)
EDGE_TIME, EDGE_KIND, EDGE_CHIP, EDGE_COUNT = range(4)
EARLY_HEADER = 16
"""Place of the number of early headers behind the 16 kinds of words."""

FAR = 1 << 31
"""3.4 s in steps of 25/16 ns: a word so far from the one before is not taken as the time it is."""
STEP = 1 << 28
BELIEVED = 8
UNKNOWN_BELIEVED = 4

BLOCK = 64


@njit(cache=True, inline="always")
def _believed(time: int, latest: int, far_words: int) -> bool:
    # A single damaged word must not carry the clock away; several in a row are a real pause.
    return abs(time - latest) < FAR or far_words + 1 >= BELIEVED


@njit(cache=True, inline="always")
def _known(kind: int) -> bool:
    return 0x4 <= kind <= 0x7 or kind in (PIXEL, INTEGRATED)


@njit(cache=True)
def _all_pixels(
    words: NDArray[np.int64],
    first: int,
    reference: int,
    sign: int,
    base: int,
    width: int,
    times: NDArray[np.int64],
    pixels: NDArray[np.uint32],
    filled: int,
) -> bool:
    """Decode a block of words as pixels; return whether all were, near to the reference.

    Without a branch, so that the compiler takes eight words at a time.
    """
    others = 0
    source, target = np.uint64(first), np.uint64(filled)
    for k in range(np.uint64(BLOCK)):
        word = words[source + k]
        time = nearest(pixel_time(word), reference, PIXEL_CLOCK_BITS)
        times[target + k] = time * TICKS_PER_FINE_TIME
        pixels[target + k] = base + sign * pixel_place(word, width)
        others += (
            (((word >> 60) & 0xF) != PIXEL)
            | ((word & 0xFFFFFFFF) == MAGIC)
            | (abs(time - reference) >= STEP)
        )
    return others == 0


@njit(cache=True, nogil=True)
def decode_words(
    words: NDArray[np.int64],
    state: NDArray[np.int64],
    clocks: NDArray[np.int64],
    placement: NDArray[np.int64],
    width: int,
    times: NDArray[np.int64],
    pixels: NDArray[np.uint32],
    filled: int,
    edges: NDArray[np.int64],
    kinds: NDArray[np.int64],
) -> tuple[int, int, int, int]:
    """Decode words; return how many, electrons, TDC edges and why it stopped.

    `clocks` holds per chip the latest time, how many words in a row were far from it, and whether
    it runs. Electrons are written from `filled` on, their times in ticks.
    """
    # One loop without calls that take arrays: at a chunk per electron they would be the cost.
    i, found, chips = 0, 0, placement.shape[0]
    while i < len(words):
        if state[REMAINING] == 0:
            if not is_header(words[i], chips):
                return i, filled, found, LOST
            state[REMAINING] = (words[i] >> 51) & 0x1FFF
            state[CHIP] = (words[i] >> 32) & 0xFF
            state[UNKNOWN] = 0
            i += 1
            continue
        chip = state[CHIP]
        sign, base = placement[chip, 0], placement[chip, 1]
        end = i + min(len(words) - i, state[REMAINING], BLOCK)
        if end - i == BLOCK and clocks[chip, RUNS]:
            reference = clocks[chip, LATEST]
            if _all_pixels(words, i, reference, sign, base, width, times, pixels, filled):
                i, filled = end, filled + BLOCK
                state[REMAINING] -= BLOCK
                kinds[PIXEL] += BLOCK
                clocks[chip, LATEST] = times[filled - 1] // TICKS_PER_FINE_TIME
                state[NEWEST] = clocks[chip, LATEST]
                clocks[chip, FAR_WORDS] = 0
                continue
        while i < end:
            word = words[i]
            kind = (word >> 60) & 0xF
            if is_header(word, chips):
                kinds[EARLY_HEADER] += 1
                state[REMAINING] = 0
                break
            if kind in (PIXEL, TDC):
                if found == len(edges):
                    return i, filled, found, EDGES_FULL
                reading, bits = pixel_time(word), PIXEL_CLOCK_BITS
                if kind == TDC:
                    reading, bits = tdc_time(word), TDC_CLOCK_BITS
                    if not state[TDC_STARTED]:
                        # A TDC's clock has two bits more: its zero is laid on the pixels' once.
                        if state[STARTED]:
                            time = nearest(reading, state[NEWEST], PIXEL_CLOCK_BITS)
                            state[TDC_BASE] = time - reading
                        state[TDC_STARTED] = 1
                    reading += state[TDC_BASE]
                latest = clocks[chip, LATEST]
                if not clocks[chip, RUNS]:
                    # All chips count from the same zero: a late one continues the others' clock.
                    latest = reading
                    if state[STARTED]:
                        latest = nearest(reading, state[NEWEST], PIXEL_CLOCK_BITS)
                    clocks[chip, LATEST] = latest
                    clocks[chip, RUNS] = state[STARTED] = 1
                time = nearest(reading, latest, bits)
                if _believed(time, latest, clocks[chip, FAR_WORDS]):
                    clocks[chip, LATEST] = state[NEWEST] = time
                    clocks[chip, FAR_WORDS] = 0
                else:
                    clocks[chip, FAR_WORDS] += 1
                if kind == PIXEL:
                    times[filled] = time * TICKS_PER_FINE_TIME
                    pixels[filled] = base + sign * pixel_place(word, width)
                    filled += 1
                else:
                    edges[found, EDGE_TIME] = time * TICKS_PER_FINE_TIME + tdc_fine_ticks(word)
                    edges[found, EDGE_KIND] = (word >> 56) & 0xF
                    edges[found, EDGE_CHIP] = chip
                    edges[found, EDGE_COUNT] = (word >> 44) & 0xFFF
                    found += 1
            kinds[kind] += 1
            state[REMAINING] -= 1
            i += 1
            if not _known(kind):
                # Bytes were lost or put in, if no header stands where this chunk should end.
                state[UNKNOWN] += 1
                after = i + state[REMAINING]
                seen = after < len(words)
                if (seen and not is_header(words[after], chips)) or (
                    not seen and state[UNKNOWN] >= UNKNOWN_BELIEVED
                ):
                    state[REMAINING] = 0
                    return i, filled, found, LOST
    return i, filled, found, READ_ALL
