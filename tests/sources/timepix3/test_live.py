"""The listener: what a sender sends is taken, whatever happens to the sender."""

import threading
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from crewe.errors import PlanError, SourceError, WriteError
from crewe.sources import Scan, Source, receiver
from crewe.sources.timepix3 import Timepix3File, Timepix3Listener
from crewe.testing.fake_timepix3 import FakeTimepix3, Faults
from crewe.testing.timepix3_phantom import Timepix3Phantom

PHANTOM = Timepix3Phantom(scan_shape=(16, 20), electrons=20)
SCAN = Scan((16, 20))


def listener(**options):
    options = {"port": 0, "patience_s": 0.6} | options
    return Timepix3Listener(SCAN, **options)


def taken(source):
    """Counts (scan → rows, columns) and how far each scan was finished."""
    counts, finished = {}, {}
    for batch in source.batches():
        counts.setdefault(batch.scan, np.zeros(320, np.int64))
        counts[batch.scan] += np.bincount(batch.positions, minlength=320)
        finished[batch.scan] = batch.finished
    return counts, finished


def truth(scan):
    times, _ = PHANTOM.electrons_of(scan)
    since = times - 3840 - scan * PHANTOM.scan_ticks
    row, within = np.divmod(since, PHANTOM.period_ticks)
    on = within < PHANTOM.line_ticks
    position = row * 20 + within * 20 // PHANTOM.line_ticks
    return np.bincount(position[on], minlength=320)


@pytest.mark.parametrize("near_roll_over", [False, True])
def test_all_scans_arrive_as_sent(near_roll_over):
    with listener(scans=4) as source:
        assert isinstance(source, Source)
        with FakeTimepix3(PHANTOM, scans=4, near_roll_over=near_roll_over).start(source.port):
            counts, finished = taken(source)
    assert finished == dict.fromkeys(range(4), 320)
    for scan in range(4):
        assert (counts[scan] == truth(scan)).all()
    assert source.counters.received == source.counters.used + source.counters.flyback


