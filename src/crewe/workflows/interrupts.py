"""Ending a run early by Ctrl-C without losing what it has."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def closed_when(
    stopping: threading.Event, became_stopping: Callable[[], None], close: Callable[[], None]
) -> Iterator[None]:
    """Call `became_stopping` and `close` once the event is set; the first Ctrl-C sets it."""
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if stopping.wait(0.1):
                became_stopping()
                close()
                return

    watcher = threading.Thread(target=watch, name="stop", daemon=True)
    watcher.start()
    try:
        with first_interrupt(stopping.set):
            yield
    finally:
        over.set()
        watcher.join()


@contextmanager
def first_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first Ctrl-C call `stop`; the next one interrupts as usual."""
    # Python lets no other thread handle signals.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def first(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
