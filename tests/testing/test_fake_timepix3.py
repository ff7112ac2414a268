import socket
import threading
import time

import pytest

from crewe.testing.fake_timepix3 import FakeTimepix3, Faults, main
from crewe.testing.timepix3_phantom import Timepix3Phantom

PHANTOM = Timepix3Phantom(scan_shape=(8, 8), electrons=20)


class Sink:
    """Takes what is sent, connection after connection."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.streams = []
        self.thread = threading.Thread(target=self.take, daemon=True)
        self.thread.start()

    def take(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.streams.append(b"")
            with connection:
                while data := connection.recv(1 << 16):
                    self.streams[-1] += data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join()


def sent(what, **options):
    with Sink() as sink:
        with FakeTimepix3(what, **options).start(sink.port) as fake:
            fake.join()
        deadline = time.monotonic() + 5
        while sum(map(len, sink.streams)) < fake.sent_bytes and time.monotonic() < deadline:
            time.sleep(0.01)
    assert fake.error is None
    return sink.streams


CLEAN = b"".join(FakeTimepix3(PHANTOM, scans=2)._pieces())


def test_scans_of_a_phantom_come_in_one_stream():
    assert sent(PHANTOM, scans=2) == [CLEAN]


def test_a_file_is_sent_again_in_a_connection_of_its_own(tmp_path):
    (tmp_path / "a.tpx3").write_bytes(CLEAN)
    faults = Faults(reconnect_s=0.01)
    assert sent(tmp_path / "a.tpx3", scans=3, faults=faults) == [CLEAN] * 3
    assert sent(CLEAN) == [CLEAN]


@pytest.mark.parametrize("at", [0, 1, 5001, (1 << 16) - 4])
def test_faults_are_where_they_were_asked_for(at):
    data = bytes(i * 7 % 251 for i in range(100_000))
    assert sent(data, faults=Faults(half_word_after=at)) == [data[:at] + data[at + 4 :]]
    garbage = bytes(range(1, 252))
    assert sent(data, faults=Faults(garbage_after=at)) == [data[:at] + garbage + data[at:]]
    cut = sent(data, faults=Faults(disconnect_after=at, reconnect_s=0.01))
    assert cut == [data[:at], data]


def test_rate_and_stall_take_their_time():
    data = bytes(1 << 19)
    for options in ({"megabytes_per_s": 2.0}, {"faults": Faults(stall_after=9, stall_s=0.25)}):
        began = time.monotonic()
        sent(data, **options)
        assert 0.2 < time.monotonic() - began < 2.0


def test_the_command_sends_and_says_how_much(capsys):
    options = ["--scan", "8x8", "--electrons", "20", "--scans", "2", "--fast", "--port"]
    with Sink() as sink:
        assert main([*options, str(sink.port)]) == 0
        port = sink.port
    assert f"{len(CLEAN):,} bytes sent" in capsys.readouterr().out
    assert main([*options, str(port)]) == 1
    assert "does crewe listen" in capsys.readouterr().err
