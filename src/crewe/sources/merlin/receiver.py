"""A thread that keeps a socket empty, so that processing never holds up the detector."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe.errors import SourceError

BLOCKS, BLOCK_BYTES = 16, 2 * 2**20
HEADROOM_BYTES = 5 * 2**18
"""Room before each block for the incomplete message that the block before left over."""
LONGEST_WAIT_S = 0.02
"""How long bytes may lie in a block that is not yet full."""
STALL_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes as they came, from HEADROOM_BYTES to `stop`; to be given back when read."""

    content: NDArray[np.uint8]
    stop: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection ended; another will be tried after `go_on`."""

    problem: str


@dataclass(frozen=True, slots=True)
class Connected:
    """What follows comes over another connection."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """Nothing has come for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing follows: patience is over, or it was closed (no problem)."""

    problem: str = ""


Arrival = Block | Broken | Connected | Stalled | Ended


class Receiver:
    """Receives into a few large blocks, and connects again when the connection breaks.

    `reconnect` returns another connected socket or raises SourceError. Silence, disconnection
    included, is borne for `patience_s`; time in which all blocks are full does not count.
    """

    def __init__(
        self,
        connection: socket.socket,
        reconnect: Callable[[], socket.socket],
        patience_s: float,
        stall_s: float = STALL_S,
    ) -> None:
        self._socket, self._reconnect = connection, reconnect
        self._patience_s, self._stall_s = patience_s, stall_s
        # The block used last is filled next: while processing keeps up, all stays in the cache.
        self._free: queue.LifoQueue[NDArray[np.uint8]] = queue.LifoQueue()
        self._arrived: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
        for _ in range(BLOCKS):
            self._free.put(np.empty(HEADROOM_BYTES + BLOCK_BYTES, np.uint8))
        self._silence_s = 0.0
        self._told_stall = False
        self._closing, self._go_on = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="merlin-receiver", daemon=True)
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
        problem: str | None = ""
        while not self._closing.is_set() and self._silence_s <= self._patience_s:
            with self._socket:
                problem = self._receive()
            if problem is None:
                break
            self._arrived.put(Broken(problem))
            self._go_on.wait()
            self._go_on.clear()
            problem = self._connect_again(problem)
        self._arrived.put(Ended("" if self._closing.is_set() else problem or "is silent"))

    def _receive(self) -> str | None:
        """Pass on blocks until the connection ends; None where silence lasted too long."""
        while not self._closing.is_set():
            content = self._free.get()
            if not content.size:
                break
            stop, problem = self._fill(content)
            if stop > HEADROOM_BYTES:
                self._arrived.put(Block(content, stop))
            else:
                self._free.put(content)
            if problem is not None:
                return problem
            if self._silence_s > self._patience_s:
                return None
        return ""

    def _fill(self, content: NDArray[np.uint8]) -> tuple[int, str | None]:
        """Receive into one block until it is full or lay there long enough, or nothing comes."""
        room, stop = content.data, HEADROOM_BYTES
        until = 0.0
        while stop < content.size:
            wait = 0.1 if stop == HEADROOM_BYTES else until - time.monotonic()
            if wait <= 0:
                break
            self._socket.settimeout(wait)
            try:
                count = self._socket.recv_into(room[stop:])
            except TimeoutError:
                if stop == HEADROOM_BYTES:
                    self._bear_silence(wait)
                break
            except OSError as error:
                return stop, f"lost the connection ({error.strerror or error})"
            if not count:
                return stop, "closed the connection"
            if stop == HEADROOM_BYTES:
                until = time.monotonic() + LONGEST_WAIT_S
                self._silence_s, self._told_stall = 0.0, False
            stop += count
        return stop, None

    def _bear_silence(self, seconds: float) -> None:
        self._silence_s += seconds
        if self._silence_s >= self._stall_s and not self._told_stall:
            self._told_stall = True
            self._arrived.put(Stalled(self._silence_s))

    def _connect_again(self, problem: str) -> str:
        """Try to connect until it works or patience is over; returns the latest problem."""
        pause = FIRST_PAUSE_S
        while not self._closing.is_set() and self._silence_s <= self._patience_s:
            began = time.monotonic()
            if self._closing.wait(pause):
                break
            pause = min(2 * pause, LONGEST_PAUSE_S)
            try:
                self._socket = self._reconnect()
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
