import socket
import threading
import time

import numpy as np
import pytest

from crewe.errors import PlanError, ReadError
from crewe.sources import Scan
from crewe.sources.merlin.control import MerlinControl
from crewe.sources.merlin.header import parse_hdr
from crewe.sources.merlin.live import MerlinLive
from crewe.testing import fake_merlin_program
from crewe.testing.diffraction import lattice_patterns, lattice_shifts
from crewe.testing.fake_merlin import FakeMerlin, Fault
from crewe.testing.fake_merlin_program import rows_and_atoms
from crewe.testing.merlin_messages import FrameMessages

PATTERNS = np.arange(10 * 4 * 8, dtype=np.uint16).reshape(2, 5, 4, 8)


def received(connection, count):
    content = b""
    while len(content) < count and (more := connection.recv(count - len(content))):
        content += more
    return content


def message(connection):
    prefix = received(connection, 15)
    return received(connection, int(prefix[4:14]) - 1) if prefix else b""


def messages(connection):
    while content := message(connection):
        yield content


def client(port):
    return socket.create_connection(("127.0.0.1", port), 2)


def numbers(frames):
    return [int(frame[4:10]) for frame in frames]


def test_nothing_comes_before_the_start_and_then_all_that_was_commanded():
    with FakeMerlin(PATTERNS) as merlin, client(merlin.data_port) as data:
        data.settimeout(0.1)
        with pytest.raises(TimeoutError):
            data.recv(1)
        data.settimeout(2)
        with MerlinControl("127.0.0.1", merlin.command_port) as control:
            control.set("NUMFRAMESTOACQUIRE", 13)
            control.start()
            said = parse_hdr(message(data))
            assert (said.frames, said.counter_depth) == (13, 12)
            frames = [message(data) for _ in range(13)]
            assert numbers(frames) == list(range(1, 14))
            for number, frame in enumerate(frames):
                pixels = np.frombuffer(frame[384:], ">u2").reshape(4, 8)[::-1]
                np.testing.assert_array_equal(pixels, PATTERNS.reshape(10, 4, 8)[number % 10])
            control.start()
            assert message(data).startswith(b"HDR")


def test_a_rate_is_kept():
    server = FakeMerlin(PATTERNS, rate_hz=200, wait=False, frames=40)
    with server as merlin, client(merlin.data_port) as data:
        message(data)
        begin = time.perf_counter()
        for _ in range(40):
            message(data)
        assert 0.19 < time.perf_counter() - begin < 2


def test_stop_ends_an_acquisition_between_frames():
    with (
        FakeMerlin(PATTERNS, rate_hz=1000, frames=10**6) as merlin,
        client(merlin.data_port) as data,
        MerlinControl("127.0.0.1", merlin.command_port) as control,
    ):
        control.start()
        message(data), message(data)
        control.stop()
        data.settimeout(0.2)
        seen = []
        with pytest.raises(TimeoutError):
            seen.extend(iter(lambda: message(data), b""))
        control.set("HVBIAS", 100)


def test_a_soft_trigger_is_waited_for():
    with (
        FakeMerlin(PATTERNS) as merlin,
        client(merlin.data_port) as data,
        MerlinControl("127.0.0.1", merlin.command_port) as control,
    ):
        control.set("TRIGGERSTART", 5)
        control.start()
        assert message(data).startswith(b"HDR")
        data.settimeout(0.1)
        with pytest.raises(TimeoutError):
            data.recv(1)
        control.soft_trigger()
        data.settimeout(2)
        assert message(data).startswith(b"MQ1,000001")


def test_continuous_begins_again_and_the_next_client_too():
    with FakeMerlin(PATTERNS, wait=False, continuous=True) as merlin:
        for _ in range(2):
            with client(merlin.data_port) as data:
                starts = [message(data)[:10] for _ in range(23)]
            assert starts[0] == starts[11] == starts[22] == b"HDR,\t\r\nChi"
            assert numbers(starts[12:22]) == list(range(1, 11))


def test_faults_happen_where_they_are_told_to_and_once():
    faults = [Fault(2, "skip", 2), Fault(5, "twice"), Fault(7, "late")]
    server = FakeMerlin(PATTERNS, wait=False, continuous=True, faults=faults)
    with server as merlin, client(merlin.data_port) as data:
        message(data)
        assert numbers(message(data) for _ in range(9)) == [1, 2, 5, 6, 6, 7, 9, 8, 10]
        message(data)
        assert numbers(message(data) for _ in range(10)) == list(range(1, 11))


@pytest.mark.parametrize(("kind", "then"), [("half", b"HDR,"), ("break", b"MQ1,000004")])
def test_a_broken_connection_starts_anew_or_goes_on(kind, then):
    with FakeMerlin(PATTERNS, wait=False, faults=[Fault(2, kind)]) as merlin:
        with client(merlin.data_port) as data:
            received = list(messages(data))
            assert numbers(received[1:3]) == [1, 2]
            assert 0 < len(received[3]) < len(received[2])
        with client(merlin.data_port) as data:
            assert message(data).startswith(then)


