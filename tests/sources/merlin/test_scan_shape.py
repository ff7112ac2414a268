import numpy as np
import pytest

from crewe.sources.merlin.header import Acquisition
from crewe.sources.merlin.scan_shape import scan_from_pauses, scan_from_triggers, times_ns


@pytest.mark.parametrize(
    ("planned", "per_trigger", "frames", "shape"),
    [
        (65536, 256, 65536, (256, 256)),
        (65536, 256, 61000, (256, 256)),
        (0, 256, 1000, (4, 256)),
        (None, 10, 20, (2, 10)),
        (8, 1, 8, None),
        (8, 8, 8, None),
        (8, None, 8, None),
    ],
)
def test_one_trigger_for_each_line(planned, per_trigger, frames, shape):
    found = scan_from_triggers(Acquisition(planned, per_trigger), frames)
    assert (found and found.shape) == shape
    assert scan_from_triggers(None, 8) is None


def times(rows, columns, pause=20_000, jitter=100, seed=0):
    steps = np.full(rows * columns, 102_000_000)
    steps[columns::columns] += pause
    steps += np.random.default_rng(seed).integers(-jitter, jitter + 1, steps.size)
    return np.cumsum(steps)


@pytest.mark.parametrize("shape", [(2, 4), (3, 2), (5, 64), (40, 33)])
def test_lines_begin_after_pauses(shape):
    frames = shape[0] * shape[1]
    assert scan_from_pauses(times(*shape), frames).shape == shape
    # Less than all times will do.
    assert scan_from_pauses(times(*shape)[: 2 * shape[1] + 1], frames).shape == shape


def test_doubtful_pauses_are_not_used():
    assert scan_from_pauses(times(5, 8, pause=0), 40) is None
    assert scan_from_pauses(times(5, 8, pause=500, jitter=200), 40) is None
    assert scan_from_pauses(times(5, 8)[:12], 41) is None
    assert scan_from_pauses(times(5, 8)[::-1], 40) is None
    assert scan_from_pauses(times(1, 2), 2) is None
    assert scan_from_pauses(np.empty(0, np.int64), 40) is None
    assert scan_from_pauses(np.arange(40), 40) is None
    hiccup = times(1, 40, pause=0)
    hiccup[13:] += 50_000
    assert scan_from_pauses(hiccup, 40) is None
    uneven = times(5, 8)
    uneven[20:] += 20_000
    assert scan_from_pauses(uneven, 40) is None


def test_times_of_headers():
    texts = ["2021-05-07T16:51:10.905800928Z", "2021-05-07 16:51:11.0058"]
    assert np.diff(times_ns(texts)).tolist() == [99_999_072]
    for odd in ("", "2021-05-07T16:51:10+02:00", "2021-13-40T16:51:10", "NaT"):
        assert times_ns([*texts, odd]).size == 0
