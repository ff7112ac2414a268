import numpy as np

from crewe.sources import Frames, Scan
from crewe.workflows import phase_progress
from crewe.workflows.observer import Silent


class Clock:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self):
        return self.now


def test_the_rate_counts_from_the_first_batch_and_is_left_out_when_it_says_nothing(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(phase_progress, "time", clock)
    progress = phase_progress.PhaseProgress(Silent(), Scan((10, 100)))
    batch = Frames(np.arange(100), np.zeros((100, 2, 2)))
    clock.now += 5.0
    progress.heard(batch)
    clock.now += 0.1
    progress.heard(batch)
    assert progress.in_words() == "200 probe positions"
    clock.now += 0.4
    progress.heard(batch)
    assert progress.in_words() == "300 probe positions at 0.4 kHz"
