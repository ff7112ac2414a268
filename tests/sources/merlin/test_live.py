import socket
import threading
import time
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest

from crewe.errors import PlanError, SourceError
from crewe.sources import Scan, Source
from crewe.sources.merlin.control import AcquisitionSettings
from crewe.sources.merlin.file import MerlinFile
from crewe.sources.merlin.live import MOST_GARBAGE_BYTES, MerlinLive
from crewe.testing.fake_merlin import FakeMerlin, Fault
from crewe.testing.merlin_messages import FrameMessages

SCAN = Scan((4, 6))
MISSING = -1


def numbered_patterns(frames, shape=(3, 64), depth=12):
    """Patterns that hold their own number in every pixel, as far as the depth goes."""
    counts = (np.arange(frames)[:, None, None] + np.arange(shape[0] * shape[1]).reshape(shape)) * 7
    return (counts % 2**depth).astype(np.uint32)


PATTERNS = numbered_patterns(24)


def live(server, scan=SCAN, **options):
    options = {"command_port": server.command_port, "patience_s": 5.0} | options
    return MerlinLive("127.0.0.1", scan, data_port=server.data_port, **options)


def collected(source, patterns=PATTERNS, scan=SCAN):
    """Which pattern each scan holds at each position, by number; every pixel is compared."""
    found = {}
    for batch in source.batches():
        held = found.setdefault(batch.scan, np.full(scan.size, MISSING))
        assert batch.patterns.shape[1:] == source.detector_shape
        assert (held[batch.positions] == MISSING).all()
        frames = frame_numbers(scan)[batch.positions] % len(patterns)
        np.testing.assert_array_equal(batch.patterns, patterns[frames])
        held[batch.positions] = batch.positions
    return {number: np.flatnonzero(held == MISSING).tolist() for number, held in found.items()}


def frame_numbers(scan):
    """The frame of each position of the first scan."""
    frames = np.arange(scan.frames_per_scan + scan.sync_offset)
    _, positions = scan.place(frames)
    return frames[positions >= 0]


def counts(source):
    counters = source.counters
    assert counters.received == (
        counters.used + counters.flyback + counters.late + counters.unreadable
    )
    return counters.used, counters.dropped, counters.late, counters.unreadable


@pytest.mark.parametrize("command", [True, False])
def test_a_scan_arrives_whole_and_ends(command):
    with FakeMerlin(PATTERNS, wait=command) as server:
        ports = {} if command else {"command_port": None}
        with live(server, **ports) as source:
            assert isinstance(source, Source)
            assert collected(source) == {0: []}
            assert counts(source) == (24, 0, 0, 0)
            assert not source.counters.faults
            assert list(source.batches()) == []


@pytest.mark.parametrize("depth", [1, 6, 12, 24])
@pytest.mark.parametrize("raw", [False, True])
def test_every_depth_arrives_with_the_right_pixels(depth, raw):
    patterns = numbered_patterns(24, depth=depth) * 41 % 2**depth
    with (
        FakeMerlin(patterns, counter_depth=depth, raw=raw) as server,
        live(server, scans=1) as source,
    ):
        assert collected(source, patterns) == {0: []}


def test_flyback_is_left_out_and_several_scans_follow():
    scan = Scan((3, 4), flyback_per_line=1, flyback_per_scan=2, sync_offset=3)
    patterns = numbered_patterns(3 + 2 * scan.frames_per_scan)
    with FakeMerlin(patterns) as server, live(server, scan, scans=2) as source:
        found = {0: [], 1: []}
        for batch in source.batches():
            frames = frame_numbers(scan)[batch.positions] + batch.scan * scan.frames_per_scan
            np.testing.assert_array_equal(batch.patterns, patterns[frames])
            found[batch.scan] += batch.positions.tolist()
        assert found == {0: list(range(12)), 1: list(range(12))}
        assert source.counters.flyback == 3 + 2 + 3 + 2
        assert server.commands.number("NUMFRAMESTOACQUIRE") == 3 + 2 * 17


