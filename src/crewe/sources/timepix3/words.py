"""The 64-bit words of a Timepix3 detector: which bits say what, in ticks of one clock.

All times are counted in ticks of 25/96 ns (260.4 ps, the step of a TDC's finest bits), in which a
Timepix3 pixel's fine time (25/16 ns) is 6 ticks and its clock (25 ns) is 96. Bits as in the
Serval manual of Amsterdam Scientific Instruments; quad placement as in riCOM,
https://doi.org/10.1017/S1431927622000617.
"""

from typing import Any

import numpy as np
from numba import njit

TICKS_PER_US = 3840
TICKS_PER_FINE_TIME = 6

MAGIC = 0x33585054
"""The letters TPX3, which open the header of a chunk."""

PIXEL = 0xB
INTEGRATED = 0xA
TDC = 0x6
SKIPPED = (0x4, 0x5, 0x7)
"""Global time, SPIDR control and Timepix3 control words: of no use to a scan."""

RISING = (0xF, 0xE)
FALLING = (0xA, 0xB)
"""Kinds of TDC words, by channel: TDC1, TDC2."""

PIXEL_CLOCK_BITS = 34
"""Bits of a pixel's time in steps of 25/16 ns: it rolls over every 26.84 s."""
TDC_CLOCK_BITS = 36
"""Bits of a TDC's time, without its finest, in steps of 25/16 ns: 107.4 s."""

CHIP_SIDE = 256
QUAD_SIGN = (1, -1, -1, 1)
QUAD_X = (256, 511, 255, 0)
QUAD_Y = (0, 511, 511, 0)


@njit(cache=True, inline="always")
def pixel_time(word: int) -> int:
    """Return the time of a pixel word in steps of 25/16 ns, before any roll-over is undone."""
    coarse = ((word & 0xFFFF) << 14) | ((word >> 30) & 0x3FFF)
    return (coarse << 4) - ((word >> 16) & 0xF)


@njit(cache=True, inline="always")
def pixel_place(word: int, width: int) -> int:
    """Return y·width + x of a pixel word's address on its own chip."""
    address = (word >> 44) & 0xFFFF
    x = ((address >> 8) & 0xFE) | ((address >> 2) & 1)
    y = ((address >> 1) & 0xFC) | (address & 3)
    return y * width + x


@njit(cache=True, inline="always")
def tdc_time(word: int) -> int:
    """Return the coarse time of a TDC word in steps of 25/16 ns, before roll-over is undone."""
    return ((word >> 9) & 0x7FFFFFFFF) << 1


@njit(cache=True, inline="always")
def tdc_fine_ticks(word: int) -> int:
    """Return the ticks (0..11) that a TDC word adds; its fine bits run from 1 to 12, 0 is none."""
    return min(max(((word >> 5) & 0xF) - 1, 0), 11)


@njit(cache=True, inline="always")
def nearest(reading: int, reference: int, bits: int) -> Any:
    """Return the time nearest to `reference` that a clock of so many bits shows as `reading`."""
    shift = np.int64(64 - bits)
    return reference + (((reading - reference) << shift) >> shift)


@njit(cache=True, inline="always")
def is_header(word: int, chips: int) -> bool:
    """Return whether a word can open a chunk: the letters, a chip that is there, whole words."""
    return (
        (word & 0xFFFFFFFF) == MAGIC and ((word >> 32) & 0xFF) < chips and (word >> 48) & 0x7 == 0
    )


def placement(chips: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Return per chip sign and base of the pixel index, and the detector's shape (ky, kx).

    Pixel index on the detector = base + sign × (y·width + x on the chip), for 1 chip or 4.
    """
    if chips == 1:
        return np.array([[1, 0]], np.int64), (CHIP_SIDE, CHIP_SIDE)
    width = 2 * CHIP_SIDE
    rows = [(sign, y * width + x) for sign, x, y in zip(QUAD_SIGN, QUAD_X, QUAD_Y, strict=True)]
    return np.array(rows, np.int64), (width, width)
