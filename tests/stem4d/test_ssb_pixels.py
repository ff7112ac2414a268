import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.errors import PlanError
from crewe.sources import Events
from crewe.stem4d.ssb_pixels import DiskPixels, binning_for

SHAPE = (20, 23)


def slow_bins(centre, reach, binning):
    """Bin of each pixel, by loops."""
    bins = {}
    for y in range(SHAPE[0]):
        for x in range(SHAPE[1]):
            row, column = y // binning, x // binning
            whole = row < SHAPE[0] // binning and column < SHAPE[1] // binning
            middle = [(n + 0.5) * binning - 0.5 for n in (row, column)]
            if whole and np.hypot(middle[0] - centre[0], middle[1] - centre[1]) <= reach:
                bins.setdefault((row, column), []).append((y, x))
    return bins


@settings(max_examples=30, deadline=None)
@given(
    st.floats(2, 17),
    st.floats(2, 20),
    st.floats(3, 9),
    st.integers(1, 3),
    st.sampled_from([">u2", "u1", "f4", "i4"]),
)
def test_sums_are_those_of_loops(cy, cx, reach, binning, dtype):
    expected = slow_bins((cy, cx), reach, binning)
    pixels = DiskPixels.around(SHAPE, (cy, cx), reach, binning)
    patterns = np.random.default_rng(0).integers(0, 200, (3, *SHAPE)).astype(dtype)
    sums = [
        [sum(float(p[y, x]) for y, x in where) for where in expected.values()] for p in patterns
    ]
    assert np.array_equal(pixels.of_frames(patterns), sums)
    middles = [np.mean(where, axis=0) for where in expected.values()]
    assert np.allclose(pixels.places.T, middles)


def test_electrons_fall_into_the_bins_of_frames():
    rng = np.random.default_rng(1)
    pixels = DiskPixels.around(SHAPE, (9.0, 11.0), 6.0, 2)
    counts = rng.poisson(2.0, (4, *SHAPE))
    flat = counts.reshape(4, -1)
    positions = np.repeat(np.arange(4), flat.sum(axis=1))
    hits = np.concatenate([np.repeat(np.arange(flat.shape[1]), line) for line in flat])
    at, bins = pixels.of_events(Events(positions, hits.astype(np.uint32), SHAPE))
    again = np.zeros((4, pixels.number))
    np.add.at(again, (at, bins), 1)
    assert np.array_equal(again, pixels.of_frames(counts))


def test_a_disk_off_the_detector_is_refused_and_one_at_its_edge_cut():
    with pytest.raises(PlanError, match="centre"):
        DiskPixels.around(SHAPE, (60.0, 10.0), 8.0, 1)
    cut = DiskPixels.around(SHAPE, (0.0, 10.0), 5.0, 1)
    assert 30 < cut.number < 50


def test_the_disk_is_binned_to_the_width_asked_for():
    assert [binning_for(a, 16.0) for a in (None, 64, 32, 31, 16, 10)] == [1, 1, 1, 2, 2, 4]
    with pytest.raises(PlanError, match="overlap"):
        binning_for(2, 16.0)