def test_large_sets_are_sent_at_the_speed_of_the_socket():
    """Blocks are prepared: putting a message together per frame would take many times as long."""
    patterns = np.zeros((64, 256, 256), np.uint16)
    server = FakeMerlin(patterns, wait=False, frames=2000)
    with server as merlin, client(merlin.data_port) as data:
        message(data)
        room, count = memoryview(bytearray(2**20)), 0
        begin = time.perf_counter()
        while count < 2000 * merlin.messages.message_bytes:
            count += data.recv_into(room)
        seconds = time.perf_counter() - begin

    assert count / seconds > 2e8


def test_who_connects_while_patterns_are_prepared_is_heard_and_waits():
    gate = threading.Event()

    def patterns():
        gate.wait(10)
        return PATTERNS

    with FakeMerlin(patterns) as merlin, client(merlin.data_port) as data:
        with MerlinControl("127.0.0.1", merlin.command_port, timeout_s=1) as control:
            control.set("NUMFRAMESTOACQUIRE", 3)
            control.start()
        assert not merlin.ready.is_set()
        gate.set()
        assert parse_hdr(message(data)).frames == 3
        assert numbers(message(data) for _ in range(3)) == [1, 2, 3]


def test_what_fails_in_preparing_is_kept():
    with FakeMerlin(lambda: PATTERNS + 5000) as merlin:
        until = time.monotonic() + 5
        while merlin.problem is None and time.monotonic() < until:
            time.sleep(0.01)
        assert "do not fit in 12 bits" in str(merlin.problem)


@pytest.mark.parametrize("scan", [(128, 128), (512, 512), (500, 300), (1024, 64), (127, 127)])
@pytest.mark.parametrize("detector", [(64, 64), (256, 256)])
def test_rows_sent_over_and_over_are_the_whole_phantom(scan, detector):
    rows, across = rows_and_atoms(scan, detector)
    shifts = lattice_shifts(scan, across)
    repeated = np.resize(np.moveaxis(shifts[:, :rows], 1, 0), (2 * scan[0], 2, scan[1]))
    np.testing.assert_allclose(
        repeated, np.concatenate(2 * [np.moveaxis(shifts, 1, 0)]), atol=1e-12
    )
    drawn_bytes = 2 * rows * scan[1] * np.prod(detector)
    # A lattice needs one period; only rows that no small number divides have a long one.
    assert drawn_bytes <= fake_merlin_program.MOST_BYTES or rows <= 21 or scan[0] == 127


def test_impossible_wishes_are_refused():
    with pytest.raises(PlanError, match="0 frames"):
        FakeMerlin(PATTERNS, frames=0)
    with FakeMerlin(PATTERNS) as merlin, pytest.raises(PlanError, match="give another port"):
        FakeMerlin(PATTERNS, data_port=merlin.data_port)


def test_the_program_serves_a_file_and_ends(tmp_path, capsys):
    file = tmp_path / "scan.mib"
    frames = FrameMessages.of_patterns(PATTERNS)
    file.write_bytes(frames.block(0, 10, 1)[:, 15:].tobytes())
    port = free_port()
    arguments = [str(file), "--no-wait", "--runs", "1", "--data-port", str(port)]
    codes = []
    thread = threading.Thread(
        target=lambda: codes.append(
            fake_merlin_program.main([*arguments, "--command-port", "0", "--fault", "skip@3"])
        )
    )
    thread.start()
    until = time.monotonic() + 5
    while "Merlin" not in capsys.readouterr().err and time.monotonic() < until:
        time.sleep(0.02)
    with MerlinLive("127.0.0.1", Scan((2, 5)), data_port=port, command_port=None) as source:
        positions = np.concatenate([batch.positions for batch in source.batches()])
    thread.join()
    assert codes == [0]
    assert positions.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_the_program_listens_at_once_and_says_that_it_prepares(capsys):
    ports = [free_port(), free_port()]
    places = ["--data-port", str(ports[0]), "--command-port", str(ports[1])]
    wanted = ["--scan", "16x8", "--detector", "32x32", "--depth", "24", "--runs", "2"]
    codes = []
    thread = threading.Thread(
        target=lambda: codes.append(fake_merlin_program.main([*places, *wanted]))
    )
    thread.start()
    until, said = time.monotonic() + 5, ""
    while "preparing" not in said and time.monotonic() < until:
        said += capsys.readouterr().err
        time.sleep(0.01)
    for _ in range(2):
        source = MerlinLive("127.0.0.1", Scan((16, 8)), data_port=ports[0], command_port=ports[1])
        with source:
            patterns = np.concatenate([batch.patterns for batch in source.batches()])
        assert patterns.shape == (128, 32, 32)
    thread.join()
    assert codes == [0]
    rng = np.random.default_rng(0)
    sent = lattice_patterns((16, 8), (32, 32), 1000, rng).reshape(patterns.shape)
    np.testing.assert_array_equal(patterns, sent)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.mark.parametrize(
    "wrong", [["--scan", "64"], ["--fault", "explode@3"], ["--depth", "8"], ["--rate", "-1"]]
)
def test_the_program_explains_wrong_arguments(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        fake_merlin_program.main(wrong)
    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err


def test_the_program_explains_files_that_are_none(tmp_path, capsys):
    assert fake_merlin_program.main([str(tmp_path / "none.mib")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    other = tmp_path / "other.mib"
    other.write_bytes(b"no frames")
    assert fake_merlin_program.main([str(other)]) == 2
    assert "no Merlin frame" in capsys.readouterr().err
    with pytest.raises(ReadError):
        FakeMerlin(other)
