"""The frames that a .mib file holds, by their index."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ReadError
from crewe.sources.merlin.frame_order import LONGEST_OPENING, read_numbers, signature
from crewe.sources.merlin.header import LONGEST_HEADER, MAGIC, parse_header
from crewe.sources.merlin.unpack import unpack
from crewe.sources.positional import PositionalFile

LOOKED_AT = 32
"""Frames at either end whose numbers are read when a file is opened."""
HEADERS_AT_ONCE = 4096


class StoredFrames:
    """An open .mib file: frames of one size, one after another, read in any order by any thread.

    `count` whole frames were there when it was opened and `rest` bytes of another; what is written
    later is not looked at. Raises ReadError for what is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.file = PositionalFile(path)
        try:
            self._look()
        except BaseException:
            self.file.close()
            raise

    def _look(self) -> None:
        size, content = self.file.size(), self.file.read(0, LONGEST_HEADER)
        if not content:
            raise ReadError(f"{self.name}: the file is empty")
        try:
            self.header = parse_header(content)
        except ReadError as error:
            raise ReadError(f"{self.name}: {error}") from error
        self._same = signature(content)
        self.step = self.header.header_bytes + self.header.frame_bytes
        self.count, self.rest = divmod(size, self.step)
        if self.count == 0:
            raise ReadError(
                f"{self.name}: ends after {size:,} bytes, within its first frame of "
                f"{self.step:,}: truncated, copy the file again"
            )
        self._check_step(size)

    def _check_step(self, size: int) -> None:
        """Compare the size that the first header states with where the next frames begin."""
        begins = range(self.step, min(size, 9 * self.step), self.step)
        found = [self.file.read(offset, len(MAGIC)) for offset in begins]
        if found and not any(map(MAGIC.startswith, found)):
            header = self.header
            raise ReadError(
                f"{self.name}: by its header a frame has {self.step:,} bytes ({header.height} × "
                f"{header.width}, {header.pixel_type}), but no frame begins there: the header is "
                "damaged, or the file is"
            )

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Read frames (frame, byte), headers included; fewer when the file was cut meanwhile."""
        block = np.empty((stop - start, self.step), np.uint8)
        came = self.file.read_into(block.reshape(-1), start * self.step) // self.step
        return block[:came]

    def read_scattered(self, frames: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Read some frames (frame, byte), headers included; those before one that is gone."""
        block = np.empty((len(frames), self.step), np.uint8)
        bounds = [0, *(np.flatnonzero(np.diff(frames) != 1) + 1).tolist(), len(frames)]
        for start, stop in pairwise(bounds):
            if start == stop:
                continue
            content = block[start:stop].reshape(-1)
            came = self.file.read_into(content, int(frames[start]) * self.step) // self.step
            if came < stop - start:
                return block[: start + came]
        return block

    def numbers(self, block: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the number in the header of each frame (frame, byte); −1 where it is damaged."""
        return read_numbers(block, self.header, self._same, self.name)

    def patterns(self, block: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the patterns of frames (frame, byte)."""
        return unpack(block[:, self.header.header_bytes :], self.header)

    def number_at(self, index: int) -> int:
        """Return the number of one frame, −1 where its header is damaged."""
        content = np.zeros((1, 2 * LONGEST_OPENING), np.uint8)
        self.file.read_into(content[0], index * self.step)
        return int(self.numbers(content)[0])

    def all_numbers(self) -> NDArray[np.int64]:
        """Return the numbers of all frames, −1 where a header is damaged; reads every header."""
        numbers = np.empty(self.count, np.int64)
        for start in range(0, self.count, HEADERS_AT_ONCE):
            part = numbers[start : start + HEADERS_AT_ONCE]
            content = np.zeros((len(part), 2 * LONGEST_OPENING), np.uint8)
            for row, header in enumerate(content):
                self.file.read_into(header, (start + row) * self.step)
            part[:] = self.numbers(content)
        return numbers

    def first_number(self) -> int:
        """Return the lowest number at the beginning: frames may be mixed up there."""
        first = self.header.number
        found = {self.number_at(index) for index in range(min(self.count, LOOKED_AT))}
        # Merlin counts from 1, and what is only mixed up leaves no gap.
        while first > 1 and first - 1 in found:
            first -= 1
        return first

    def last_number(self) -> tuple[int, int]:
        """Return the index of the last frame whose header is sound and the highest number there."""
        begin = max(self.count - LOOKED_AT, 1)
        found = {index: self.number_at(index) for index in range(begin, self.count)}
        sound = {index: number for index, number in found.items() if number >= 0}
        if not sound:
            return 0, self.header.number
        last = max(sound)
        return last, max(one for one in sound.values() if one <= sound[last] + LOOKED_AT)

    def first_times(self, most: int) -> list[str]:
        """Return the times in the headers of the first frames, empty where one is damaged."""
        return [self._time_at(index) for index in range(min(self.count, most))]

    def _time_at(self, index: int) -> str:
        try:
            return parse_header(self.file.read(index * self.step, self.header.header_bytes)).time
        except ReadError:
            return ""
