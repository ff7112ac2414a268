"""Times that step back or start again: nothing is mixed into a scan to which it does not belong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.sources import Scan
from crewe.sources.timepix3 import AdvaPixFile, Timepix3File
from crewe.testing.timepix3_encoding import encode_tpx3, write_t3p, write_tpx3

US = 3840
AGAIN, BACK = "the clock of the electrons started again", "electrons set back in time"


def images(source):
    """Electrons (scan, position), and how far each scan was followed."""
    counts, finished = {}, {}
    with source:
        for batch in source.batches():
            of_scan = counts.setdefault(batch.scan, np.zeros(source.scan.size, int))
            np.add.at(of_scan, batch.positions, 1)
            finished[batch.scan] = batch.finished
    counters = source.counters
    parts = counters.used + counters.flyback + counters.late + counters.unreadable
    assert counters.received == parts
    return counts, finished


def run(scan, seed, scans=1, per_position=5):
    """Times of electrons of whole scans, and how many there are at each position."""
    ticks = round(scan.dwell_time_us * US)
    counts = np.random.default_rng(seed).poisson(per_position, (scans, scan.size)) + 1
    begin = np.repeat(np.arange(counts.size) * ticks, counts.ravel())
    times = begin + np.random.default_rng(seed).integers(0, ticks // 6, len(begin)) * 6
    return np.sort(times), counts


@pytest.mark.parametrize("piece_bytes", [160, 5000, 1 << 21])
@pytest.mark.parametrize(("side", "dwell_us"), [(8, 1.0), (16, 1.0), (32, 20.0)])
@pytest.mark.parametrize("scans", [1, 3])
def test_runs_appended_to_each_other_are_scans_of_their_own(
    tmp_path, side, dwell_us, scans, piece_bytes
):
    scan = Scan((side, side), dwell_time_us=dwell_us)
    expected = []
    for number in range(2):
        times, counts = run(scan, number, scans)
        pixels = np.zeros(len(times), np.uint32)
        write_t3p(tmp_path / "a.t3p", times, pixels, append=number > 0)
        expected += list(counts)
    source = AdvaPixFile(tmp_path / "a.t3p", scan, piece_bytes=piece_bytes)
    counts, finished = images(source)
    assert finished == dict.fromkeys(range(2 * scans), side * side)
    for number, one in enumerate(expected):
        np.testing.assert_array_equal(counts[number], one)
    assert source.counters.faults == {AGAIN: 1}
    assert source.counters.late == 0


def test_an_interrupted_run_is_not_completed_by_the_next(tmp_path):
    scan = Scan((32, 32), dwell_time_us=20.0)
    times, counts = run(scan, 3)
    first = times[times < 700 * 20 * US]
    write_t3p(tmp_path / "a.t3p", first, np.zeros(len(first), np.uint32))
    write_t3p(tmp_path / "a.t3p", times, np.zeros(len(times), np.uint32), append=True)
    source = AdvaPixFile(tmp_path / "a.t3p", scan)
    got, finished = images(source)
    assert (finished[0], finished[1]) == (699, 1024)
    np.testing.assert_array_equal(got[0][:700], counts[0][:700])
    assert got[0][700:].sum() == 0
    np.testing.assert_array_equal(got[1], counts[0])
    only, _ = images(AdvaPixFile(tmp_path / "a.t3p", scan, scans=1))
    assert sorted(only) == [0, 1]  # the first came to no end


@pytest.mark.parametrize("back_us", [300.0, 15_000.0])
@pytest.mark.parametrize("piece_bytes", [160, 1 << 21])
def test_single_electrons_set_back_are_late(tmp_path, back_us, piece_bytes):
    scan = Scan((16, 16), dwell_time_us=1.0)
    times, _ = run(scan, 5, scans=80)
    moved = np.arange(np.searchsorted(times, 16_000 * US), len(times), 97)
    right = np.delete(times, moved)
    expected = np.bincount(right // US, minlength=80 * 256).reshape(80, 256)
    times[moved] -= round(back_us * US)
    write_t3p(tmp_path / "a.t3p", times, np.zeros(len(times), np.uint32))
    source = AdvaPixFile(tmp_path / "a.t3p", scan, piece_bytes=piece_bytes)
    counts, _ = images(source)
    # Nothing was added to a scan but what may still have been of it.
    assert sum((counts[number] - expected[number]).sum() for number in range(80)) == (
        len(moved) - source.counters.late
    )
    late = source.counters.late
    if back_us > 10_000:
        assert source.counters.faults == {BACK: len(moved)}
    else:  # by little more than a scan: late where their scan is over
        assert list(source.counters.faults) == ["electrons of a scan that is over"]
    assert sum(source.counters.faults.values()) == late > 0
    assert source.counters.used == len(times) - late


def test_what_is_set_back_by_less_than_the_disorder_is_used(tmp_path):
    scan = Scan((32, 32), dwell_time_us=20.0)
    times, _ = run(scan, 6)
    times[1000::7] = np.maximum(times[1000::7] - 9000 * US, 0)
    write_t3p(tmp_path / "a.t3p", times, np.zeros(len(times), np.uint32))
    source = AdvaPixFile(tmp_path / "a.t3p", scan)
    counts, _ = images(source)
    np.testing.assert_array_equal(counts[0], np.bincount(times // (20 * US), minlength=1024))
    assert not source.counters.faults
    strict = AdvaPixFile(tmp_path / "a.t3p", scan, disorder_us=1000)
    images(strict)
    assert strict.counters.late == strict.counters.faults[BACK] == len(times[1000::7])


@pytest.mark.parametrize("chips", [1, 4])
def test_words_of_a_clock_that_started_again(tmp_path, chips):
    scan = Scan((32, 32), dwell_time_us=20.0)
    rng = np.random.default_rng(1)
    parts, expected = [], []
    for number in range(2):
        times, _ = run(scan, number)
        times -= times[0]
        pixels = rng.integers(0, 65536 * chips, len(times)).astype(np.uint32)
        parts.append(encode_tpx3(times, pixels, chips=chips, chunk_words=40))
        expected.append(np.bincount(times // (20 * US), minlength=1024))
    write_tpx3(tmp_path / "a.tpx3", np.concatenate(parts))
    source = Timepix3File(tmp_path / "a.tpx3", scan, place_by="dwell", chips=chips)
    counts, finished = images(source)
    assert finished == {0: 1024, 1: 1024}
    assert source.counters.faults[AGAIN] == 1
    for number in range(2):  # the first word of a chip is not quite the first electron of all
        shift = np.abs(np.cumsum(counts[number]) - np.cumsum(expected[number]))
        assert shift.max() < 25


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 1 << 22), st.integers(1, 60)), max_size=12))
def test_times_that_jump_about_are_all_counted(tmp_path_factory, steps):
    toa = [start + 7 * k for start, number in steps for k in range(number)] or [1]
    path = tmp_path_factory.mktemp("a") / "a.t3p"
    write_t3p(path, np.array(toa) * 96, np.zeros(len(toa), np.uint32))
    whole = AdvaPixFile(path, Scan((6, 5), dwell_time_us=10.0), disorder_us=50)
    split = AdvaPixFile(path, Scan((6, 5), dwell_time_us=10.0), disorder_us=50, piece_bytes=48)
    images(whole)
    images(split)
    assert whole.counters.received == split.counters.received == len(toa)