def test_settings_reach_the_detector_before_the_start():
    settings = AcquisitionSettings(counter_depth=12, trigger="rising", trigger_per="line")
    scan = Scan((4, 6), dwell_time_us=500)
    with FakeMerlin(PATTERNS) as server, live(server, scan, scans=1, settings=settings):
        commanded = server.commands.settings
        assert commanded["ACQUISITIONTIME"] == commanded["ACQUISITIONPERIOD"] == "0.5"
        assert (commanded["TRIGGERSTART"], commanded["NUMFRAMESPERTRIGGER"]) == ("1", "6")
        assert server.commands.log[-1] == "CMD,STARTACQUISITION"


@pytest.mark.parametrize("continuous", [False, True])
def test_the_next_acquisition_is_started_when_the_announced_frames_have_passed(continuous):
    """One that begins by itself meanwhile is followed as well."""
    with (
        FakeMerlin(PATTERNS, frames=30, continuous=continuous) as server,
        live(server, scans=3) as source,
    ):
        assert collected(source) == {0: [], 1: list(range(6, 24)), 2: [], 3: [*range(6, 24)], 4: []}
        assert continuous or server.acquisitions == 3
        assert counts(source) == (2 * 30 + 24, 0, 0, 0)
        assert not source.counters.faults


def test_the_next_is_started_over_another_command_connection_when_the_first_is_lost():
    with FakeMerlin(PATTERNS, frames=24, rate_hz=500) as server, live(server, scans=2) as source:
        source.control.close()
        assert collected(source) == {0: [], 1: []}


def test_a_next_acquisition_that_cannot_be_started_ends_it_with_the_reason(monkeypatch):
    server = FakeMerlin(PATTERNS, frames=24, rate_hz=200)
    with server, live(server, scans=2) as source:
        monkeypatch.setattr(server.commands, "_command", lambda name: 2)
        seen = []
        with pytest.raises(SourceError, match="refuses CMD,STARTACQUISITION"):
            seen.extend(source.batches())
        assert sum(len(batch.positions) for batch in seen) == 24


def test_a_soft_trigger_sets_it_off():
    settings = AcquisitionSettings(trigger="soft")
    with (
        FakeMerlin(PATTERNS) as server,
        live(server, settings=settings, detector_shape=(3, 64)) as source,
    ):
        source.control.soft_trigger()
        assert collected(source) == {0: []}


