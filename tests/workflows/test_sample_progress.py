import dataclasses

from crewe.workflows.observer import Recorder
from crewe.workflows.sample_progress import SampleProgress, readable_time


@dataclasses.dataclass
class Blocks:
    """A set of 40 samples in blocks of 10."""

    count = 40

    def span(self, block):
        return 10 * block, 10 * block + 10


def test_speed_and_time_left_count_the_new_samples_only():
    recorder = Recorder()
    progress = SampleProgress(recorder, Blocks(), [1, 2, 3])
    assert recorder.heard == [("message", "10 of 40 samples are there already")]
    progress.made(10, 20)
    assert progress.so_far(5.0) == "20 of 40 samples, 2 per second, 10 s left"


def test_times_read_well():
    assert [readable_time(t) for t in (3.4, 75, 7265)] == ["3 s", "1 min 15 s", "2 h 1 min"]
