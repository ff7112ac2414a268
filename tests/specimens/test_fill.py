import itertools

import numpy as np
import pytest

from crewe.errors import SpecimenError
from crewe.specimens.fill import Crystal, fill_box
from crewe.specimens.orientation import about_z, random_rotation


def naive(crystal, box, rotation, offset):
    """All cells that could matter, and a comparison for every atom."""
    cell = crystal.cell @ rotation.T
    start = crystal.scaled @ cell + offset
    corners = np.array(list(itertools.product(*[(0.0, length) for length in box])))
    scaled = (corners - np.asarray(offset)) @ np.linalg.inv(cell)
    low = np.floor(scaled.min(axis=0) - 2).astype(int)
    high = np.ceil(scaled.max(axis=0) + 2).astype(int)
    cells = np.array(list(itertools.product(*map(range, low, high))))
    positions = (start[:, None] + (cells @ cell)[None]).reshape(-1, 3)
    numbers = np.repeat(crystal.numbers, len(cells))
    inside = ((positions >= 0) & (positions < box)).all(axis=1)
    return numbers[inside], positions[inside]


def ordered(numbers, positions):
    rounded = np.round(positions, 6)
    order = np.lexsort((rounded[:, 2], rounded[:, 1], rounded[:, 0], numbers))
    return numbers[order], positions[order]


@pytest.mark.parametrize("seed", range(12))
def test_fill_is_what_comparing_every_atom_gives(seed):
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(2, 9, 3)) + rng.normal(0, 1.0, (3, 3))
    count = int(rng.integers(1, 5))
    crystal = Crystal(cell, rng.integers(1, 90, count).astype(np.uint8), rng.random((count, 3)) * 3)
    rotation = random_rotation(rng) if seed % 2 else about_z(rng.uniform(0, 360))
    box, offset = tuple(rng.uniform(3, 25, 3)), tuple(rng.normal(0, 10, 3))
    made = fill_box(crystal, box, rotation, offset)
    numbers, positions = ordered(made.numbers, made.positions)
    wanted_numbers, wanted = ordered(*naive(crystal, box, rotation, offset))
    np.testing.assert_array_equal(numbers, wanted_numbers)
    np.testing.assert_allclose(positions, wanted, atol=1e-9)


def test_faces_of_the_box_belong_to_it_on_one_side_only():
    cubic = Crystal(2.0 * np.eye(3), np.array([6], np.uint8), np.zeros((1, 3)))
    assert len(fill_box(cubic, (6.0, 6.0, 6.0))) == 27
    assert len(fill_box(cubic, (6.0, 6.0, 6.0), offset=(0.5, 0.5, 0.5))) == 27
    assert len(fill_box(cubic, (6.1, 6.0, 6.0))) == 36


def test_number_of_atoms_is_density_times_volume():
    rng = np.random.default_rng(5)
    crystal = Crystal(np.diag([3.0, 4.0, 5.0]), np.full(4, 8, np.uint8), rng.random((4, 3)))
    made = fill_box(crystal, (90.0, 80.0, 70.0), random_rotation(rng))
    assert len(made) == pytest.approx(crystal.density() * 90 * 80 * 70, rel=2e-3)


def test_flat_cells_and_boxes_are_refused():
    flat = Crystal(np.diag([1.0, 1.0, 0.0]), np.array([6], np.uint8), np.zeros((1, 3)))
    with pytest.raises(SpecimenError, match="no volume"):
        fill_box(flat, (5.0, 5.0, 5.0))
    solid = Crystal(np.eye(3), np.array([6], np.uint8), np.zeros((1, 3)))
    with pytest.raises(SpecimenError, match="positive lengths"):
        fill_box(solid, (5.0, 0.0, 5.0))