def test_a_sender_that_comes_back_begins_a_new_scan():
    stream_bytes = len(b"".join(FakeTimepix3(PHANTOM, scans=3)._pieces()))
    faults = Faults(disconnect_after=stream_bytes // 2)
    with (
        listener() as source,
        FakeTimepix3(PHANTOM, scans=3, faults=faults).start(source.port),
    ):
        counts, finished = taken(source)
    assert finished[0] == 320
    assert 0 < finished[1] < 320
    assert [finished[scan] for scan in (2, 3, 4)] == [320] * 3
    for scan, sent in ((0, 0), (2, 0), (3, 1), (4, 2)):
        assert (counts[scan] == truth(sent)).all()
    assert source.counters.faults["the sender disconnected"] == 2


@pytest.mark.parametrize(("scans", "whole"), [(1, [1]), (2, [1, 2])])
def test_an_interrupted_scan_counts_as_none(scans, whole):
    one_scan = len(b"".join(FakeTimepix3(PHANTOM, scans=1)._pieces()))
    sender = FakeTimepix3(PHANTOM, scans=3, faults=Faults(disconnect_after=one_scan // 3))
    with listener(scans=scans, patience_s=5) as source, sender.start(source.port):
        counts, finished = taken(source)
    assert 0 < finished.pop(0) < 320
    assert finished == dict.fromkeys(whole, 320)
    assert all((counts[scan] == truth(scan - 1)).all() for scan in whole)


@pytest.mark.parametrize(
    "faults",
    [
        Faults(half_word_after=20_001),
        Faults(garbage_after=20_001),
        Faults(half_word_after=20_001, garbage_after=60_003),
    ],
)
def test_half_words_and_garbage_cost_their_chunk_and_shift_no_line(faults):
    with (
        listener() as source,
        FakeTimepix3(PHANTOM, scans=4, faults=faults).start(source.port),
    ):
        counts, finished = taken(source)
    assert finished == dict.fromkeys(range(4), 320)
    assert (counts[3] == truth(3)).all()
    lost = sum(truth(scan).sum() - counts[scan].sum() for scan in range(4))
    assert 0 < lost < 3000
    assert all((counts[scan] <= truth(scan)).all() for scan in range(4))
    assert source.counters.faults["a damaged chunk"]


def test_a_stall_hands_out_the_scan_that_is_over_and_goes_on():
    one_scan = len(b"".join(FakeTimepix3(PHANTOM, scans=1)._pieces()))
    faults = Faults(stall_after=one_scan, stall_s=1.2)
    told = {}
    with (
        listener(patience_s=5.0, scans=2) as source,
        FakeTimepix3(PHANTOM, scans=2, faults=faults).start(source.port),
    ):
        for batch in source.batches():
            told.setdefault((batch.scan, batch.finished), time.monotonic())
    assert told[1, 320] - told[0, 320] > 0.4


def test_silence_and_absence_end_the_data_with_a_fault():
    with (
        listener(patience_s=0.3) as source,
        FakeTimepix3(PHANTOM, faults=Faults(stall_after=20_000, stall_s=1)).start(source.port),
    ):
        taken(source)
    assert source.counters.faults["the sender is silent"] == 1
    assert source.counters.faults["no sender came back"] == 1


def test_nobody_connects():
    with listener(patience_s=0.2) as source, pytest.raises(SourceError, match=r"tcp://connect@"):
        taken(source)


@pytest.mark.parametrize("connected", [False, True])
def test_close_from_another_thread_ends_the_batches_promptly(connected):
    source = listener(patience_s=None)
    fake = FakeTimepix3(PHANTOM, scans=None, in_real_time=True)
    if connected:
        fake.start(source.port)
    closed = []

    def close():
        closed.append(time.monotonic())
        source.close()

    timer = threading.Timer(0.3, close)
    timer.start()
    with fake:
        for _ in source.batches():
            pass
    assert time.monotonic() - closed[0] < 1.0
    timer.join()
    source.close()


def test_the_record_is_what_was_sent(tmp_path):
    path = tmp_path / "session.tpx3"
    sent = b"".join(FakeTimepix3(PHANTOM, scans=2)._pieces())
    source = listener(record_to=path)
    with FakeTimepix3(sent).start(source.port):
        for _ in source.batches():
            assert not path.exists()
    source.close()
    assert path.read_bytes() == sent
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    replayed = taken(Timepix3File(path, SCAN))[0]
    assert all((replayed[scan] == truth(scan)).all() for scan in range(2))


def test_a_session_closed_from_another_thread_keeps_all_that_was_decoded(tmp_path):
    path = tmp_path / "session.tpx3"
    source = listener(record_to=path, patience_s=None)
    with FakeTimepix3(PHANTOM, scans=None).start(source.port):
        timer = threading.Timer(0.4, source.close)
        timer.start()
        taken(source)
        timer.join()
    record = path.read_bytes()
    pieces = FakeTimepix3(PHANTOM, scans=None)._pieces()
    assert record
    for piece in pieces:
        assert record.startswith(bytes(piece[: len(record)]))
        record = record[len(piece) :]
        if not record:
            break
    counters = Timepix3File(path, SCAN)
    taken(counters)
    assert counters.counters.received >= source.counters.received > 0


def test_a_slow_reader_loses_nothing_and_needs_no_patience(monkeypatch):
    monkeypatch.setattr(receiver, "BLOCKS", 4)
    monkeypatch.setattr(receiver, "BLOCK_BYTES", 1003)
    with (
        listener(patience_s=0.3, scans=3) as source,
        FakeTimepix3(PHANTOM, scans=3).start(source.port) as fake,
    ):
        counts = {}
        for batch in source.batches():
            if not counts:
                fake.join()
                time.sleep(0.6)
            counts.setdefault(batch.scan, np.zeros(320, np.int64))
            counts[batch.scan] += np.bincount(batch.positions, minlength=320)
    assert all((counts[scan] == truth(scan)).all() for scan in range(3))
    assert "the sender is silent" not in source.counters.faults


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_record_that_finds_no_room_ends_the_data(tmp_path):
    (tmp_path / "a.tpx3.part").symlink_to("/dev/full")
    with (
        listener(record_to=tmp_path / "a.tpx3") as source,
        FakeTimepix3(PHANTOM, scans=None).start(source.port),
        pytest.raises(WriteError, match="cannot be written on"),
    ):
        taken(source)


def test_who_stops_reading_lets_go_of_the_sender():
    before = threading.active_count()
    with listener() as source, FakeTimepix3(PHANTOM, scans=None).start(source.port):
        batches = source.batches()
        assert len(list(islice(batches, 3))) == 3
        batches.close()
    assert threading.active_count() == before


def test_what_cannot_be_is_refused(tmp_path):
    with listener() as source, pytest.raises(SourceError, match="listen"):
        listener(port=source.port)
    with pytest.raises(PlanError):
        listener(chips=3)
    with pytest.raises(PlanError):
        listener(place_by="dwell")
    with pytest.raises(WriteError):
        listener(record_to=tmp_path / "none" / "a.tpx3")
