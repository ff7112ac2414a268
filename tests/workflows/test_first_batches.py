import numpy as np
import pytest
from live_data import Detector, lattice

from crewe.sources import Events, Known, Scan
from crewe.workflows import first_batches
from crewe.workflows.first_batches import Followed, look_for_disk


def all_patterns(followed):
    return np.concatenate([batch.patterns for batch in followed.batches()])


def test_what_was_looked_at_is_not_lost():
    data = lattice()
    followed = Followed(Detector(data))
    look = look_for_disk(followed)
    rows, columns = data.shape[2:]
    assert look.any_came
    assert look.disk.centre == pytest.approx(((rows - 1) / 2, (columns - 1) / 2), abs=0.5)
    np.testing.assert_array_equal(all_patterns(followed), data.reshape(-1, rows, columns))


def test_no_more_is_taken_than_needed():
    followed = Followed(Detector(lattice(shape=(40, 16))))
    assert look_for_disk(followed).disk is not None
    assert followed.counters.used == 256


def test_a_slow_detector_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(first_batches, "PATIENCE_S", 0.0)
    followed = Followed(Detector(lattice(shape=(40, 16))))
    assert look_for_disk(followed).disk is not None
    assert followed.counters.used == 8


def test_a_beam_that_is_switched_on_later_is_waited_for(monkeypatch):
    data = lattice()
    data[:5] = 0
    monkeypatch.setattr(first_batches, "ENOUGH_PATTERNS", 32)
    followed = Followed(Detector(data))
    assert look_for_disk(followed).disk is not None
    assert followed.counters.used < 192
    assert len(all_patterns(followed)) == 192


def test_without_a_beam_it_gives_up_in_bounded_memory(monkeypatch):
    data = np.zeros((12, 16, 16, 16), np.uint16)
    monkeypatch.setattr(first_batches, "MOST_BYTES", 40 * 512)
    followed = Followed(Detector(data, scans=1000))
    look = look_for_disk(followed)
    assert look.disk is None
    assert "zero" in look.problem
    assert followed.counters.used <= 56


def test_a_short_stream_shows_what_it_can():
    data = lattice(shape=(2, 3))
    look = look_for_disk(Followed(Detector(data)))
    assert look.disk is not None


def test_nothing_came():
    look = look_for_disk(Followed(Detector(lattice(), scans=0)))
    assert not look.any_came
    assert look.disk is None


def test_events_are_counted_as_such():
    rng = np.random.default_rng(3)
    angle, radius = rng.uniform(0, 2 * np.pi, 60_000), 5 * np.sqrt(rng.uniform(0, 1, 60_000))
    ky, kx = (np.rint(7.5 + radius * f(angle)).astype(int) for f in (np.sin, np.cos))
    positions = np.sort(rng.integers(0, 20, 60_000))

    class Stream(Detector):
        def batches(self):
            for part in np.array_split(np.arange(60_000), 12):
                yield Events(positions[part], (ky * 16 + kx)[part].astype(np.uint32), (16, 16))

    stream = Stream(lattice(shape=(4, 5)))
    assert (stream.scan, stream.known) == (Scan((4, 5)), Known())
    followed = Followed(stream)
    look = look_for_disk(followed)
    assert look.disk.radius_px == pytest.approx(5.3, abs=0.5)
    assert sum(len(batch.pixels) for batch in followed.batches()) == 60_000
