"""Electrons and line signals as Timepix3 detectors write them: .tpx3 words and .t3p records.

Times are in ticks of 25/96 ns, as `crewe.sources.timepix3` has them; an electron's time is rounded
down to the detector's 25/16 ns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Words = NDArray[np.uint64]

RISING_1, FALLING_1, RISING_2, FALLING_2 = 0xF, 0xA, 0xE, 0xB
QUAD = ((1, 256, 0), (-1, 511, 511), (-1, 255, 511), (1, 0, 0))
"""Sign, x and y of the corner of each chip of a quad: x = sign·x(chip) + x of the corner."""
RECORD = np.dtype(
    [("pixel", "<u4"), ("toa", "<u8"), ("overflow", "u1"), ("ftoa", "u1"), ("tot", "<u2")]
)


def pixel_words(times: Times, x: NDArray[np.int64], y: NDArray[np.int64]) -> Words:
    """Return the words of electrons at (x, y) of a chip; the clock rolls over as it does there."""
    fine = times // 6
    toa = -(-fine // 16)
    address = ((x >> 1) << 9) | ((y >> 2) << 3) | ((x & 1) << 2) | (y & 3)
    word = (address << 44).astype(np.uint64) | np.uint64(0xB << 60)
    word |= (((toa & 0x3FFF) << 30) | (20 << 20)).astype(np.uint64)
    word |= (((16 * toa - fine) << 16) | ((toa >> 14) & 0xFFFF)).astype(np.uint64)
    return np.asarray(word, np.uint64)


def tdc_words(times: Times, kinds: NDArray[np.int64], counts: NDArray[np.int64]) -> Words:
    """Return the words of TDC edges of some kinds, with trigger counts."""
    coarse, fine = np.divmod(times, 12)
    word = ((counts & 0xFFF) << 44) | ((coarse & 0x7FFFFFFFF) << 9) | ((fine + 1) << 5)
    return (word | (kinds << 56)).astype(np.uint64) | np.uint64(0x6 << 60)


def chip_places(
    pixels: NDArray[np.uint32], chips: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return chip, x and y on it, of pixel indices ky·width + kx of a detector of 1 chip or 4."""
    if chips == 1:
        y, x = np.divmod(pixels.astype(np.int64), 256)
        return np.zeros_like(x), x, y
    y, x = np.divmod(pixels.astype(np.int64), 512)
    chip = np.where(y < 256, np.where(x < 256, 3, 0), np.where(x < 256, 2, 1))
    sign, corner_x, corner_y = (np.array(row)[chip] for row in zip(*QUAD, strict=True))
    return chip, sign * (x - corner_x), sign * (y - corner_y)


def encode_tpx3(
    times: Times,
    pixels: NDArray[np.uint32],
    edges: tuple[Times, NDArray[np.int64], NDArray[np.int64]] | None = None,
    *,
    chips: int = 1,
    edges_on: tuple[int, ...] | None = None,
    chunk_words: int = 1024,
) -> Words:
    """Return the words that a CheeTah sends: each chip's in the order of time, in chunks.

    `edges` are times, kinds and trigger counts of TDC edges; they are sent by all chips, or by
    those in `edges_on`. Chunks are sent in the order in which they were filled.
    """
    chip, x, y = chip_places(pixels, chips)
    words = pixel_words(times, x, y)
    chunks: list[tuple[int, Words]] = []
    for number in range(chips):
        own = np.flatnonzero(chip == number)
        chip_times, chip_words = times[own], words[own]
        if edges is not None and (edges_on is None or number in edges_on):
            chip_times = np.concatenate([chip_times, edges[0]])
            chip_words = np.concatenate([chip_words, tdc_words(*edges)])
            order = np.argsort(chip_times, kind="stable")
            chip_times, chip_words = chip_times[order], chip_words[order]
        chunks += _chunks(number, chip_times, chip_words, chunk_words)
    chunks.sort(key=lambda chunk: chunk[0])
    return np.concatenate([chunk for _, chunk in chunks]) if chunks else np.empty(0, np.uint64)


def _chunks(chip: int, times: Times, words: Words, size: int) -> Iterator[tuple[int, Words]]:
    for first in range(0, len(words), size):
        body = words[first : first + size]
        header = (8 * len(body) << 48) | (chip << 32) | 0x33585054
        yield int(times[first + len(body) - 1]), np.insert(body, 0, np.uint64(header))


def write_tpx3(path: str | os.PathLike[str], words: Words) -> None:
    """Write words as a .tpx3 file."""
    words.astype("<u8", copy=False).tofile(Path(path))


def write_t3p(
    path: str | os.PathLike[str], times: Times, pixels: NDArray[np.uint32], *, append: bool = False
) -> None:
    """Write electrons as an AdvaPix .t3p file, or append them to one."""
    fine = times // 6
    records = np.zeros(len(times), RECORD)
    records["pixel"], records["tot"] = pixels, 20
    records["toa"] = -(-fine // 16)
    records["ftoa"] = -fine % 16
    with Path(path).open("ab" if append else "wb") as file:
        file.write(records.tobytes())
