import socket
import threading

import numpy as np
import pytest

from crewe.errors import SourceError
from crewe.sources.arrivals import Block, Broken, Connected, Ended, Stalled
from crewe.sources.receiver import Receiver


def nowhere():
    raise SourceError("nobody there")


def everything(receiver):
    """All bytes until the end, and what else was told."""
    content, others = b"", []
    while not isinstance(arrival := receiver.next(), Ended):
        if isinstance(arrival, Block):
            content += arrival.content[arrival.start : arrival.stop].tobytes()
            receiver.give_back(arrival)
        else:
            others.append(arrival)
            if isinstance(arrival, Broken):
                receiver.go_on()
    return content, [*others, arrival]


def test_all_bytes_of_several_connections_come_in_order():
    sent = [np.random.default_rng(n).bytes(n * 10**6) for n in (1, 5, 0)]
    pairs = [socket.socketpair() for _ in sent]
    senders = [
        threading.Thread(
            target=lambda pair=pair, part=part: (pair[0].sendall(part), pair[0].close())
        )
        for pair, part in zip(pairs, sent, strict=True)
    ]
    for sender in senders:
        sender.start()
    later = [pair[1] for pair in pairs[1:]]
    receiver = Receiver(pairs[0][1], lambda: later.pop(0) if later else nowhere(), 0.5)
    content, others = everything(receiver)
    assert content == b"".join(sent)
    assert [type(one) for one in others] == [Broken, Connected] * 2 + [Broken, Ended]
    assert others[-1].problem == "closed the connection; then nobody there"
    receiver.close()
    for sender in senders:
        sender.join()


def test_silence_is_told_once_and_then_ends_it():
    far, near = socket.socketpair()
    with far:
        receiver = Receiver(near, nowhere, patience_s=0.3, stall_s=0.1)
        _, others = everything(receiver)
        assert [type(one) for one in others] == [Stalled, Ended]
        assert others[-1].problem == "is silent"
        receiver.close()


def test_a_few_bytes_are_not_held_back():
    far, near = socket.socketpair()
    with far:
        receiver = Receiver(near, nowhere, patience_s=5)
        far.sendall(b"few")
        arrival = receiver.next()
        assert arrival.content[arrival.start : arrival.stop].tobytes() == b"few"
        receiver.close()
        assert receiver.next() == Ended()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_whoever_waits_hears_of_any_end():
    """Even of one that nobody foresaw."""
    far, near = socket.socketpair()

    def broken_by_mistake():
        raise ValueError

    receiver = Receiver(near, broken_by_mistake, patience_s=5)
    far.close()
    assert isinstance(receiver.next(), Broken)
    receiver.go_on()
    assert receiver.next() == Ended("failed")
    receiver.close()
