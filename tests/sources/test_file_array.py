import gc
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from crewe.errors import ClosedError, ReadError
from crewe.sources import Scan, open_source
from crewe.sources.file_array import FileArray, open_npy_patterns
from crewe.sources.positional import PositionalFile
from crewe.stem4d.moments import Moments
from crewe.stem4d.reduction import Reduction, reduce


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "?", "<f8", "<f2"])
def test_ranges_are_those_of_the_array(dtype, tmp_path):
    data = np.random.default_rng(0).integers(0, 2, (5, 4, 3, 2)).astype(dtype)
    np.save(tmp_path / "a.npy", data)
    array, file = open_npy_patterns(tmp_path / "a.npy")
    assert (array.shape, array.ndim, array.dtype) == ((5, 4, 3, 2), 4, np.dtype(dtype))
    for part in (slice(0, 5), slice(1, 3), slice(4, 9), slice(2, 2)):
        np.testing.assert_array_equal(array[part], data[part])
        np.testing.assert_array_equal(array.stack()[(part,)], data.reshape(20, 3, 2)[part])
        assert array[part].flags.c_contiguous
    file.close()
    with pytest.raises(ClosedError):
        array[0:1]


def test_other_arrays_are_left_to_others(tmp_path):
    for name, data in (
        ("fortran", np.asfortranarray(np.zeros((3, 4, 5)))),
        ("image", np.zeros((4, 5))),
        ("complex", np.zeros((3, 4, 5), complex)),
    ):
        np.save(tmp_path / f"{name}.npy", data)
        assert open_npy_patterns(tmp_path / f"{name}.npy") is None


def test_a_file_that_is_or_becomes_too_short(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((9, 4, 5)))
    with open_source(path, Scan((3, 3))) as source:
        os.truncate(path, path.stat().st_size - 8)
        with pytest.raises(ReadError, match=r"a.npy: the file became shorter"):
            list(source.batches())
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
