import numpy as np
import pytest

from crewe.sources import Events, Frames, Scan
from crewe.workflows import phase_progress
from crewe.workflows.observer import Silent
from crewe.workflows.phase_progress import PhaseProgress


class Heard(Silent):
    """Keeps what it hears of the progress."""

    def __init__(self):
        self.fractions, self.rates = [], []

    def advanced(self, stage, fraction):
        self.fractions.append(fraction)

    def rate(self, khz, fraction):
        self.rates.append(khz)


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves on by a second whenever it is read."""
    times = iter(range(10**6))
    monkeypatch.setattr(phase_progress.time, "perf_counter", lambda: float(next(times)))


def frames(first, count, scan=0):
    positions = np.arange(first, first + count)
    return Frames(positions, np.zeros((count, 2, 2)), scan)


def test_frames_are_counted_by_their_number(clock):
    heard = Heard()
    progress = PhaseProgress(heard, Scan((10, 100)))
    for start in range(0, 1000, 250):
        progress.heard(frames(start, 250))
    assert heard.fractions == [0.25, 0.5, 0.75, 1.0]
    # The clock is read twice per batch, and the first one does not count.
    assert heard.rates == pytest.approx([0, 250 / 3e3, 500 / 5e3, 750 / 7e3])
    assert progress.in_words().startswith("1,000 probe positions at ")


def test_events_are_counted_by_the_positions_passed(clock):
    heard = Heard()
    progress = PhaseProgress(heard, Scan((10, 10)))
    for scan, finished in ((0, 50), (0, 100), (1, 20)):
        electrons = np.zeros(7, np.int64)
        progress.heard(Events(electrons, electrons.astype(np.uint32), (2, 2), scan, finished))
    assert progress.positions == 120
    assert "120 probe positions with 21 events" in progress.in_words()
    assert heard.fractions == [0.5, 1.0, 0.6]


def test_an_observer_need_not_want_rates():
    PhaseProgress(Silent(), Scan((2, 2))).heard(frames(0, 4))