# What is missing of scan 0, and used, dropped, late, unreadable frames.
FAULTS = {
    "skip": ([Fault(5, "skip", 3)], [5, 6, 7], (21, 3, 0, 0)),
    "twice": ([Fault(5, "twice")], [], (24, 0, 1, 0)),
    "late": ([Fault(5, "late")], [5], (23, 1, 1, 0)),
    "garbage": ([Fault(5, "garbage", 1000)], [], (24, 0, 0, 0)),
    "little garbage": ([Fault(5, "garbage", 3)], [], (24, 0, 0, 0)),
    "other shape": ([Fault(5, "shape")], [5], (23, 0, 0, 1)),
    "wrong header": ([Fault(5, "header")], [5], (23, 0, 0, 1)),
    "frame left off": ([Fault(5, "cut")], [5], (23, 0, 0, 1)),
    "first lost": ([Fault(0, "skip")], [0], (23, 1, 0, 0)),
    "last lost": ([Fault(23, "skip", 1)], [23], (23, 1, 0, 0)),
    "several": ([Fault(3, "header"), Fault(9, "skip", 2), Fault(15, "twice")], [3, 9, 10], None),
    "disconnected": ([Fault(5, "break")], [5], (23, 0, 0, 1)),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_shifts_nothing_and_is_counted(case):
    faults, missing, expected = FAULTS[case]
    # Of a lost end only the next frame can tell.
    frames = 25 if case == "last lost" else 24
    with FakeMerlin(PATTERNS, wait=False, frames=frames, faults=faults) as server:
        with live(server, command_port=None, scans=1) as source:
            assert collected(source) == {0: missing}
        assert expected is None or counts(source) == expected
        assert source.counters.faults


def test_half_a_frame_then_a_new_start_continues_with_the_next_scan():
    with FakeMerlin(PATTERNS, faults=[Fault(5, "half")]) as server:
        with live(server, scans=1) as source:
            assert collected(source) == {0: list(range(5, 24)), 1: []}
        assert counts(source) == (5 + 24, 0, 0, 1)
        assert source.counters.faults["connection broken"] == 1
        assert server.acquisitions == 2


@pytest.mark.parametrize("command", [True, False])
def test_a_server_killed_in_mid_frame_and_restarted_is_survived(command):
    patterns = numbered_patterns(24, (256, 256))
    first = FakeMerlin(patterns, rate_hz=200, wait=command)
    ports = {"data_port": first.data_port, "command_port": first.command_port}
    with first:
        used = ports if command else ports | {"command_port": None}
        source = MerlinLive("127.0.0.1", SCAN, scans=1, patience_s=5, **used)
        # Past some frames the socket is full of others: the end comes within one.
        next(source.batches())
        first.stop()
    with source, FakeMerlin(patterns, wait=command, **ports) as second:
        found = collected(source, patterns)
        assert found[1] == []
        assert second.acquisitions == 1
        assert source.counters.faults["connection broken"] >= 1


def test_stale_data_are_drained_before_the_start():
    stale = FrameMessages.of_patterns(PATTERNS[::-1]).block(0, 5, 1).tobytes()[:-100]
    with FakeMerlin(PATTERNS, stale=stale) as server, live(server, scans=1) as source:
        assert collected(source) == {0: []}
        assert counts(source) == (24, 0, 0, 0)
        assert source.counters.faults["stale data before the start"] == 1


def test_an_acquisition_that_still_runs_is_stopped_first():
    with FakeMerlin(PATTERNS, wait=False, continuous=True, rate_hz=2000) as server:
        with live(server, scans=1) as source:
            assert collected(source) == {0: []}
        assert "stale data before the start" in source.counters.faults


def test_a_stall_is_reported_and_survived():
    with FakeMerlin(PATTERNS, wait=False, faults=[Fault(5, "stall", 0.6)]) as server:
        with live(server, command_port=None, stall_s=0.2, patience_s=3) as source:
            assert collected(source) == {0: []}
        assert source.counters.faults["stalled"] == 1


def test_patience_ends_after_all_that_came_was_handed_out():
    with FakeMerlin(PATTERNS, wait=False, faults=[Fault(5, "stall", 60)]) as server:
        with live(server, command_port=None, patience_s=0.4) as source:
            seen = []
            with pytest.raises(SourceError, match=r"silent.*5 frames came before"):
                seen.extend(source.batches())
        assert sum(len(batch.positions) for batch in seen) == 5


def test_close_from_another_thread_ends_it_promptly():
    with FakeMerlin(PATTERNS, wait=False, faults=[Fault(5, "stall", 60)]) as server:
        source = live(server, command_port=None, patience_s=60)
        closer = threading.Timer(0.2, source.close)
        closer.start()
        begin = time.monotonic()
        assert sum(len(batch.positions) for batch in source.batches()) == 5
        assert time.monotonic() - begin < 1
        closer.join()
        source.close()


def test_leaving_early_stops_the_detector():
    with FakeMerlin(PATTERNS, frames=10**6, rate_hz=1000) as server:
        with live(server, Scan((1000, 1000))) as source:
            next(source.batches())
        assert server.commands.log[-1] == "CMD,STOPACQUISITION"


def test_a_batch_is_its_receivers():
    with FakeMerlin(PATTERNS, frames=240) as server, live(server) as source:
        batches = list(source.batches())
        whole = np.concatenate([batch.patterns for batch in batches])
        np.testing.assert_array_equal(whole, np.tile(PATTERNS, (10, 1, 1)))
        assert all(batch.patterns.flags.aligned for batch in batches)
        assert not any(np.shares_memory(a.patterns, b.patterns) for a, b in pairwise(batches))


def test_a_slow_receiver_loses_nothing_and_needs_no_patience():
    """More than blocks and sockets hold, while nobody reads for longer than patience lasts."""
    scan = Scan((40, 20))
    patterns = numbered_patterns(20, (256, 256))
    with FakeMerlin(patterns, wait=False, frames=scan.size) as server:
        with live(server, scan, command_port=None, patience_s=0.3) as source:
            time.sleep(0.6)
            assert collected(source, patterns, scan) == {0: []}
        assert counts(source) == (scan.size, 0, 0, 0)
        assert not source.counters.faults


def test_frames_are_not_held_back_at_low_rates():
    server = FakeMerlin(PATTERNS, wait=False, rate_hz=100)
    with server, live(server, command_port=None) as source:
        assert len(list(source.batches())) > 6


def test_a_real_file_arrives_live_as_it_is_read(samples):
    path = samples / "001_4x2_6bit.mib"
    scan = Scan((4, 2))
    with MerlinFile(path, scan) as file, FakeMerlin(path) as server, live(server, scan) as source:
        assert source.detector_shape == file.detector_shape
        read, came = (
            {
                int(at): one
                for batch in part.batches()
                for at, one in zip(batch.positions, batch.patterns, strict=True)
            }
            for part in (file, source)
        )
    assert sorted(read) == sorted(came) == list(range(8))
    for position, pattern in read.items():
        np.testing.assert_array_equal(came[position], pattern)


def served_once(content):
    """A peer that says something to the first who connects, and leaves."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(content)
        listener.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listener.getsockname()[1], thread


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_what_is_no_merlin_is_told():
    port, thread = served_once(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(SourceError, match=r"HTTP/1.1.*not the data socket of a Merlin"):
        MerlinLive("127.0.0.1", SCAN, data_port=port, command_port=None, patience_s=1)
    thread.join()


def test_a_peer_that_never_ends_its_garbage_is_told():
    port, thread = served_once(b"~" * (MOST_GARBAGE_BYTES + 2**20))
    with pytest.raises(SourceError, match="not the data socket of a Merlin"):
        MerlinLive("127.0.0.1", SCAN, data_port=port, command_port=None, patience_s=1)
    thread.join()


def test_a_peer_that_leaves_at_once_is_told():
    port, thread = served_once(b"")
    with pytest.raises(SourceError, match=r"closed the connection.*no Merlin data socket"):
        MerlinLive("127.0.0.1", SCAN, data_port=port, command_port=None, patience_s=0.3)
    thread.join()


def test_nobody_listening_is_told_at_once():
    begin = time.monotonic()
    with pytest.raises(SourceError, match=r"no Merlin data socket at 127\.0\.0\.1"):
        MerlinLive("127.0.0.1", SCAN, data_port=free_port(), command_port=None)
    with FakeMerlin(PATTERNS) as server, pytest.raises(SourceError, match="command socket"):
        live(server, command_port=free_port())
    with pytest.raises(SourceError, match="no host"):
        MerlinLive("no.such.host.invalid", SCAN)
    assert time.monotonic() - begin < 3


def test_silence_before_the_first_frame_is_told():
    with FakeMerlin(PATTERNS) as server, pytest.raises(SourceError, match="0 frames came before"):
        live(server, command_port=None, patience_s=0.3)


def test_impossible_scans_are_refused():
    with pytest.raises(PlanError, match="0 scans"):
        MerlinLive("127.0.0.1", SCAN, scans=0)
