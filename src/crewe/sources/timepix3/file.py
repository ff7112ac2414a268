"""CheeTah raw files (.tpx3): the bytes that Serval writes or sends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crewe.errors import ReadError
from crewe.sources.protocol import Events
from crewe.sources.scan import Scan
from crewe.sources.timepix3.chunks import highest_chip
from crewe.sources.timepix3.source import EventSource, FileReader
from crewe.sources.timepix3.stream import CheetahSettings, CheetahStream

PIECE_BYTES = 1 << 21


class Timepix3File(EventSource):
    """Source of the electrons in a .tpx3 file, in constant memory.

    `settings` are those of `CheetahSettings` by name; the number of chips is seen from the first
    piece of the file unless given. Raises ReadError for a file that cannot be read, that holds no
    chunk of words or, placed by lines, no edge of the line signal.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        scan: Scan,
        *,
        piece_bytes: int = PIECE_BYTES,
        **settings: Any,
    ) -> None:
        if settings.get("chips") is None:
            settings["chips"] = _chips(Path(path))
        self.settings = CheetahSettings(**settings)
        side = 256 if self.settings.chips == 1 else 512
        super().__init__(scan, (side, side))
        self._stream = CheetahStream(scan, self.settings, self.counters)
        self._reader = FileReader(Path(path), max(piece_bytes, 64))

    def batches(self) -> Iterator[Events]:
        """Yield the electrons in the order of their arrival; once."""
        reader, stream = self._reader, self._stream
        try:
            while not self._closed.is_set():
                end = reader.read()
                if end == reader.left:
                    break
                yield from stream.feed(reader.buffer, end)
                reader.keep(stream.used, end)
                if stream.gate.complete:
                    return
            if not self._closed.is_set():
                yield from stream.finish(reader.left)
                self._check()
        finally:
            reader.close()

    def _check(self) -> None:
        path, kinds = self._reader.path, self._stream.decoder.kinds
        if not kinds[:16].any():
            raise ReadError(f"{path} holds no chunk that begins with TPX3: is it a .tpx3 file?")
        if not self._stream.found_lines:
            raise ReadError(
                f"{path} holds {self.counters.received:,} electrons and no edge of a line on TDC "
                f"{self.settings.channel}: choose the other channel, or place by dwell time"
            )


def _chips(path: Path) -> int:
    reader = FileReader(path, PIECE_BYTES)
    try:
        data = reader.buffer[: reader.read()]
    finally:
        reader.close()
    return 4 if highest_chip(np.ascontiguousarray(data)) > 0 else 1
