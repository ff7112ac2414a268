import gc
import os
import threading
from pathlib import Path

import dask.array as da
import numpy as np
import pytest

from crewe.errors import ClosedError, ReadError
from crewe.sources import Scan, open_source
from crewe.sources.file_array import FileArray, unmapped
from crewe.sources.positional import PositionalFile
from crewe.stem4d.moments import Moments
from crewe.stem4d.reduction import Reduction, reduce


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "?", "<f8", "<f2"])
def test_ranges_are_those_of_the_array(dtype, tmp_path):
    data = np.random.default_rng(0).integers(0, 2, (5, 4, 3, 2)).astype(dtype)
    np.save(tmp_path / "a.npy", data)
    array = unmapped(np.load(tmp_path / "a.npy", mmap_mode="r"))
    assert (array.shape, array.ndim, array.dtype) == ((5, 4, 3, 2), 4, np.dtype(dtype))
    for part in (slice(0, 5), slice(1, 3), slice(4, 9), slice(2, 2)):
        np.testing.assert_array_equal(array[part], data[part])
        np.testing.assert_array_equal(array.stack()[(part,)], data.reshape(20, 3, 2)[part])
        assert array[part].flags.c_contiguous
    array.close()
    with pytest.raises(ClosedError):
        array[0:1]


def test_other_arrays_are_left_as_they_are(tmp_path):
    data = np.arange(4.0 * 3 * 4 * 5).reshape(4, 3, 4, 5)
    np.save(tmp_path / "f.npy", np.asfortranarray(data))
    np.save(tmp_path / "c.npy", data)
    mapped = np.load(tmp_path / "c.npy", mmap_mode="r")
    others = [np.load(tmp_path / "f.npy", mmap_mode="r"), data, mapped[:, ::-1], mapped[:, :2]]
    others += [mapped.transpose(1, 0, 2, 3), da.from_array(mapped + 0), da.from_array(mapped) + 1]
    others += [da.concatenate([da.from_array(mapped), da.from_array(data)])]
    for other in others:
        assert unmapped(other) is None


def test_what_dask_maps_in_chunks_is_read_whole(tmp_path):
    data = np.arange(4.0 * 3 * 4 * 5).reshape(4, 3, 4, 5)
    (tmp_path / "a.raw").write_bytes(b"1234567" + data.tobytes())

    def slice_memmap(block_info):
        begin, end = zip(*block_info[None]["array-location"], strict=True)
        whole = np.memmap(tmp_path / "a.raw", float, "r", 7, data.shape)
        return whole[tuple(map(slice, begin, end))]

    blocks = da.map_blocks(slice_memmap, chunks=((2, 2), (3,), (2, 2), (5,)), dtype=float)
    array = unmapped(blocks)
    np.testing.assert_array_equal(array[0:4], data)
    array.close()
    for changed in (blocks + 1, blocks[1:], blocks.transpose(0, 1, 3, 2)):
        assert unmapped(changed) is None


def test_a_file_that_is_or_becomes_too_short(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((9, 4, 5)))
    array = unmapped(np.load(path, mmap_mode="r"))
    os.truncate(path, path.stat().st_size - 8)
    assert array[7:8].shape == (1, 4, 5)
    with pytest.raises(ReadError, match=r"a.npy: the file became shorter"):
        array[7:9]
    array.close()
    with pytest.raises(ReadError, match=r"a.npy: truncated"):
        open_source(path, Scan((3, 3)))


def test_an_offset_is_kept(tmp_path):
    (tmp_path / "raw").write_bytes(b"abc" + np.arange(24, dtype="u1").tobytes())
    file = PositionalFile(tmp_path / "raw")
    array = FileArray(file, 3, (4, 2, 3), np.dtype("u1"))
    assert array[1:3].ravel().tolist() == list(range(6, 18))
    file.close()


def resident_bytes():
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc to read memory from")
@pytest.mark.parametrize("threads", [1, 4])
def test_a_large_file_takes_little_memory(threads, tmp_path):
    shape = (64, 64, 256, 256)
    np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint16, shape)  # sparse
    most, over = [0], threading.Event()

    def watch():
        while not over.wait(0.002):
            most[0] = max(most[0], resident_bytes())

    with open_source(tmp_path / "a.npy") as source:
        reduction = Reduction([Moments(source.scan.shape, source.detector_shape)], [])
        reduction.measure(next(source.batches()))  # compiles
        gc.collect()
        before = resident_bytes()
        watcher = threading.Thread(target=watch)
        watcher.start()
        reduce(source, reduction, threads)
        over.set()
        watcher.join()
    assert source.counters.used >= 64 * 64
    assert most[0] - before < 200 * 2**20
