"""The command socket of the rehearsal detector: SET, GET and CMD with Merlin's return codes."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from crewe.errors import PlanError
from crewe.sources.merlin.wire import PREFIX_BYTES, message

OK, BUSY, UNKNOWN, OUT_OF_RANGE = range(4)
LONGEST_COMMAND = 4096

# What it starts with, and the least and the largest value; None: any text.
_SETTINGS: dict[str, tuple[str, tuple[float, float] | None]] = {
    "SOFTWAREVERSION": ("crewe", None),
    "HVBIAS": ("120", (-200, 200)),
    **{f"THRESHOLD{n}": ("0", (0, 999.99)) for n in range(8)},
    "CONTINUOUSRW": ("0", (0, 1)),
    "COUNTERDEPTH": ("12", (1, 24)),
    "ACQUISITIONTIME": ("1", (0, 1e7)),
    "ACQUISITIONPERIOD": ("1", (0, 1e7)),
    "NUMFRAMESTOACQUIRE": ("0", (0, 2**31 - 1)),
    "NUMFRAMESPERTRIGGER": ("1", (1, 2**31 - 1)),
    "FILEENABLE": ("0", (0, 1)),
    "FILEFORMAT": ("0", (0, 2)),
    "RUNHEADLESS": ("0", (0, 1)),
    "TRIGGERSTART": ("0", (0, 9)),
    "TRIGGERSTOP": ("0", (0, 9)),
    "COLOURMODE": ("0", (0, 1)),
    "CHARGESUMMING": ("0", (0, 1)),
    "GAIN": ("0", (0, 3)),
    "ENABLECOUNTER1": ("0", (0, 2)),
    "TEMPERATURE": ("40.0", None),
}
_DEPTHS = {"1", "6", "12", "24"}


class Commands:
    """Answers whoever connects; the sender asks it what was commanded."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.port: int = listener.getsockname()[1]
        self.settings = {name: start for name, (start, _) in _SETTINGS.items()}
        self.log: list[str] = []
        """What was asked, in order."""
        self.acquiring, self.stopped = threading.Event(), threading.Event()
        self.triggered, self._start = threading.Event(), threading.Event()
        self._closing = threading.Event()
        self._clients: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def start(self) -> None:
        """Begin to listen."""
        self._threads[0].start()

    def stop(self) -> None:
        """Close all connections."""
        self._closing.set()
        self.stopped.set()
        for client in self._clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def started(self, wait_s: float) -> bool:
        """Tell, after at most a while, whether an acquisition was commanded; once for each."""
        started = self._start.wait(wait_s)
        if started:
            self._start.clear()
        return started

    def number(self, name: str) -> int:
        """Return a setting as a whole number."""
        return int(float(self.settings[name]))

    def _accept(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                client, _ = self._listener.accept()
                client.settimeout(None)
                self._clients.append(client)
                thread = threading.Thread(target=self._converse, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _converse(self, client: socket.socket) -> None:
        with suppress(OSError, ValueError), client, client.makefile("rb") as stream:
            while prefix := stream.read(PREFIX_BYTES):
                length = int(prefix[4:14]) - 1
                if not 0 < length <= LONGEST_COMMAND:
                    return
                said = stream.read(length).decode("ascii", "replace")
                self.log.append(said)
                client.sendall(message(self.answer(said).encode("ascii", "replace")))

    def answer(self, said: str) -> str:
        """Return the answer to SET,NAME,value or GET,NAME or CMD,NAME."""
        kind, name, value = [*said.split(",", 2), "", ""][:3]
        if kind == "CMD":
            return f"CMD,{name},{self._command(name)}"
        if kind == "GET" and name in self.settings:
            return f"GET,{name},{self.settings[name]},{OK}"
        if kind == "SET" and name in self.settings:
            return f"SET,{name},{self._set(name, value)}"
        return f"{kind},{name},{UNKNOWN}"

    def _set(self, name: str, value: str) -> int:
        bounds = _SETTINGS[name][1]
        if self.acquiring.is_set():
            return BUSY
        try:
            number = float(value)
        except ValueError:
            return OUT_OF_RANGE
        if bounds is None or not bounds[0] <= number <= bounds[1]:
            return OUT_OF_RANGE
        if name == "COUNTERDEPTH" and value not in _DEPTHS:
            return OUT_OF_RANGE
        self.settings[name] = value
        return OK

    def _command(self, name: str) -> int:
        if name == "STARTACQUISITION":
            if self.acquiring.is_set():
                return BUSY
            self.stopped.clear()
            self.triggered.clear()
            self._start.set()
        elif name in ("STOPACQUISITION", "RESET"):
            self.stopped.set()
            self._start.clear()
        elif name == "SOFTTRIGGER":
            self.triggered.set()
        else:
            return UNKNOWN
        return OK


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is any free one. Raises PlanError."""
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise PlanError(
            f"cannot listen on {host}:{port}: {error.strerror}; give another port, or 0 for any"
        ) from error
    listener.settimeout(0.02)
    return listener
