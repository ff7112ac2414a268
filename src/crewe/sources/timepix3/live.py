"""The raw stream of a CheeTah: Serval connects to us and sends the words as they come."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crewe.errors import SourceError, WriteError
from crewe.sources.arrivals import Arrival, Block, Broken, Ended, Stalled
from crewe.sources.protocol import Events
from crewe.sources.receiver import Receiver
from crewe.sources.scan import Scan
from crewe.sources.timepix3.record import Record
from crewe.sources.timepix3.source import EventSource
from crewe.sources.timepix3.stream import CheetahSettings, CheetahStream

POLL_S = 0.1
REST_S = 0.5
"""A stream silent for so long rests: a scan that has come to its end is handed out."""


class Timepix3Listener(EventSource):
    """Source that listens, and takes the raw stream of whoever connects.

    Serval is told to connect with `{"Raw": [{"Base": "tcp://connect@HOST:PORT"}]}`. Port 0 takes
    any free one; `port` says which. A sender that disconnects may come back: the scan it left
    stays unfinished and counts as none of `scans`, and the next begins with its first line. One
    silent for `patience_s` is let go; when nobody comes within `patience_s` the data end, with a
    fault; None waits without end. `record_to` names a .tpx3 file that gets all bytes as they came,
    under its name on `close`. `settings` are those of `CheetahSettings` by name.

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
        self._receiver: Receiver | None = None
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
        next_scan, whole, first = 0, 0, True
        try:
            while (connection := self._accept(first)) is not None:
                first = False
                stream = CheetahStream(self.scan, self.settings, self.counters, next_scan, whole)
                yield from self._received(connection, stream)
                if stream.gate.complete or self._closed.is_set():
                    return
                next_scan, whole = stream.gate.next_scan, stream.gate.whole_scans
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
            return connection
        return None

    def _received(self, connection: socket.socket, stream: CheetahStream) -> Iterator[Events]:
        keep = None if self._record is None else self._record.write
        receiver = self._receiver = Receiver(connection, None, self._patience, REST_S, keep)
        rest = np.empty(0, np.uint8)
        try:
            while not self._closed.is_set() and not stream.gate.complete:
                arrival = receiver.next()
                if isinstance(arrival, Block):
                    block, begin, end = arrival.after(rest)
                    yield from stream.feed(block[begin:end], end - begin)
                    rest = block[begin + stream.used : end].copy()
                    receiver.give_back(arrival)
                elif isinstance(arrival, Stalled):
                    yield from stream.rest()
                else:
                    self._tell_of_end(arrival)
                    break
            if not self._closed.is_set():
                yield from stream.finish(rest.size)
        finally:
            receiver.close()

    def _tell_of_end(self, arrival: Arrival) -> None:
        if isinstance(arrival, Broken):
            self.counters.fault("the sender disconnected", "waiting for it to come back")
        elif isinstance(arrival, Ended) and arrival.error is not None:
            raise arrival.error
        elif isinstance(arrival, Ended) and arrival.problem:
            self.counters.fault("the sender is silent", f"for {self._patience:g} s")

    def close(self) -> None:
        """Stop listening and receiving; the record gets its name. May be called twice."""
        super().close()
        self._let_go()

    def _let_go(self) -> None:
        self._server.close()
        if self._receiver is not None:
            self._receiver.close()
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
