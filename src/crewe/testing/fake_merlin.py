"""A Merlin detector to rehearse with: command and data socket, frames from a file or a phantom.

    with FakeMerlin(patterns) as merlin:
        source = MerlinLive("127.0.0.1", scan, data_port=merlin.data_port, ...)

As a program: `crewe-fake-merlin --help` (fake_merlin_program.py).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CreweError, PlanError
from crewe.sources.merlin.wire import PREFIX_BYTES, message
from crewe.testing.fake_merlin_commands import Commands, listening
from crewe.testing.merlin_messages import FrameMessages, announcement, frame_header

BLOCK_BYTES = 4 * 2**20
SOFT_TRIGGER = "5"

FaultKind = Literal[
    "half", "break", "cut", "garbage", "shape", "header", "skip", "twice", "late", "stall"
]


Patterns = NDArray[Any] | str | Path


@dataclass(frozen=True)
class Fault:
    """What goes wrong, once, before frame `at` (from 0) of the first acquisition.

    half: half of the frame, then the connection closes and the acquisition ends. break: the same,
    but the acquisition goes on with the next frame once somebody connects. cut: half of the frame,
    then the next. garbage: `amount` bytes that are no message. shape: a frame of other shape in
    its place. header: its header is garbled. skip: `amount` frames are left out. twice: it is
    sent twice. late: it is sent after the next one. stall: nothing for `amount` seconds.
    """

    at: int
    kind: FaultKind
    amount: float = 1


class FakeMerlin:
    """Serves patterns as a Merlin detector does; starts on entering, ends on leaving.

    `patterns` are (frame, ky, kx) or (rows, columns, ky, kx) counts, or the path of a .mib file, or
    what returns such counts: it is called on entering, while all may connect already, and what
    fails then is kept in `problem`. An acquisition has `frames` (as many as commanded, or all),
    repeating the patterns, `rate_hz` of them per second or as many as the receiver takes (0). It
    begins on STARTACQUISITION, or with `wait=False` as soon as somebody connects; `continuous`
    begins another after each. `stale` bytes wait for the first who connects. A port 0 becomes any
    free one, to be read from `data_port` and `command_port`. Raises PlanError for patterns that the
    counter depth cannot hold.
    """

    def __init__(
        self,
        patterns: Patterns | Callable[[], NDArray[Any]],
        *,
        counter_depth: int = 12,
        raw: bool = False,
        frames: int | None = None,
        rate_hz: float = 0.0,
        wait: bool = True,
        continuous: bool = False,
        faults: Sequence[Fault] = (),
        stale: bytes = b"",
        host: str = "127.0.0.1",
        data_port: int = 0,
        command_port: int = 0,
    ) -> None:
        if frames is not None and frames < 1:
            raise PlanError(f"{frames} frames of an acquisition: give 1 or more")
        self.messages: FrameMessages
        self.ready = threading.Event()
        self.problem: CreweError | None = None
        self._patterns, self._raw, self.counter_depth = patterns, raw, counter_depth
        if not callable(patterns):
            self._prepare(patterns)
        self.frames, self.rate_hz = frames, rate_hz
        self.wait, self.continuous, self.stale = wait, continuous, stale
        self._faults = sorted(faults, key=lambda fault: fault.at)
        self._listener = listening(host, data_port)
        self.data_port: int = self._listener.getsockname()[1]
        self.commands = Commands(listening(host, command_port))
        self.command_port = self.commands.port
        self.acquisitions = self.finished = 0
        """Acquisitions begun, and those sent to their end."""
        self._resume_at: int | None = None
        self._connection: socket.socket | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.commands.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close all connections at once, in the middle of a frame if need be."""
        self._closing.set()
        self.commands.stop()
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _prepare(self, patterns: Patterns) -> None:
        if isinstance(patterns, str | Path):
            self.messages = FrameMessages.of_file(patterns)
        else:
            self.messages = FrameMessages.of_patterns(patterns, self.counter_depth, raw=self._raw)
        self.ready.set()

    def _serve(self) -> None:
        try:
            if callable(self._patterns):
                self._prepare(self._patterns())
        except CreweError as error:
            self.problem = error
            return
        while not self._closing.is_set():
            with suppress(TimeoutError):
                self._connection, _ = self._listener.accept()
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with suppress(OSError), self._connection:
                    self._connection.settimeout(None)
                    self._attend(self._connection)
                self.commands.acquiring.clear()

    def _attend(self, connection: socket.socket) -> None:
        """Send acquisitions to one client until it leaves."""
        connection.sendall(self.stale)
        self.stale = b""
        begin_at_once = not self.wait
        while _connected(connection) and not self._closing.is_set():
            if self._resume_at is not None:
                first, self._resume_at = self._resume_at, None
                self._acquire(connection, first)
            elif begin_at_once or self.commands.started(0.02):
                self._acquire(connection)
                begin_at_once = self.continuous and not self.commands.stopped.is_set()

    def _acquire(self, connection: socket.socket, first: int = 0) -> None:
        self.commands.acquiring.set()
        frames = self.frames or self.commands.number("NUMFRAMESTOACQUIRE") or len(self.messages)
        if not first:
            self.acquisitions += 1
            per_trigger = self.commands.number("NUMFRAMESPERTRIGGER") or 1
            connection.sendall(message(announcement(frames, per_trigger, self.counter_depth)))
            if self.commands.settings["TRIGGERSTART"] == SOFT_TRIGGER:
                self._await_trigger()
        begin, sent = time.perf_counter(), 0
        for block in self._blocks(first, frames):
            connection.sendall(block.data)
            sent += len(block)
            if self._stopped(begin + sent / self.rate_hz if self.rate_hz else 0.0):
                break
        else:
            self.finished += 1
        self.commands.acquiring.clear()

    def _await_trigger(self) -> None:
        while not (self.commands.triggered.wait(0.02) or self._stopped()):
            pass
        self.commands.triggered.clear()

    def _stopped(self, due: float = 0.0) -> bool:
        """Wait until a time is due, and tell whether to end before."""
        wait = max(0.0, due - time.perf_counter())
        return self.commands.stopped.wait(wait) or self._closing.is_set()

    def _blocks(self, first: int, frames: int) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames of an acquisition in large blocks, and let faults happen between."""
        most = max(1, BLOCK_BYTES // self.messages.message_bytes)
        if self.rate_hz:
            most = min(most, max(1, int(self.rate_hz * 0.005)))
        at = first
        while at < frames:
            if self._faults and self._faults[0].at <= at:
                at += yield from self._fail(self._faults.pop(0), at)
                continue
            until = min(frames, self._faults[0].at if self._faults else frames)
            block = self.messages.block(at, min(most, until - at), at + 1)
            yield block
            at += len(block)

    def _fail(self, fault: Fault, at: int) -> Generator[NDArray[np.uint8], None, int]:
        """Let one fault happen; returns how many frames are over with it."""
        frame = self.messages.block(at, 1, at + 1)[:1].copy()
        half = frame[:, : frame.shape[1] // 2]
        if fault.kind in ("half", "break"):
            yield half
            self._resume_at = at + 1 if fault.kind == "break" else None
            raise ConnectionAbortedError
        if fault.kind == "stall":
            self._stopped(time.perf_counter() + fault.amount)
            return 0
        if fault.kind == "garbage":
            yield np.full((1, int(fault.amount)), ord("~"), np.uint8)
            return 0
        if fault.kind == "skip":
            return int(fault.amount)
        if fault.kind == "shape":
            other = message(frame_header((4, 4)) + bytes(32))
            yield np.frombuffer(other, np.uint8)[None]
        elif fault.kind == "header":
            frame[:, PREFIX_BYTES + 10 : PREFIX_BYTES + 60] = ord("?")
            yield frame
        elif fault.kind == "late":
            yield self.messages.block(at + 1, 1, at + 2)
            yield frame
            return 2
        else:
            yield half if fault.kind == "cut" else np.concatenate([frame, frame])
        return 1


def _connected(connection: socket.socket) -> bool:
    """Tell whether the client is still there; what it says is of no interest."""
    connection.setblocking(False)
    try:
        return bool(connection.recv(4096))
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        connection.setblocking(True)
