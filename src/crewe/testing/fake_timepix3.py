"""A sender that behaves as Serval does with a CheeTah: it connects and streams words.

`crewe-fake-timepix3` replays a .tpx3 file or a phantom at a set rate, so that a session at the
microscope can be rehearsed; the same in a thread is `FakeTimepix3`.
"""

from __future__ import annotations

import argparse
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from crewe.sources.closing import Closing
from crewe.testing.timepix3_encoding import encode_tpx3
from crewe.testing.timepix3_phantom import CLOCK_LEAD_TICKS, TICKS_PER_US, Timepix3Phantom

SEND_BYTES = 1 << 16
NEAR_ROLL_OVER_TICKS = (1 << 34) * 6
"""When a pixel's clock rolls over: 26.84 s after the detector's zero."""


@dataclass(frozen=True)
class Faults:
    """What goes wrong on purpose, each after so many bytes of the stream; None never.

    Half a word is lost (`half_word_after`), bytes that are no words come between
    (`garbage_after`), the sender stops for `stall_s` (`stall_after`), or it closes the connection
    and, `reconnect_s` later, connects again and starts from the beginning (`disconnect_after`).
    """

    half_word_after: int | None = None
    garbage_after: int | None = None
    stall_after: int | None = None
    stall_s: float = 1.0
    disconnect_after: int | None = None
    reconnect_s: float = 0.2


