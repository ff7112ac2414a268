import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.stats import kstest

from crewe.errors import SpecimenError
from crewe.specimens.points import separate_points


@given(
    seed=st.integers(0, 10**6),
    lengths=st.lists(st.floats(1.0, 40.0), min_size=2, max_size=3),
    distance=st.floats(0.1, 8.0),
    count=st.integers(0, 300),
    periodic=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_points_keep_their_distance_in_any_box(seed, lengths, distance, count, periodic):
    if periodic and min(lengths) < 2 * distance:
        periodic = False
    made = separate_points(count, lengths, distance, np.random.default_rng(seed), periodic)
    assert len(made.positions) <= count
    assert made.complete == (len(made.positions) == count)
    assert made.positions.shape[1] == len(lengths)
    assert (made.positions >= 0).all()
    assert (made.positions < lengths).all()
    if len(made.positions) > 1:
        tree = cKDTree(made.positions, boxsize=lengths if periodic else None)
        assert not tree.query_pairs(distance * (1 - 1e-9))


def test_dilute_points_are_uniform_and_complete():
    made = separate_points(2000, (100.0, 50.0), 0.05, np.random.default_rng(0))
    assert made.complete
    assert kstest(made.positions[:, 0] / 100, "uniform").pvalue > 1e-3
    assert kstest(made.positions[:, 1] / 50, "uniform").pvalue > 1e-3


def test_without_a_distance_all_find_room():
    assert separate_points(500, (1.0, 1.0, 1.0), 0.0, np.random.default_rng(0)).complete


def test_discs_jam_near_the_known_coverage():
    """Random sequential addition of discs jams at 0.547 (Feder 1980)."""
    made = separate_points(10_000, (50.0, 50.0), 1.0, np.random.default_rng(0), True, 60)
    coverage = len(made.positions) * np.pi / 4 / 2500
    assert not made.complete
    assert 0.5 < coverage < 0.547


def test_senseless_numbers_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(SpecimenError, match="two or three"):
        separate_points(5, (1.0,), 0.1, rng)
    with pytest.raises(SpecimenError, match="numbers ≥ 0"):
        separate_points(5, (1.0, 1.0), -0.1, rng)
    with pytest.raises(SpecimenError, match="numbers ≥ 0"):
        separate_points(-5, (1.0, 1.0), 0.1, rng)
