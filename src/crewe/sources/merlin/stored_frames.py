"""The frames that a .mib file holds, by their index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ReadError
from crewe.sources.merlin.frame_order import LONGEST_OPENING, read_numbers, signature
from crewe.sources.merlin.header import LONGEST_HEADER, MAGIC, parse_header
from crewe.sources.merlin.unpack import unpack
from crewe.sources.positional import PositionalFile


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

    def last_number(self, looked_at: int = 32) -> tuple[int, int]:
        """Return index and number of the last frame whose header is sound."""
        for index in range(self.count - 1, max(self.count - looked_at, 0), -1):
            if (number := self.number_at(index)) >= 0:
                return index, number
        return 0, self.header.number

    def first_times(self, most: int) -> list[str]:
        """Return the times in the headers of the first frames, empty where one is damaged."""
        return [self._time_at(index) for index in range(min(self.count, most))]

    def _time_at(self, index: int) -> str:
        try:
            return parse_header(self.file.read(index * self.step, self.header.header_bytes)).time
        except ReadError:
            return ""
