import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laid_out_cells import rotation

from crewe.atoms.lattice.placement import correlation, nearest_sites, stretch, turned

EDGES = np.array([[4.0, 0.0], [-1.0, 5.0]])
SITES = np.array([[0.0, 0.0], [0.4, 0.3]])


@pytest.mark.parametrize("hand", [1, -1])
def test_turning_keeps_lengths_and_goes_from_x_to_y(hand):
    vectors = turned(EDGES, np.deg2rad(30.0), hand)
    assert np.allclose(vectors, EDGES @ rotation(30.0, hand))
    assert np.rad2deg(np.arctan2(vectors[0, 1], vectors[0, 0])) == pytest.approx(30.0)


@given(st.integers(0, 999))
def test_nearest_sites_are_those_of_a_search_through_all(seed):
    rng = np.random.default_rng(seed)
    points, origin = rng.uniform(-10, 10, (5, 2)), rng.uniform(-3, 3, 2)
    site, cell, error = nearest_sites(points, origin, EDGES, SITES)
    steps = np.stack(np.meshgrid(range(-6, 7), range(-6, 7)), axis=-1).reshape(-1, 1, 2)
    all_sites = (steps + SITES).reshape(-1, 2) @ EDGES + origin
    least = np.linalg.norm(points[:, None] - all_sites, axis=-1).min(axis=1)
    place = (cell + SITES[site]) @ EDGES + origin
    assert np.allclose(np.linalg.norm(points - place, axis=1), error)
    # within half a cell the rounding finds the nearest
    assert np.allclose(error[least < 1.5], least[least < 1.5])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (rotation(40.0), 0.0),
        (rotation(10.0, -1), 0.0),
        (1.1 * np.eye(2), 0.1),
        (np.diag([1.02, 0.93]) @ rotation(70.0), 0.07),
        (np.array([[1.0, 0.1], [0.0, 1.0]]), 0.0512492),
    ],
)
def test_stretch_knows_no_turn(change, expected):
    assert stretch(EDGES, EDGES @ change) == pytest.approx(expected, abs=1e-6)


def test_correlation_is_numpys_and_nought_without_variation():
    first, second = np.random.default_rng(0).normal(size=(2, 9))
    assert correlation(first, second) == pytest.approx(np.corrcoef(first, second)[0, 1])
    assert correlation(first, np.ones(9)) == 0
