import os
import signal
import threading
import time

import pytest

from crewe.workflows.interrupts import closed_when, first_interrupt


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)


def test_the_first_interrupt_stops_and_the_second_interrupts():
    calls = []
    with first_interrupt(lambda: calls.append("stop")):
        interrupt()
        assert calls == ["stop"]
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert calls == ["stop"]


def test_what_is_stopped_is_closed_once():
    stopping, said = threading.Event(), []
    closed = threading.Event()
    with closed_when(stopping, lambda: said.append("stopping"), closed.set):
        assert not closed.is_set()
        interrupt()
        assert closed.wait(2)
    assert stopping.is_set()
    assert said == ["stopping"]


def test_what_ends_by_itself_is_not_closed():
    stopping, closed = threading.Event(), threading.Event()
    with closed_when(stopping, lambda: None, closed.set):
        pass
    stopping.set()
    assert not closed.wait(0.2)


def test_other_threads_leave_interrupts_alone():
    before, seen = signal.getsignal(signal.SIGINT), []

    def inside():
        with first_interrupt(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [before]
