import threading
from itertools import pairwise

import dask.array as da
import h5py
import numpy as np
import pytest
import zarr

from crewe.errors import ClosedError, PlanError, ReadError
from crewe.sources import DividedSource, Scan
from crewe.sources import array_parts as parts_module
from crewe.sources.memory import ArraySource

SHAPE = (6, 7, 5, 4)


@pytest.fixture
def patterns():
    return np.random.default_rng(1).integers(0, 2**16, SHAPE, dtype=np.uint16)


def gathered(batches, scan, detector_shape, scans=1):
    """Put each pattern where its batch says; −1 where none came, an error where two came."""
    result = np.full((scans, scan.size, *detector_shape), -1.0)
    for batch in batches:
        assert len(batch.positions) == len(batch.patterns)
        assert (result[batch.scan, batch.positions] == -1).all()
        result[batch.scan, batch.positions] = batch.patterns
    return result.reshape(scans, *scan.shape, *detector_shape)


def everything(source, scans=1):
    return gathered(source.batches(), source.scan, source.detector_shape, scans)


def stored(kind, patterns, chunks, folder):
    if kind == "numpy":
        return patterns
    if kind == "dask":
        return da.from_array(patterns, chunks=chunks)
    if kind == "zarr":
        return zarr.create_array(folder / "a.zarr", data=patterns, chunks=chunks)
    return h5py.File(folder / "a.h5", "w").create_dataset("a", data=patterns, chunks=chunks)


@pytest.mark.parametrize("chunks", [(1, 1, 5, 4), (2, 3, 2, 3), (4, 5, 5, 1), (6, 7, 1, 1)])
@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr", "hdf5"])
@pytest.mark.parametrize("part_bytes", [80, 2**22])
def test_every_pattern_comes_once_to_its_place(
    kind, chunks, part_bytes, patterns, tmp_path, monkeypatch
):
    monkeypatch.setattr(parts_module, "PART_BYTES", part_bytes)
    monkeypatch.setattr(parts_module, "LARGEST_PART_BYTES", 4 * part_bytes)
    data = stored(kind, patterns, chunks, tmp_path)
    with ArraySource(data) as source:
        assert isinstance(source, DividedSource)
        assert source.scan == Scan(SHAPE[:2])
        assert (everything(source)[0] == patterns).all()
        again = gathered((part() for part in source.parts()), source.scan, SHAPE[2:])
        assert (again[0] == patterns).all()
        assert source.counters.received == source.counters.used == 2 * 42
    if kind == "hdf5":
        data.file.close()


