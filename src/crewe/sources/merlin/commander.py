"""Who starts the acquisitions of a Merlin, one after the other, and stops the last."""

from __future__ import annotations

import socket
from contextlib import suppress

from crewe.errors import SourceError
from crewe.sources.counters import Counters
from crewe.sources.merlin.connection import drained
from crewe.sources.merlin.control import AcquisitionSettings, MerlinControl
from crewe.sources.scan import Scan


class Commander:
    """Holds the command socket; closed once, from any thread. Raises SourceError as it does."""

    def __init__(
        self,
        host: str,
        port: int,
        settings: AcquisitionSettings,
        scan: Scan,
        scans: int | None,
        timeout_s: float,
    ) -> None:
        self.control: MerlinControl | None = None
        self._host, self._port, self._timeout_s = host, port, timeout_s
        self._settings, self._scan, self._scans = settings, scan, scans
        self._closed = False

    def start(self, connection: socket.socket, counters: Counters) -> None:
        """Stop what runs, drain the data connection, send all settings, and start."""
        control = self._connected()
        control.stop()
        stale = drained(connection)
        if stale:
            counters.fault("stale data before the start", f"{stale:,} bytes")
        control.prepare(self._settings, self._scan, self._scans)
        control.start()

    def start_next(self) -> bool:
        """Start another acquisition with the settings that it has; False while one still runs."""
        started = False
        try:
            assert self.control is not None
            started = self.control.start_if_free()
        except SourceError:
            # Nothing may have been said for hours, after which connections are closed.
            if not self._closed:
                started = self._connected().start_if_free()
        if self._closed:
            self._stop()
        return started

    def close(self) -> None:
        """Stop the detector, and leave."""
        first, self._closed = not self._closed, True
        if first:
            self._stop()
        if self.control is not None:
            self.control.close()

    def _stop(self) -> None:
        if self.control is not None:
            with suppress(SourceError):
                self.control.stop()

    def _connected(self) -> MerlinControl:
        if self.control is not None:
            self.control.close()
        self.control = MerlinControl(self._host, self._port, self._timeout_s)
        if self._closed:
            self.control.close()
        return self.control
