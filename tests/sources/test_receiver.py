import socket
import threading

import numpy as np
import pytest

from crewe.errors import SourceError, WriteError
from crewe.sources.arrivals import Block, Broken, Connected, Ended, Stalled
from crewe.sources.receiver import BLOCK_BYTES, BLOCKS, Receiver


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


def test_words_of_eight_stay_aligned_in_blocks_of_any_length():
    far, near = socket.socketpair()
    receiver, before = Receiver(near, None, patience_s=5), 0
    with far:
        for length in (3, 8, 13, 1, 7):
            far.sendall(bytes(length))
            block = receiver.next()
            assert (block.content.ctypes.data + block.start - before) % 8 == 0
            before += block.stop - block.start
            receiver.give_back(block)
    assert before == 32
    receiver.close()


def test_without_another_connection_a_broken_one_is_the_end():
    far, near = socket.socketpair()
    receiver = Receiver(near, None, patience_s=5)
    far.sendall(b"all")
    far.close()
    content, others = everything(receiver)
    assert content == b"all"
    assert [type(one) for one in others] == [Broken, Ended]
    receiver.close()


def test_the_sender_waits_while_no_block_is_free_and_patience_does_not_run_out():
    far, near = socket.socketpair()
    sent = np.random.default_rng(0).bytes((BLOCKS + 4) * BLOCK_BYTES)
    kept = []
    receiver = Receiver(near, None, patience_s=0.2, keep=lambda data: kept.append(bytes(data)))
    sender = threading.Thread(target=lambda: (far.sendall(sent), far.close()))
    sender.start()
    sender.join(1.0)
    assert sender.is_alive()
    assert sum(map(len, kept)) <= BLOCKS * BLOCK_BYTES
    content, others = everything(receiver)
    assert content == b"".join(kept) == sent
    assert [type(one) for one in others] == [Broken, Ended]
    sender.join()
    receiver.close()


def test_what_keeping_raises_is_told():
    far, near = socket.socketpair()
    full = WriteError("no space left")

    def fail(data):
        raise full

    with far:
        receiver = Receiver(near, None, patience_s=5, keep=fail)
        far.sendall(b"some")
        assert receiver.next() == Ended("failed: no space left", full)
        receiver.close()