class Counting:
    """An array that counts how often each of its chunks is touched."""

    def __init__(self, data, chunks):
        self.data, self.chunks = data, chunks
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim
        self.reads, self.largest = np.zeros(data.shape[: len(chunks)], int), 0

    def __getitem__(self, region):
        touched = [
            slice(part.start // chunk, -(-part.stop // chunk))
            for part, chunk in zip(region, self.chunks, strict=False)
        ]
        self.reads[tuple(touched)] += 1
        block = self.data[region]
        self.largest = max(self.largest, block.nbytes)
        return block


@pytest.mark.parametrize("chunks", [(1, 1, 5, 4), (2, 3, 2, 3), (4, 5, 5, 1), (3, 7, 5, 4)])
def test_each_chunk_is_read_once(chunks, patterns):
    data = Counting(patterns, chunks)
    for _ in ArraySource(data).batches():
        pass
    assert data.reads.max() == 1


def test_memory_is_bounded_when_one_chunk_holds_all_positions(patterns, monkeypatch):
    monkeypatch.setattr(parts_module, "LARGEST_PART_BYTES", 10 * 40)
    data = Counting(patterns, (6, 7, 1, 1))
    assert (everything(ArraySource(data))[0] == patterns).all()
    assert data.largest <= 10 * 40


def test_numpy_patterns_are_views_in_their_own_byte_order(patterns):
    swapped = patterns.astype(">u2")
    for batch in ArraySource(swapped).batches():
        assert np.shares_memory(batch.patterns, swapped)
        assert batch.patterns.dtype == ">u2"


def test_patterns_are_contiguous_whatever_the_order_of_the_array(patterns):
    for data in (np.asfortranarray(patterns), patterns.transpose(0, 1, 3, 2), patterns[::2, ::-1]):
        source = ArraySource(data)
        assert all(batch.patterns[0].flags.c_contiguous for batch in source.batches())
        assert (everything(source)[0] == data).all()


@pytest.mark.parametrize("dtype", ["f2", "?", "i4", "f8"])
def test_all_real_types_come_as_compiled_code_takes_them(dtype, patterns):
    data = (patterns % 2).astype(dtype)
    source = ArraySource(data)
    assert (everything(source)[0] == data).all()
    assert next(source.batches()).patterns.dtype.str not in ("<f2", "|b1")


@pytest.mark.parametrize("chunk", [None, 1, 5])
@pytest.mark.parametrize(
    ("offset", "flyback"), [(0, (0, 0)), (3, (2, 0)), (-2, (0, 4)), (1, (1, 2))]
)
def test_stacks_are_placed_by_the_scan(chunk, offset, flyback):
    scan = Scan((3, 4), *flyback, offset)
    stack = np.arange((2 * scan.frames_per_scan + offset) * 6.0).reshape(-1, 2, 3)
    data = stack if chunk is None else da.from_array(stack, chunks=(chunk, 2, 2))
    source = ArraySource(data, scan)
    scans, positions = scan.place(np.arange(len(stack)))
    expected = np.full((2, 12, 2, 3), -1.0)
    expected[scans[positions >= 0], positions[positions >= 0]] = stack[positions >= 0]
    assert (everything(source, scans=2).reshape(expected.shape) == expected).all()
    assert source.counters.used == (positions >= 0).sum()
    assert source.counters.flyback == (positions < 0).sum()
    assert source.counters.received == len(stack)


@pytest.mark.parametrize("chunks", [None, (2, 3, 5, 4), (1, 2, 5, 4)])
@pytest.mark.parametrize("part_bytes", [80, 2**22])
def test_finished_promises_only_what_holds(chunks, part_bytes, patterns, monkeypatch):
    monkeypatch.setattr(parts_module, "PART_BYTES", part_bytes)
    data = patterns if chunks is None else da.from_array(patterns, chunks=chunks)
    batches = list(ArraySource(data).batches())
    seen = set()
    for batch in batches:
        assert not [one for one in batch.positions if int(one) in seen]
        seen |= set(batch.positions.tolist())
        assert set(range(batch.finished)) <= seen
    assert batches[-1].finished == 42
    assert all(later.finished >= earlier.finished for earlier, later in pairwise(batches))


def test_lines_of_flyback_inside_an_array_are_left_out(patterns):
    scan = Scan((6, 5), flyback_per_line=2)
    for data in (patterns, da.from_array(patterns, chunks=(2, 4, 5, 4))):
        source = ArraySource(data, scan)
        assert (everything(source)[0] == patterns[:, :5]).all()
        assert all(
            np.shares_memory(one.patterns, patterns) for one in ArraySource(patterns).batches()
        )


def test_a_scan_that_does_not_fit_is_refused_with_scans_that_do():
    stack = np.zeros((72, 4, 4), np.uint8)
    with pytest.raises(PlanError, match=r"72 frames .* 8 × 8 .*--flyback-line 1.*--scan 8x9"):
        ArraySource(stack, Scan((8, 8)))
    with pytest.raises(PlanError, match=r"give the scan .*--scan 8x9"):
        ArraySource(stack)
    with pytest.raises(PlanError, match="several scans"):
        ArraySource(da.zeros((6, 4, 4, 4), chunks=2), Scan((3, 4)))


@pytest.mark.parametrize("flyback", [0, 2])
def test_an_interrupted_scan_is_taken_when_said(flyback):
    stack = np.arange(20.0 * 6).reshape(20, 2, 3)
    source = ArraySource(stack, Scan((4, 7), flyback_per_line=flyback), partial=True)
    read = everything(source)[0].reshape(28, 2, 3)
    where = source.scan.place(np.arange(20))[1]
    assert (read[where[where >= 0]] == stack[where >= 0]).all()
    assert (read == -1).all((1, 2)).sum() == 28 - (where >= 0).sum()


@pytest.mark.parametrize("chunks", [None, (2, 3, 5, 4)])
def test_what_was_never_recorded_is_left_out(chunks, patterns):
    measured = np.random.default_rng(3).random(SHAPE[:2]) > 0.3
    data = patterns if chunks is None else da.from_array(patterns, chunks=chunks)
    source = ArraySource(data, measured=measured)
    read = everything(source)[0]
    assert (read[measured] == patterns[measured]).all()
    assert (read[~measured] == -1).all()
    assert source.counters.used == source.counters.received == measured.sum()
    assert source.counters.dropped == (~measured).sum()


@pytest.mark.parametrize("shape", [(4, 4), (2, 2, 2, 2, 2), (3, 0, 4, 4)])
def test_what_is_no_4d_data_is_refused(shape):
    with pytest.raises(ReadError, match="no 4D data"):
        ArraySource(np.zeros(shape))
    with pytest.raises(ReadError, match="real intensities"):
        ArraySource(np.zeros((2, 2, 2, 2), complex))


def test_closing_from_another_thread_ends_the_batches(patterns, monkeypatch):
    monkeypatch.setattr(parts_module, "PART_BYTES", 80)
    closed = []
    source = ArraySource(patterns, on_close=lambda: closed.append(1))
    part, batches = next(source.parts()), source.batches()
    next(batches)
    thread = threading.Thread(target=source.close)
    thread.start()
    thread.join()
    assert list(batches) == []
    source.close()
    assert closed == [1]
    with pytest.raises(ClosedError, match="was closed"):
        part()
    assert list(source.parts()) == []


def test_a_read_that_fails_says_where():
    class Damaged(Counting):
        def __getitem__(self, region):
            raise OSError("bad block")

    source = ArraySource(Damaged(np.zeros((2, 2, 3, 3)), (1, 1, 3, 3)), name="gold.h5")
    with pytest.raises(ReadError, match=r"gold.h5: damaged at pattern 0….*bad block"):
        list(source.batches())
