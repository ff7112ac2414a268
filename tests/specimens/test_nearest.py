import itertools

import numpy as np
import pytest

from crewe.specimens.nearest import nearest_image, plane_spacings
from crewe.specimens.space_groups import cell_vectors

CELLS = [
    cell_vectors(3.1, 8.0, 20.0, 90, 90, 90),
    cell_vectors(3.5, 3.5, 6.0, 50, 50, 60),
    cell_vectors(4.0, 25.0, 5.0, 100, 118, 115),
]


def naive(delta, cell, itself):
    images = np.array(list(itertools.product(range(-6, 7), repeat=3)))
    reduced = delta - np.round(delta)
    length = np.linalg.norm((reduced + images) @ cell, axis=1)
    if itself:
        length = length[(images != 0).any(axis=1)]
    return length.min()


@pytest.mark.parametrize("cell", CELLS)
def test_nearest_image_is_the_shortest_of_many(cell):
    rng = np.random.default_rng(0)
    for _ in range(30):
        delta = rng.uniform(-2, 2, 3)
        squared, *vector = nearest_image(*delta, cell, plane_spacings(cell), 30.0, False)
        assert np.sqrt(squared) == pytest.approx(naive(delta, cell, False))
        assert np.linalg.norm(vector @ cell) == pytest.approx(np.sqrt(squared))


@pytest.mark.parametrize("cell", CELLS)
def test_the_shortest_lattice_vector(cell):
    squared, *_ = nearest_image(0.0, 0.0, 0.0, cell, plane_spacings(cell), 30.0, True)
    assert np.sqrt(squared) == pytest.approx(naive(np.zeros(3), cell, True))


def test_nothing_within_reach_returns_the_reach():
    squared, p, q, r = nearest_image(0.5, 0.5, 0.5, 10 * np.eye(3), np.full(3, 10.0), 2.0, False)
    assert (squared, p, q, r) == (4.0, 0.0, 0.0, 0.0)


def test_plane_spacings_of_a_hexagonal_cell():
    spacings = plane_spacings(cell_vectors(2.0, 2.0, 5.0, 90, 90, 120))
    np.testing.assert_allclose(spacings, [np.sqrt(3), np.sqrt(3), 5.0])
