"""AdvaPix files: exact places, constant memory, and no probe lost at the end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.errors import CreweError, PlanError, ReadError
from crewe.sources import Scan, Source
from crewe.sources.timepix3 import AdvaPixFile
from crewe.testing.timepix3_encoding import RECORD, write_t3p


def gathered(source):
    electrons, finished = [], {}
    with source:
        for batch in source.batches():
            places = zip(batch.positions.tolist(), batch.pixels.tolist(), strict=True)
            electrons += [(batch.scan, *place) for place in places]
            assert batch.finished >= finished.get(batch.scan, 0)
            finished[batch.scan] = batch.finished
    return electrons, finished


def recorded(path, toa, pixels=None, **fields):
    records = np.zeros(len(toa), RECORD)
    records["toa"] = toa
    records["pixel"] = np.arange(len(toa)) % 65536 if pixels is None else pixels
    for name, value in fields.items():
        records[name] = value
    path.write_bytes(records.tobytes())
    return path


@pytest.mark.parametrize("dwell_us", [1.0, 0.1, 0.7, 1.3, 2.001, 1 / 3, 1000.0])
@pytest.mark.parametrize("flyback", [(0, 0, 0), (2, 5, 3), (1, 0, -4)])
def test_probe_is_the_floor_of_time_over_dwell_time(tmp_path, dwell_us, flyback):
    line, scan_flyback, offset = flyback
    scan = Scan((4, 5), line, scan_flyback, offset, dwell_time_us=dwell_us)
    last = 2 * scan.frames_per_scan + 9
    number = np.arange(last)
    # the first tick of 25 ns in each dwell time and the last before the next
    toa = np.ceil(number * (dwell_us * 40) - 1e-9).astype(np.int64)
    both = np.unique(np.concatenate([toa, np.maximum(toa - 1, 0)]))
    path = recorded(tmp_path / "a.t3p", both)
    source = AdvaPixFile(path, scan, piece_bytes=160)
    scans, positions = scan.place(np.searchsorted(toa, both, side="right") - 1)
    on = positions >= 0
    expected = zip(scans[on], positions[on], np.arange(len(both))[on], strict=True)
    assert sorted(gathered(source)[0]) == sorted(tuple(map(int, e)) for e in expected)
    assert isinstance(source, Source)
    assert source.counters.flyback == (~on).sum()


def test_fine_time_is_subtracted_in_steps_of_a_sixteenth_tick(tmp_path):
    times = np.arange(4000) * 6 * 7
    write_t3p(tmp_path / "a.t3p", times, np.arange(4000).astype(np.uint32))
    scan = Scan((1, 100), dwell_time_us=0.5)
    got, _ = gathered(AdvaPixFile(tmp_path / "a.t3p", scan))
    assert [position for _, position, _ in got] == (times // 1920).tolist()
    without, _ = gathered(AdvaPixFile(tmp_path / "a.t3p", scan, fine_time=False))
    assert [position for _, position, _ in without] == (-(-times // 96) * 96 // 1920).tolist()


def test_file_that_ends_with_its_scan_ends_cleanly_and_loses_no_probe(tmp_path):
    toa = np.repeat(np.arange(40 * 16 * 3), 2) * 20
    path = recorded(tmp_path / "a.t3p", toa)
    got, finished = gathered(AdvaPixFile(path, Scan((40, 16), dwell_time_us=0.5)))
    assert finished == {0: 640, 1: 640, 2: 640}
    assert [640 * scan + position for scan, position, _ in got] == (toa // 20).tolist()


def test_a_file_that_stops_within_a_scan_says_how_far_it_came(tmp_path):
    path = recorded(tmp_path / "a.t3p", np.arange(100) * 40)
    _, finished = gathered(AdvaPixFile(path, Scan((40, 16), dwell_time_us=1.0)))
    assert finished == {0: 99}


@pytest.mark.parametrize("piece_bytes", [16, 23, 100, 4096])
def test_pieces_of_any_size_and_times_out_of_order_give_the_same(tmp_path, piece_bytes):
    rng = np.random.default_rng(1)
    toa = np.sort(rng.integers(0, 5 * 64 * 40, 3000)) + rng.integers(0, 400, 3000)
    path = recorded(tmp_path / "a.t3p", toa)
    scan = Scan((8, 8), dwell_time_us=1.0)
    got, _ = gathered(AdvaPixFile(path, scan, piece_bytes=piece_bytes))
    scans, positions = scan.place(toa // 40)
    assert sorted(got) == sorted(zip(scans.tolist(), positions.tolist(), range(3000), strict=True))
    assert [scan for scan, _, _ in got] == sorted(scan for scan, _, _ in got)


def test_what_is_odd_is_counted(tmp_path):
    toa = np.arange(1000) * 40
    toa[500] = 1 << 50
    pixel = np.arange(1000)
    pixel[7] = 65536
    overflow, ftoa = (np.arange(1000) % 100 == 3), np.where(np.arange(1000) == 9, 77, 0)
    path = recorded(tmp_path / "a.t3p", toa, pixel, overflow=overflow, ftoa=ftoa)
    path.write_bytes(path.read_bytes() + b"12345")
    source = AdvaPixFile(path, Scan((10, 100), dwell_time_us=1.0))
    got, _ = gathered(source)
    assert [position for _, position, _ in got] == [n for n in range(1000) if n not in (7, 500)]
    counters = source.counters
    assert (counters.received, counters.used, counters.unreadable) == (1001, 998, 3)
    assert counters.faults == {
        "electrons with an overflow flag": 10,
        "fine times above 15, taken as 0": 1,
        "records of a pixel or time that cannot be": 2,
        "the file ends within a record": 1,
    }


def test_one_time_far_ahead_takes_no_scan_with_it(tmp_path):
    toa = np.arange(1000) * 40
    toa[400] = 1 << 40
    source = AdvaPixFile(
        recorded(tmp_path / "a.t3p", toa), Scan((10, 100), dwell_time_us=1.0), piece_bytes=160
    )
    got, finished = gathered(source)
    assert len(got) == 999
    assert finished == {0: 1000}
    assert source.counters.faults["times far from all others"] == 1


def test_so_many_scans_are_taken(tmp_path):
    path = recorded(tmp_path / "a.t3p", np.arange(5000) * 40)
    scan = Scan((10, 100), dwell_time_us=1.0)
    got, finished = gathered(AdvaPixFile(path, scan, scans=2, piece_bytes=1600))
    assert finished == {0: 1000, 1: 1000}
    assert len(got) == 2000


def test_acceptance_time(tmp_path):
    path = recorded(tmp_path / "a.t3p", np.arange(24_000))
    scan = Scan((10, 10), dwell_time_us=6.0)
    got, _ = gathered(AdvaPixFile(path, scan, acceptance_us=2.0))
    assert [pixel for _, _, pixel in got] == [n for n in range(24_000) if n % 240 < 80]


def test_what_cannot_be_is_refused(tmp_path):
    path = recorded(tmp_path / "a.t3p", np.arange(9))
    for scan in (Scan((4, 4)), Scan((4, 4), dwell_time_us=1e30), Scan((4, 4), dwell_time_us=1e-30)):
        with pytest.raises(PlanError, match="dwell"):
            AdvaPixFile(path, scan)
    with pytest.raises(PlanError, match="detector"):
        AdvaPixFile(path, Scan((4, 4), dwell_time_us=1.0), detector_shape=(0, 256))
    (tmp_path / "b.t3p").write_bytes(b"short")
    for wrong in ("b.t3p", "none.t3p"):
        with pytest.raises(ReadError):
            AdvaPixFile(tmp_path / wrong, Scan((4, 4), dwell_time_us=1.0))


@settings(deadline=None, max_examples=80)
@given(st.binary(max_size=800), st.integers(1, 9), st.integers(1, 9))
def test_any_bytes_at_all_are_read_and_counted(tmp_path_factory, data, rows, columns):
    path = tmp_path_factory.mktemp("a") / "a.t3p"
    path.write_bytes(data)
    try:
        source = AdvaPixFile(path, Scan((rows, columns), 1, 2, 3, dwell_time_us=1.0))
    except CreweError:
        assert len(data) < 16
        return
    got, _ = gathered(source)
    counters = source.counters
    assert counters.used == len(got)
    parts = counters.used + counters.flyback + counters.late + counters.unreadable
    assert counters.received == parts == -(-len(data) // 16)
    assert all(0 <= position < rows * columns and pixel < 65536 for _, position, pixel in got)
