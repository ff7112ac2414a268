import json
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crewe
from crewe.errors import PlanError, WriteError
from crewe.sources import Events, Frames, Known, Scan
from crewe.sources.array_file import open_array_file
from crewe.workflows import pattern_store
from crewe.workflows.pattern_store import ChunkGrid
from crewe.workflows.recording import Recorder

SCAN = Scan((6, 10), step_angstrom=(0.3, 0.4))
KNOWN = Known((0.01, 0.02), 200.0, 12.0)


def patterns(scans=1, dtype=np.uint16):
    rng = np.random.default_rng(1)
    return rng.integers(0, 255, (scans, 60, 4, 5)).astype(dtype)


def batches(data, order=None, size=7, scan=0):
    order = np.arange(len(data)) if order is None else order
    for start in range(0, len(order), size):
        part = order[start : start + size]
        yield Frames(part, data[part], scan)


def record(path, all_batches, **options):
    with Recorder(path, SCAN, (4, 5), KNOWN, **options) as recorder:
        for batch in all_batches:
            recorder.put(batch)
    return recorder


def give_slowly(recorder, all_batches):
    for batch in all_batches:
        recorder.put(batch)
        time.sleep(0.02)


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of three patterns, of which four may be open: everything that can happen does."""
    monkeypatch.setattr(pattern_store, "CHUNK_BYTES", 3 * 40)
    monkeypatch.setattr(pattern_store, "OPEN_BYTES", 1)


def test_what_came_is_read_back_calibrated(tmp_path):
    (data,) = patterns()
    record(tmp_path / "out.zarr", batches(data))
    read = crewe.read(tmp_path / "out.zarr")
    assert read.dims == ("y", "x", "ky", "kx")
    assert read.dtype == np.dtype("=u2")
    np.testing.assert_array_equal(read.values, data.reshape(6, 10, 4, 5))
    assert [float(read[dim][1] - read[dim][0]) for dim in read.dims] == [0.3, 0.4, 0.01, 0.02]
    assert [read[dim].attrs["units"] for dim in read.dims] == ["Å", "Å", "1/Å", "1/Å"]
    with open_array_file(tmp_path / "out.zarr") as source:
        assert source.scan == SCAN
        assert source.known == KNOWN
        for batch in source.batches():
            np.testing.assert_array_equal(batch.patterns, data[batch.positions])


@pytest.mark.parametrize("dtype", [">u2", "<u2", ">u4", "u1", "f4"])
def test_any_byte_order_becomes_that_of_the_machine(tmp_path, dtype):
    (data,) = patterns(dtype=dtype)
    record(tmp_path / "out.zarr", batches(data))
    read = crewe.read(tmp_path / "out.zarr")
    assert read.dtype.isnative
    assert read.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(read.values.reshape(data.shape), data)


def test_scans_are_arrays_of_one_folder(tmp_path, small_chunks):
    data = patterns(4)
    order = np.random.default_rng(2).permutation(60)
    late = [Frames(order[:3], data[0][order[:3]], 0)]
    first = list(batches(data[0], order[3:], scan=0))
    others = [batch for number in (1, 2, 3) for batch in batches(data[number], scan=number)]
    record(tmp_path / "out.zarr", [*first, *others, *late])
    for number in range(4):
        read = crewe.read(tmp_path / "out.zarr", f"scan_{number}")
        np.testing.assert_array_equal(read.values.reshape(60, 4, 5), data[number])
        assert crewe.read(tmp_path / "out.zarr", f"measured_{number}").values.all()
        with open_array_file(tmp_path / "out.zarr", dataset=f"scan_{number}") as source:
            for batch in source.batches():
                np.testing.assert_array_equal(batch.patterns, data[number][batch.positions])
    attrs = json.loads((tmp_path / "out.zarr" / "zarr.json").read_text())["attributes"]
    assert attrs["complete"]
    assert attrs["patterns"] == 240


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 59), max_size=90), st.integers(1, 20), st.integers(1, 99))
def test_any_order_holes_and_repeats(tmp_path_factory, positions, size, chunk_patterns):
    (data,) = patterns()
    path = tmp_path_factory.mktemp("any") / "out.zarr"
    order = np.array([0, *positions], np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pattern_store, "CHUNK_BYTES", chunk_patterns * 40)
        patch.setattr(pattern_store, "OPEN_BYTES", 1)
        recorder = record(path, batches(data, order, size))
    measured = np.isin(np.arange(60), order)
    read = crewe.read(path, "scan_0").values.reshape(60, 4, 5)
    np.testing.assert_array_equal(read, np.where(measured[:, None, None], data, 0))
    np.testing.assert_array_equal(crewe.read(path, "measured_0").values.ravel(), measured)
    assert recorder.patterns_written == measured.sum()


@pytest.mark.parametrize(
    ("frame_bytes", "rows", "columns"),
    [(2**17, 1, 32), (2**13, 1, 512), (2**11, 4, 512), (2**26, 1, 1), (50_000, 1, 74)],
)
def test_chunks_are_parts_of_a_line_or_several_lines(frame_bytes, rows, columns):
    grid = ChunkGrid.of((512, 512), frame_bytes)
    assert (grid.rows, grid.columns) == (rows, columns)
    chunk, place = grid.place(np.arange(512 * 512))
    assert len(np.unique(chunk * 10**6 + place)) == 512 * 512
    for number in (0, chunk[-1]):
        assert (chunk.reshape(512, 512)[grid.region(int(number))] == number).all()


def test_a_slow_disk_holds_up_the_giver_and_loses_nothing(tmp_path, monkeypatch):
    (data,) = patterns()
    gate, original = threading.Event(), pattern_store._write_whole

    def slow(*given):
        assert gate.wait(10)
        original(*given)

    monkeypatch.setattr(pattern_store, "_write_whole", slow)
    monkeypatch.setattr(pattern_store, "CHUNK_BYTES", 3 * 40)
    recorder = Recorder(tmp_path / "out.zarr", SCAN, (4, 5), queue_bytes=10 * 40)
    given = []

    def give():
        for batch in batches(data, size=4):
            recorder.put(batch)
            given.append(batch)

    giver = threading.Thread(target=give)
    giver.start()
    time.sleep(0.3)
    assert len(given) <= 4
    gate.set()
    giver.join()
    recorder.close()
    read = crewe.read(tmp_path / "out.zarr").values
    np.testing.assert_array_equal(read.reshape(data.shape), data)


def test_a_broken_off_recording_says_so_and_keeps_what_came(tmp_path):
    (data,) = patterns()

    def ends_early():
        yield Frames(np.arange(13), data[:13])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(tmp_path / "out.zarr", ends_early())
    attrs = json.loads((tmp_path / "out.zarr" / "zarr.json").read_text())["attributes"]
    assert not attrs["complete"]
    assert attrs["patterns"] == 13
    read = crewe.read(tmp_path / "out.zarr").values.reshape(data.shape)
    np.testing.assert_array_equal(read[:13], data[:13])
    assert not read[13:].any()
    assert crewe.read(tmp_path / "out.zarr", "measured_0").values.sum() == 13


def test_a_full_disk_is_told_and_what_came_before_is_kept(tmp_path, monkeypatch, small_chunks):
    (data,) = patterns()
    original, written = pattern_store._created, []

    def full(file):
        written.append(file)
        if len(written) > 5:
            raise OSError(28, "No space left on device")
        return original(file)

    monkeypatch.setattr(pattern_store, "_created", full)
    recorder = Recorder(tmp_path / "out.zarr", SCAN, (4, 5))
    with pytest.raises(WriteError, match="No space left on device; make room"):
        give_slowly(recorder, batches(data))
    with pytest.raises(WriteError, match="No space left"):
        recorder.close()
    read = crewe.read(tmp_path / "out.zarr", "scan_0").values.reshape(data.shape)
    np.testing.assert_array_equal(read[:10], data[:10])


def test_a_killed_program_leaves_what_was_written(tmp_path, monkeypatch, small_chunks):
    (data,) = patterns()
    monkeypatch.setattr(pattern_store, "SECONDS_BETWEEN_MAPS", 0)
    recorder = Recorder(tmp_path / "out.zarr", SCAN, (4, 5))
    give_slowly(recorder, batches(data[:40]))
    # Never closed: this is all that a killed program leaves.
    read = crewe.read(tmp_path / "out.zarr", "scan_0").values.reshape(data.shape)
    measured = crewe.read(tmp_path / "out.zarr", "measured_0").values.ravel()
    assert 20 < measured.sum() <= 40
    np.testing.assert_array_equal(read[measured], data[measured])
    recorder.close(complete=False)


def test_patterns_of_another_type_are_refused(tmp_path):
    recorder = Recorder(tmp_path / "out.zarr", SCAN, (4, 5))
    recorder.put(Frames(np.arange(2), patterns()[0][:2]))
    recorder.put(Frames(np.arange(2), np.zeros((2, 4, 5), np.uint32)))
    with pytest.raises(WriteError, match="uint32 do not fit"):
        recorder.close()


def test_where_nothing_can_be_recorded(tmp_path):
    (tmp_path / "there.zarr").mkdir()
    for name, kind, words in [
        ("out.tif", PlanError, "on .zarr"),
        ("there.zarr", WriteError, "exists"),
        ("no/out.zarr", WriteError, "does not exist"),
    ]:
        with pytest.raises(kind, match=words):
            Recorder(tmp_path / name, SCAN, (4, 5))
    record(tmp_path / "there.zarr", batches(patterns()[0]), overwrite=True)
    assert crewe.read(tmp_path / "there.zarr").shape == (6, 10, 4, 5)
    with Recorder(tmp_path / "events.zarr", SCAN, (4, 5)) as recorder:
        nothing = Events(np.zeros(0, np.int64), np.zeros(0, np.uint32), (4, 5))
        with pytest.raises(PlanError, match="tpx3"):
            recorder.put(nothing)
