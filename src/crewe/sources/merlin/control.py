"""The command socket of a Merlin detector: settings, start and stop."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from crewe.errors import PlanError, SourceError
from crewe.sources.closing import Closing
from crewe.sources.merlin.connection import connect
from crewe.sources.merlin.wire import PREFIX, PREFIX_BYTES, message
from crewe.sources.scan import Scan

COMMAND_PORT = 6341
LONGEST_ANSWER = 2**16
BUSY, OUT_OF_RANGE = "1", "3"
NEXT_START_S = 1.0
"""How long to wait for an acquisition to come to its end before the next is started."""
FRAMES, MOST_FRAMES = "NUMFRAMESTOACQUIRE", 2**31 - 1
"""What may be set as the number of frames: a signed number of 32 bits. 0 is not the same to all."""
_MEANINGS = {
    1: "it is busy: stop the acquisition that runs (STOPACQUISITION), then try again",
    2: "it does not know this name: look it up in the manual of your software version",
    3: "the value is out of range",
}

Trigger = Literal["internal", "rising", "falling", "lvds rising", "lvds falling", "soft"]
_TRIGGERS: dict[str, int] = {
    "internal": 0,
    "rising": 1,
    "falling": 2,
    "lvds rising": 3,
    "lvds falling": 4,
    "soft": 5,
}


@dataclass(frozen=True)
class AcquisitionSettings:
    """How a scan is acquired; what is None stays as it is set at the detector.

    The dwell time is that of the scan. Raises PlanError for what Merlin does not know.
    """

    counter_depth: Literal[1, 6, 12, 24] | None = None
    raw: bool | None = False
    continuous: bool | None = True
    """Count the next frame while the last is read out; no dead time (not at 24 bits)."""
    trigger: Trigger | None = None
    """What starts the frames of each trigger."""
    trigger_per: Literal["frame", "line", "scan"] | None = None
    """How many frames follow each trigger."""
    save_files: bool | None = None
    headless: bool | None = None
    thresholds_kev: tuple[float, ...] = ()
    others: dict[str, str] = field(default_factory=dict)
    """Further names and values, sent as they are, last."""

    def __post_init__(self) -> None:
        if self.counter_depth not in (None, 1, 6, 12, 24):
            raise PlanError(f"counter depth {self.counter_depth}: Merlin has 1, 6, 12 and 24 bits")
        if self.trigger is not None and self.trigger not in _TRIGGERS:
            raise PlanError(f"trigger {self.trigger!r}: choose one of {', '.join(_TRIGGERS)}")
        if self.counter_depth == 24 and self.continuous:
            raise PlanError("24 bits use both counters: give continuous=False")

    def commands(self, scan: Scan, scans: int | None) -> list[tuple[str, str]]:
        """Return names and values to be set for a number of scans; None leaves theirs.

        Of more scans than an acquisition can have, as many as it can.
        """
        wanted: dict[str, float | str | None] = {
            "COUNTERDEPTH": self.counter_depth,
            "CONTINUOUSRW": self.continuous,
            "FILEFORMAT": None if self.raw is None else 2 * self.raw,
            "FILEENABLE": self.save_files,
            "RUNHEADLESS": self.headless,
            **{f"THRESHOLD{n}": value for n, value in enumerate(self.thresholds_kev)},
            "TRIGGERSTART": None if self.trigger is None else _TRIGGERS[self.trigger],
            "NUMFRAMESPERTRIGGER": self._frames_per_trigger(scan),
        }
        if scan.dwell_time_us is not None:
            milliseconds = scan.dwell_time_us / 1000
            wanted |= {"ACQUISITIONTIME": milliseconds, "ACQUISITIONPERIOD": milliseconds}
        if scans is not None:
            wanted[FRAMES] = _frames_of(scan, min(scans, _most_scans(scan)))
        named = [(name, _written(value)) for name, value in wanted.items() if value is not None]
        return [*named, *self.others.items()]

    def _frames_per_trigger(self, scan: Scan) -> int | None:
        if self.trigger_per is None:
            return None
        frames = {"frame": 1, "line": scan.frames_per_line, "scan": scan.frames_per_scan}
        return frames[self.trigger_per]


def _frames_of(scan: Scan, scans: int) -> int:
    return max(0, scan.sync_offset) + scans * scan.frames_per_scan


def _most_scans(scan: Scan) -> int:
    return max(1, (MOST_FRAMES - max(0, scan.sync_offset)) // scan.frames_per_scan)


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{float(value):.10g}"


class MerlinControl(Closing):
    """A connection to the command socket; used as a context, from any thread.

    Raises SourceError when nobody answers within `timeout_s`, when it is no Merlin that answers,
    or when it refuses.
    """

    def __init__(self, host: str, port: int = COMMAND_PORT, timeout_s: float = 5.0) -> None:
        self.host, self.port, self.timeout_s = host, port, timeout_s
        self._turn = threading.Lock()
        self._socket = connect(host, port, timeout_s, "command")

    def close(self) -> None:
        """End the connection; may be called twice and from another thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def get(self, name: str) -> str:
        """Return the value of a setting."""
        *value, code = self._ask("GET", name)
        self._check(f"GET,{name}", code)
        return ",".join(value)

    def set(self, name: str, value: str | float) -> None:
        """Change a setting."""
        written = _written(value)
        self._check(f"SET,{name},{written}", self._ask("SET", name, written)[-1])

    def command(self, name: str) -> None:
        """Let the detector do something."""
        self._check(f"CMD,{name}", self._ask("CMD", name)[-1])

    def prepare(self, settings: AcquisitionSettings, scan: Scan, scans: int | None) -> None:
        """Set all that a scan needs, as soon as the detector is no longer busy.

        Where so many frames are out of its range it gets a tenth of the scans.
        """
        for name, value in settings.commands(scan, scans):
            code = self._when_free("SET", name, value)
            if name == FRAMES and scans is not None:
                fewer = min(scans, _most_scans(scan))
                while code == OUT_OF_RANGE and fewer > 1:
                    fewer = max(1, fewer // 10)
                    value = _written(_frames_of(scan, fewer))
                    code = self._when_free("SET", name, value)
            self._check(f"SET,{name},{value}", code)

    def start(self) -> None:
        """Start the acquisition, as soon as the detector is no longer busy."""
        words = "CMD", "STARTACQUISITION"
        self._check(",".join(words), self._when_free(*words))

    def start_if_free(self) -> bool:
        """Start the acquisition; False, after a while, when another one still runs."""
        words = "CMD", "STARTACQUISITION"
        code = self._when_free(*words, wait_s=NEXT_START_S)
        if code != BUSY:
            self._check(",".join(words), code)
        return code != BUSY

    def _when_free(self, *words: str, wait_s: float | None = None) -> str:
        until = time.monotonic() + (self.timeout_s if wait_s is None else wait_s)
        while (code := self._ask(*words)[-1]) == BUSY and time.monotonic() < until:
            time.sleep(0.05)
        return code

    def stop(self) -> None:
        """Stop the acquisition; a detector that had none may say no to this."""
        self._ask("CMD", "STOPACQUISITION")

    def soft_trigger(self) -> None:
        """Trigger by command, where the trigger is "soft"."""
        self.command("SOFTTRIGGER")

    def _ask(self, *words: str) -> list[str]:
        """Return the words after the name in the answer; the last is the return code."""
        said = ",".join(words)
        if not said.isascii() or any(character in said for character in "\r\n\0"):
            raise SourceError(f"{said!r} cannot be sent to Merlin: give plain ASCII words")
        with self._turn:
            try:
                self._socket.sendall(message(said.encode("ascii")))
                answer = self._answer()
            except TimeoutError as error:
                # An answer that comes later would be taken for that to the next question.
                self.close()
                raise SourceError(
                    f"Merlin at {self.host}:{self.port} did not answer {said} within "
                    f"{self.timeout_s:g} s: look at its screen, restart it if it hangs"
                ) from error
            except OSError as error:
                raise SourceError(
                    f"Merlin at {self.host}:{self.port} left when asked {said}: is another program "
                    "connected to it? Only one can command it"
                ) from error
        if answer[:2] != list(words[:2]) or not re.fullmatch(r"\d+", answer[-1]):
            self._foreign(",".join(answer).encode())
        return answer[2:]

    def _answer(self) -> list[str]:
        prefix = self._read(PREFIX_BYTES)
        found = PREFIX.fullmatch(prefix)
        if not found or not 1 < int(found[1]) <= LONGEST_ANSWER:
            self._foreign(prefix)
        return self._read(int(found[1]) - 1).decode("ascii", "replace").split(",")

    def _read(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            more = self._socket.recv(count - len(content))
            if not more:
                raise ConnectionError("closed")
            content += more
        return content

    def _foreign(self, content: bytes) -> NoReturn:
        # What follows cannot be matched with questions any more.
        self.close()
        raise SourceError(
            f"{self.host}:{self.port} answers {content[:40]!r}, which is not the command socket of "
            f"a Merlin: its port is usually {COMMAND_PORT}"
        )

    def _check(self, said: str, code: str) -> None:
        if code != "0":
            meaning = _MEANINGS.get(int(code), f"it answers with the unknown code {code}")
            raise SourceError(f"Merlin at {self.host} refuses {said}: {meaning}")
