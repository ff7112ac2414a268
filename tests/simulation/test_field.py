import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from crewe.errors import ImageError
from crewe.simulation.field import choose_field, images_within


def test_the_field_of_a_cell_is_its_bounding_box():
    atoms = Atoms("C", [(1, 1, 1)], cell=[[4, 0, 0], [-1, 6, 0], [0, 0, 5]], pbc=True)
    field = choose_field(atoms, 0.5, None, 2.0, None)
    assert field.origin == (-1.0, 0.0)
    assert field.shape == (12, 10)
    assert field.periodic


def test_the_field_without_a_cell_is_that_of_the_atoms():
    atoms = Atoms("C2", [(1, 1, 1), (4, 2, 0)])
    field = choose_field(atoms, 0.5, None, 1.0, None)
    assert field.origin == (0.0, 0.0)
    assert field.shape == (7, 11)
    assert not field.periodic
    assert choose_field(atoms, 0.5, (3, 4), 1.0, None).shape == (3, 4)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_repeats_are_every_lattice_point_within_reach(order):
    pair = np.array([[2.5, 0.4, 0.3], [-1.1, 3.0, 0.0], [0.2, 0.1, 7.0]])[list(order)]
    atoms = Atoms("Au", [(20.3, -11.0, 0.0)], cell=pair, pbc=True)
    field = choose_field(atoms, 0.5, (18, 22), 2.0, True)
    numbers, found = images_within(atoms, field, 0.5, 3.0)
    a, b = np.array([[2.5, 0.4], [-1.1, 3.0]])
    steps = np.arange(-60, 61)
    lattice = (steps[:, None, None] * a + steps[:, None] * b).reshape(-1, 2)
    everywhere = lattice + atoms.positions[0, :2] - field.origin
    expected = everywhere[np.all((everywhere >= -3) & (everywhere <= (14, 12)), axis=1)]
    assert len(numbers) == len(expected) > 20
    assert np.allclose(sorted(map(tuple, found[:, :2])), sorted(map(tuple, expected)))


def test_a_specimen_that_does_not_repeat_is_left_as_it_is():
    atoms = bulk("Fe", cubic=True)
    field = choose_field(atoms, 0.1, None, 2.0, False)
    numbers, positions = images_within(atoms, field, 0.1, 3.0)
    assert numbers.tolist() == [26, 26]
    assert np.allclose(positions, atoms.positions)


def test_fields_that_cannot_be_are_refused():
    flat = Atoms("C", [(0, 0, 0)], cell=[0, 5, 5], pbc=True)
    assert not choose_field(flat, 0.1, None, 1.0, None).periodic
    with pytest.raises(ImageError, match="span the image plane"):
        choose_field(flat, 0.1, None, 1.0, True)
    with pytest.raises(ImageError, match="no atoms"):
        choose_field(Atoms(), 0.1, None, 1.0, None)
    with pytest.raises(ImageError, match="0 × 4"):
        choose_field(flat, 0.1, (0, 4), 1.0, None)
