import dask.array
import numpy as np
import pytest

from crewe.errors import ReadError
from crewe.sources import Counters, Events, Known, Scan
from crewe.sources.memory import ArraySource
from crewe.workflows import phase_sample
from crewe.workflows.phase_sample import PARTS, SAMPLED_EVENTS, sample


class Electrons:
    """A source of events, one per batch a million."""

    def __init__(self, batches):
        self.scan, self.detector_shape = Scan((4, 4)), (3, 5)
        self.known, self.counters = Known(), Counters()
        self.given, self.count = 0, batches

    def batches(self):
        for _ in range(self.count):
            self.given += 1
            pixels = np.full(1_000_000, 7, np.uint32)
            yield Events(np.zeros(len(pixels), np.int64), pixels, self.detector_shape)

    def close(self): ...
    def __enter__(self): ...
    def __exit__(self, *error): ...


def test_small_data_are_taken_whole():
    patterns = np.random.default_rng(0).poisson(3, (5, 6, 8, 9))
    np.testing.assert_allclose(sample(ArraySource(patterns)).pattern, patterns.mean((0, 1)))


def test_a_sample_is_spread_over_large_data():
    class Counted(ArraySource):
        seen = []

        def _read(self, region, skipped):
            batch = super()._read(region, skipped)
            self.seen.append(batch.positions[0] / self.scan.size)
            return batch

    # Broadcast: 4 GiB that take no memory.
    patterns = np.broadcast_to(np.ones((1, 256, 256), np.uint16), (32768, 256, 256))
    source = Counted(patterns, Scan((128, 256)))
    assert sample(source).pattern == pytest.approx(np.ones((256, 256)))
    assert len(source.seen) == PARTS
    assert np.histogram(source.seen, 8, (0, 1))[0].min() >= 3


def test_of_large_parts_no_more_than_two_samples_are_read(monkeypatch):
    monkeypatch.setattr(phase_sample, "SAMPLED_BYTES", 8 * 2**20)
    # Each line is a chunk of 1 MiB; four are read at once.
    patterns = dask.array.ones((64, 16, 256, 256), dtype=np.uint8, chunks=(1, 16, 256, 256))
    with ArraySource(patterns) as source:
        assert sample(source).number == 8 * 2**20 // 256**2
        assert source.counters.used == 16 * 2**20 // 256**2


def test_of_events_the_first_are_enough():
    source = Electrons(50)
    pattern = sample(source).pattern
    assert source.given * 1_000_000 == SAMPLED_EVENTS
    assert pattern[1, 2] == 1
    assert pattern.sum() == 1


def test_data_without_patterns_are_told():
    with pytest.raises(ReadError, match="no pattern on a probe position"):
        sample(Electrons(0))


def test_why_there_are_no_patterns_is_told():
    source = Electrons(0)
    source.counters.received = 1200
    source.counters.fault("a word of no kind", times=3)
    source.counters.fault("the end of a line is missing", "line 7", 512)
    with pytest.raises(ReadError) as caught:
        sample(source)
    said = str(caught.value)
    assert "1,200 received, 0 used" in said
    assert "most often: the end of a line is missing (512 times, the latest: line 7)" in said
    assert said.endswith("--source line_end=next)")
