import threading

import h5py
import numpy as np
import pytest
from batches import as_frames, counts

from crewe.errors import SourceError
from crewe.sources import ArraySource, Counters, Known, Scan, array_parts
from crewe.stem4d.detectors import Annulus
from crewe.stem4d.mean_pattern import MeanPattern
from crewe.stem4d.moments import Moments
from crewe.stem4d.reduction import Reduction, reduce
from crewe.stem4d.virtual import VirtualDetectors


class Batches:
    """A source that hands out given batches, one after the other."""

    def __init__(self, batches, fails_after=None):
        self.scan, self.detector_shape = Scan((5, 7)), (8, 10)
        self.known, self.counters = Known(), Counters()
        self.given, self.fails_after = batches, fails_after

    def batches(self):
        for number, batch in enumerate(self.given):
            if number == self.fails_after:
                raise SourceError("gone")
            yield batch

    def close(self): ...
    def __enter__(self):
        return self

    def __exit__(self, *error): ...


class Divided(Batches):
    """The same, readable at any place."""

    def parts(self):
        for batch in self.given:
            yield lambda batch=batch: batch


def methods():
    virtual = VirtualDetectors(Scan((5, 7)), (8, 10), {"bf": Annulus(0, 3)}, (3.5, 4.5))
    mean = MeanPattern((8, 10), at_most=None)
    moments = Moments((5, 7), (8, 10))
    return Reduction([moments, virtual, mean], [virtual]), moments, mean


@pytest.mark.parametrize("kind", [Batches, Divided])
@pytest.mark.parametrize("threads", [1, 4])
def test_threads_and_sources_change_nothing(kind, threads):
    data = counts()
    reduction, moments, mean = methods()
    heard = []
    reduce(kind(as_frames(data, 2)), reduction, threads, heard.append)
    assert len(heard) == 18
    np.testing.assert_array_equal(moments.counts, data.sum((2, 3)))
    np.testing.assert_allclose(mean.pattern, data.mean((0, 1)))
    assert list(reduction.images()) == ["bf"]
    assert not np.isnan(reduction.images()["bf"]).any()


@pytest.mark.parametrize("threads", [1, 3])
def test_what_came_before_a_fault_is_kept(threads):
    reduction, moments, _ = methods()
    with pytest.raises(SourceError, match="gone"):
        reduce(Batches(as_frames(counts(), 2), fails_after=12), reduction, threads)
    assert moments.measured.sum() in (24, 12, 14, 16, 18, 20, 22)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("stored", ["memory", "hdf5"])
def test_a_source_closed_by_another_thread_ends_quietly(stored, threads, tmp_path):
    data = np.tile(counts(), (40, 1, 1, 1))
    file = h5py.File(tmp_path / "a.h5", "w")
    array = file.create_dataset("a", data=data, chunks=(1, 7, 8, 10)) if stored == "hdf5" else data
    source = ArraySource(array, on_close=file.close)
    moments, heard = Moments(source.scan.shape, (8, 10)), []

    def close_early(batch):
        heard.append(batch)
        thread = threading.Thread(target=source.close)
        thread.start()
        thread.join()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(array_parts, "PART_BYTES", data[0].nbytes)
        reduce(source, Reduction([moments], []), threads, close_early)
        assert list(source.batches()) == []
        assert list(source.parts()) == []
    assert 1 <= len(heard) <= 6
    assert moments.measured.sum() == sum(len(batch.positions) for batch in heard) < 40 * 35


def test_images_can_be_asked_for_while_data_come():
    reduction, _, _ = methods()
    seen, stop = [], threading.Event()

    def look():
        while not stop.is_set():
            seen.append(int(np.isfinite(reduction.images()["bf"]).sum()))
            stop.wait(0.002)

    watcher = threading.Thread(target=look)
    watcher.start()
    for _ in range(5):
        reduce(Divided(as_frames(counts(), 1)), reduction, 2)
    stop.set()
    watcher.join()
    assert seen == sorted(seen)
    assert seen[-1] == 35


def test_a_sample_of_frames_gives_the_mean_pattern():
    reduction = Reduction([mean := MeanPattern((8, 10), at_most=2)], [])
    same = np.broadcast_to(counts()[0, 0], (5, 7, 8, 10))
    reduce(Batches(as_frames(same)), reduction)
    np.testing.assert_allclose(mean.pattern, counts()[0, 0])
    assert mean.number == 18 - (35 % 4 == 1)