class FakeTimepix3(Closing):
    """Sends the stream of a phantom, or the bytes of a .tpx3 file, to whoever listens.

    Used as a context around a listener: `with FakeTimepix3(phantom).start(port): ...`. `scans`
    scans are sent, None without end; at the rate of the clock with `in_real_time`, else as fast as
    they are taken. A file is sent so many times, each in a connection of its own: its clock begins
    anew. `near_roll_over` begins shortly before the
    clock of the pixels rolls over. After leaving the context `sent_bytes` and `error` tell.
    """

    def __init__(
        self,
        what: Timepix3Phantom | Path | bytes,
        *,
        scans: int | None = 1,
        in_real_time: bool = False,
        megabytes_per_s: float | None = None,
        near_roll_over: bool = False,
        faults: Faults | None = None,
    ) -> None:
        self._what, self._scans = what, scans
        self._in_real_time, self._rate = in_real_time, megabytes_per_s
        self._near_roll_over = near_roll_over
        self._faults = faults or Faults()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.sent_bytes = 0
        self.error: OSError | None = None

    def start(self, port: int, host: str = "127.0.0.1") -> Self:
        """Connect and send in a thread of its own."""
        self._thread = threading.Thread(target=self.run, args=(port, host), daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop sending."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def join(self, timeout_s: float = 60.0) -> None:
        """Wait until all is sent."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def run(self, port: int, host: str = "127.0.0.1") -> None:
        """Connect and send; what the connection raises is kept in `error`."""
        most, connections = self._faults.disconnect_after, 0
        endless = self._scans is None
        repeats = 1 if isinstance(self._what, Timepix3Phantom) else (self._scans or 0)
        try:
            while not self._stop.is_set() and (connections < repeats or endless):
                if connections:
                    self._stop.wait(self._faults.reconnect_s)
                if not self._send_until(most, port, host):
                    repeats += 1
                most, connections = None, connections + 1
        except OSError as error:
            self.error = error

    def _send_until(self, most: int | None, port: int, host: str) -> bool:
        """Send all, or `most` bytes; return whether it was all."""
        sent = 0
        with socket.create_connection((host, port), timeout=10.0) as connection:
            connection.settimeout(None)
            began = time.monotonic()
            for piece in self._pieces():
                if self._stop.is_set():
                    return True
                left = len(piece) if most is None else most - sent
                connection.sendall(piece[:left])
                sent += min(left, len(piece))
                self.sent_bytes += min(left, len(piece))
                if left < len(piece):
                    return False
                if self._rate:
                    ahead = sent / (self._rate * 1e6) - (time.monotonic() - began)
                    self._stop.wait(max(0.0, ahead))
        return True

    def _pieces(self) -> Iterator[memoryview]:
        sent = 0
        faults = self._faults
        for stream in self._streams():
            for first in range(0, len(stream), SEND_BYTES):
                piece = stream[first : first + SEND_BYTES]
                here = range(sent, sent + len(piece))
                if faults.stall_after is not None and faults.stall_after in here:
                    self._stop.wait(faults.stall_s)
                for place, cut, inserted in (
                    (faults.half_word_after, 4, b""),
                    (faults.garbage_after, 0, bytes(range(1, 252))),
                ):
                    if place is not None and place in here:
                        at = place - sent
                        yield piece[:at]
                        yield memoryview(inserted)
                        piece = piece[at + cut :]
                        sent = here.stop - len(piece)
                yield piece
                sent = here.stop

    def _streams(self) -> Iterator[memoryview]:
        if isinstance(self._what, Path):
            with self._what.open("rb") as file:
                while piece := file.read(1 << 22):
                    yield memoryview(piece)
        elif isinstance(self._what, bytes):
            yield memoryview(self._what)
        else:
            yield from self._scans_of(self._what)

    def _scans_of(self, phantom: Timepix3Phantom) -> Iterator[memoryview]:
        scan, began = 0, time.monotonic()
        while self._scans is None or scan < self._scans:
            if self._in_real_time:
                due = scan * phantom.scan_ticks / TICKS_PER_US * 1e-6
                self._stop.wait(max(0.0, due - (time.monotonic() - began)))
            yield memoryview(self._phantom_bytes(phantom, scan))
            scan += 1

    def _phantom_bytes(self, phantom: Timepix3Phantom, scan: int) -> bytes:
        start = CLOCK_LEAD_TICKS
        if self._near_roll_over:
            start += NEAR_ROLL_OVER_TICKS - phantom.scan_ticks // 2
        times, pixels = phantom.electrons_of(scan, start)
        edges = phantom.edges(scan, start)
        return encode_tpx3(times, pixels, edges, chips=phantom.chips).astype("<u8").tobytes()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `crewe-fake-timepix3`; return the exit code."""
    options = _parser().parse_args(arguments)
    what: Path | Timepix3Phantom = Timepix3Phantom(
        scan_shape=tuple(options.scan),
        chips=options.chips,
        electrons=options.electrons,
        dwell_time_us=options.dwell_us,
    )
    if options.file is not None:
        what = options.file
    fake = FakeTimepix3(
        what,
        scans=options.scans or None,
        in_real_time=not options.fast,
        megabytes_per_s=options.rate,
        near_roll_over=options.near_roll_over,
        faults=Faults(
            half_word_after=options.half_word_after,
            garbage_after=options.garbage_after,
            stall_after=options.stall_after,
            disconnect_after=options.disconnect_after,
        ),
    )
    try:
        fake.run(options.port, options.host)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        fake.error = error
    if fake.error is not None:
        sys.stderr.write(f"{options.host}:{options.port}: {fake.error}: does crewe listen there?\n")
        return 1
    sys.stdout.write(f"{fake.sent_bytes:,} bytes sent\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "crewe-fake-timepix3",
        description="Connect like Serval and send a .tpx3 file, or a phantom with line signal.",
    )
    parser.add_argument("file", type=Path, nargs="?", help="a .tpx3 file (else a phantom)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8451)
    parser.add_argument("--scan", type=_shape, default=(256, 256), metavar="ROWSxCOLUMNS")
    parser.add_argument("--chips", type=int, choices=(1, 4), default=4)
    parser.add_argument("--electrons", type=float, default=10.0, help="per probe position")
    parser.add_argument("--dwell-us", type=float, default=1.0)
    parser.add_argument("--scans", type=int, default=0, help="0: without end")
    parser.add_argument("--fast", action="store_true", help="do not keep to the clock")
    parser.add_argument("--rate", type=float, help="at most so many MB/s")
    parser.add_argument("--near-roll-over", action="store_true")
    for fault in ("half-word", "garbage", "stall", "disconnect"):
        parser.add_argument(f"--{fault}-after", type=int, metavar="BYTES")
    return parser


def _shape(text: str) -> tuple[int, int]:
    rows, columns = (int(part) for part in text.lower().split("x"))
    return rows, columns


if __name__ == "__main__":
    raise SystemExit(main())
