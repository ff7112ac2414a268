"""A thread that keeps a socket empty, so that processing never holds up the detector."""

from __future__ import annotations

import queue
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CreweError, SourceError
from crewe.sources.arrivals import (
    HEADROOM_BYTES,
    Arrival,
    Block,
    Broken,
    Connected,
    Ended,
    Stalled,
)

BLOCKS, BLOCK_BYTES = 16, 2 * 2**20
LONGEST_WAIT_S = 0.02
"""How long bytes may lie in a block that is not yet full."""
ENOUGH_BYTES = 2**19
"""Wake up for so many bytes at once; for fewer only after the longest wait."""
WORD_BYTES = 8
"""Words of so many bytes, counted from the start of a connection, stay aligned in every block."""
STALL_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0


class Receiver:
    """Receives into a few large blocks, and connects again when the connection breaks.

    `reconnect` returns another connected socket or raises SourceError; without it there is one
    connection only. Silence, disconnection included, is borne for `patience_s`; time in which all
    blocks are full does not count. `keep` is shown all bytes in order before anybody else.
    """

    def __init__(
        self,
        connection: socket.socket,
        reconnect: Callable[[], socket.socket] | None,
        patience_s: float,
        stall_s: float = STALL_S,
        keep: Callable[[memoryview], None] | None = None,
    ) -> None:
        self._socket, self._reconnect = connection, reconnect
        self._patience_s, self._stall_s, self._keep = patience_s, stall_s, keep
        # The block used last is filled next: while processing keeps up, all stays in the cache.
        self._free: queue.LifoQueue[NDArray[np.uint8]] = queue.LifoQueue()
        self._arrived: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        for _ in range(BLOCKS):
            self._free.put(np.empty(HEADROOM_BYTES + BLOCK_BYTES, np.uint8))
        self._silence_s = 0.0
        self._told_stall = False
        self._closing, self._go_on = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)
        self._thread.start()

    def next(self) -> Arrival:
        """Return what came next; waits for it."""
        while True:
            # Not for ever at once: where that holds up Ctrl-C.
            with suppress(queue.Empty):
                return self._arrived.get(timeout=0.5)

    def give_back(self, block: Block) -> None:
        """Let a block be filled again."""
        self._free.put(block.content)

    def go_on(self) -> None:
        """Let it connect again after the connection broke."""
        self._go_on.set()

    def close(self) -> None:
        """End it; whoever waits for `next` is told. May be called twice and from any thread."""
        self._closing.set()
        self._go_on.set()
        # Wakes the thread where it waits for a block.
        self._free.put(np.empty(0, np.uint8))
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._arrived.put(Ended())
        if threading.current_thread() is not self._thread:
            # It may be connecting; it ends by itself after that.
            self._thread.join(1.0)

    def _run(self) -> None:
        problem, reason = "failed", None
        try:
            problem = self._receive_until_impatient()
        except CreweError as error:
            problem, reason = f"failed: {error}", error
        finally:
            # Whoever waits must hear of the end, whatever it was.
            self._arrived.put(Ended("" if self._closing.is_set() else problem, reason))

    def _receive_until_impatient(self) -> str:
        problem: str | None = ""
        while not self._closing.is_set() and self._silence_s <= self._patience_s:
            with self._socket:
                _wake_for_much(self._socket)
                problem = self._receive()
            if problem is None or self._closing.is_set():
                break
            self._arrived.put(Broken(problem))
            if self._reconnect is None:
                break
            self._go_on.wait()
            self._go_on.clear()
            problem = self._connect_again(self._reconnect, problem)
        return problem or "is silent"

    def _receive(self) -> str | None:
        """Pass on blocks until the connection ends; None where silence lasted too long."""
        phase = 0
        while not self._closing.is_set():
            content = self._free.get()
            if not content.size:
                break
            start = HEADROOM_BYTES + phase
            stop, problem = self._fill(content, start)
            if stop > start:
                if self._keep is not None:
                    self._keep(content[start:stop].data)
                self._arrived.put(Block(content, start, stop))
                phase = stop % WORD_BYTES
            else:
                self._free.put(content)
            if problem is not None:
                return problem
            if self._silence_s > self._patience_s:
                return None
        return ""

    def _fill(self, content: NDArray[np.uint8], start: int) -> tuple[int, str | None]:
        """Receive into one block until it is full or lay there long enough, or nothing comes."""
        room, stop = content.data, start
        until = time.monotonic() + LONGEST_WAIT_S
        while stop < content.size and (wait := until - time.monotonic()) > 0:
            try:
                count = self._receive_into(room[stop:], wait)
            except TimeoutError:
                break
            except OSError as error:
                return stop, f"lost the connection ({error.strerror or error})"
            if not count:
                return stop, "closed the connection"
            stop += count
        if stop == start:
            self._bear_silence(LONGEST_WAIT_S)
        else:
            self._silence_s, self._told_stall = 0.0, False
        return stop, None

    def _receive_into(self, room: memoryview, wait_s: float) -> int:
        """Receive what has come when it is enough, or else after a while; or raise TimeoutError."""
        self._socket.settimeout(wait_s)
        try:
            return self._socket.recv_into(room)
        except TimeoutError:
            self._socket.setblocking(False)
            try:
                return self._socket.recv_into(room)
            except BlockingIOError as error:
                raise TimeoutError from error

    def _bear_silence(self, seconds: float) -> None:
        self._silence_s += seconds
        if self._silence_s >= self._stall_s and not self._told_stall:
            self._told_stall = True
            self._arrived.put(Stalled(self._silence_s))

    def _connect_again(self, reconnect: Callable[[], socket.socket], problem: str) -> str:
        """Try to connect until it works or patience is over; returns the latest problem."""
        pause = FIRST_PAUSE_S
        while not self._closing.is_set() and self._silence_s <= self._patience_s:
            began = time.monotonic()
            if self._closing.wait(pause):
                break
            pause = min(2 * pause, LONGEST_PAUSE_S)
            try:
                self._socket = reconnect()
            except SourceError as error:
                problem = f"{problem.split('; then ')[0]}; then {error}"
                continue
            finally:
                self._silence_s += time.monotonic() - began
            if self._closing.is_set():
                self._socket.close()
            self._arrived.put(Connected())
            break
        return problem


def _wake_for_much(connection: socket.socket) -> None:
    """Wake up once for many packets. Elsewhere a small socket buffer may never hold enough."""
    if sys.platform == "linux":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, ENOUGH_BYTES)
