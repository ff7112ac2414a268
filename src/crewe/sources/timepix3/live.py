"""The raw stream of a CheeTah: Serval connects to us and sends the words as they come."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crewe.errors import SourceError, WriteError
from crewe.sources.protocol import Events
from crewe.sources.scan import Scan
from crewe.sources.timepix3.record import Record
from crewe.sources.timepix3.source import EventSource
from crewe.sources.timepix3.stream import CheetahSettings, CheetahStream

POLL_S = 0.1
REST_S = 0.5
"""A stream silent for so long rests: a scan that has come to its end is handed out."""
PIECE_BYTES = 1 << 21


class Timepix3Listener(EventSource):
    """Source that listens, and takes the raw stream of whoever connects.

    Serval is told to connect with `{"Raw": [{"Base": "tcp://connect@HOST:PORT"}]}`. Port 0 takes
    any free one; `port` says which. A sender that disconnects may come back: the scan it left
    stays unfinished, and the next begins with its first line. One silent for `patience_s` is let
    go; when nobody comes within `patience_s` the data end, with a fault; None waits without end.
    `record_to` names a .tpx3 file that gets all bytes as they came, under its name on `close`.
    `settings` are those of `CheetahSettings` by name.

    Raises SourceError for an address that cannot be used and when nobody connects, WriteError
    when the record cannot be written.
    """

    def __init__(
        self,
        scan: Scan,
        host: str = "127.0.0.1",
        port: int = 8451,
        *,
        patience_s: float | None = 60.0,
        record_to: str | Path | None = None,
        **settings: Any,
    ) -> None:
        self.settings = CheetahSettings(**settings)
        side = 256 if self.settings.chips == 1 else 512
        super().__init__(scan, (side, side))
        CheetahStream(scan, self.settings, self.counters)  # refuses what cannot be, at once
        self._patience = float("inf") if patience_s is None else patience_s
        self._server = _listening(host, port)
        self.port: int = self._server.getsockname()[1]
        try:
            self._record = None if record_to is None else Record(Path(record_to))
        except WriteError:
            self._server.close()
            raise

    def batches(self) -> Iterator[Events]:
        """Yield electrons as they come, connection after connection, until closed; once."""
        next_scan, first = 0, True
        try:
            while (connection := self._accept(first)) is not None:
                first = False
                with connection:
                    stream = CheetahStream(self.scan, self.settings, self.counters, next_scan)
                    yield from self._received(connection, stream)
                if stream.gate.complete or self._closed.is_set():
                    return
                next_scan = stream.gate.next_scan
        finally:
            self._let_go()

    def _accept(self, first: bool) -> socket.socket | None:
        deadline = time.monotonic() + self._patience
        while not self._closed.is_set():
            try:
                connection, _ = self._server.accept()
            except TimeoutError:
                if time.monotonic() < deadline:
                    continue
                if first:
                    raise SourceError(
                        f"nobody connected to port {self.port} within {self._patience:g} s: set "
                        f"Serval's raw destination to tcp://connect@HOST:{self.port}"
                    ) from None
                self.counters.fault("no sender came back", f"within {self._patience:g} s")
                return None
            except OSError:
                return None
            connection.settimeout(POLL_S)
            return connection
        return None

    def _received(self, connection: socket.socket, stream: CheetahStream) -> Iterator[Events]:
        buffer = np.empty(PIECE_BYTES, np.uint8)
        left, heard, resting = 0, time.monotonic(), False
        while not self._closed.is_set() and not stream.gate.complete:
            try:
                got = connection.recv_into(buffer.data[left:])
            except TimeoutError:
                silent = time.monotonic() - heard
                if silent > self._patience:
                    self.counters.fault("the sender is silent", f"for {self._patience:g} s")
                    break
                if silent > REST_S and not resting:
                    resting = True
                    yield from stream.rest()
                continue
            except OSError:
                got = 0
            if got == 0:
                self.counters.fault("the sender disconnected", "waiting for it to come back")
                break
            heard, resting = time.monotonic(), False
            if self._record is not None:
                self._record.write(buffer[left : left + got].data)
            end = left + got
            yield from stream.feed(buffer, end)
            left = end - stream.used
            buffer[:left] = buffer[stream.used : end].copy()
        if not self._closed.is_set():
            yield from stream.finish(left)

    def close(self) -> None:
        """Stop listening and receiving; the record gets its name. May be called twice."""
        super().close()
        self._let_go()

    def _let_go(self) -> None:
        self._server.close()
        if self._record is not None:
            self._record.close()


def _listening(host: str, port: int) -> socket.socket:
    server = socket.socket()
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, port))
        server.listen(1)
    except (OSError, OverflowError) as error:
        server.close()
        raise SourceError(
            f"cannot listen on {host}:{port} ({error}): is another program receiving there?"
        ) from error
    server.settimeout(POLL_S)
    return server
