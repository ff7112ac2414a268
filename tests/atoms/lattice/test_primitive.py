import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from crewe.atoms.lattice.primitive import primitive_crystal
from crewe.errors import PlanError


@pytest.mark.parametrize(
    ("crystal", "parts"),
    [
        (bulk("Pt", "fcc", a=3.92, cubic=True), 4),
        (bulk("Fe", "bcc", a=2.87, cubic=True), 2),
        (bulk("NaCl", "rocksalt", a=5.64, cubic=True), 4),
        (bulk("NaCl", "cesiumchloride", a=4.1), 1),
        (bulk("Ti", "hcp", a=2.95, c=4.68) * (2, 3, 1), 6),
    ],
)
def test_centrings_and_repeated_cells_are_found(crystal, parts):
    found = primitive_crystal(crystal)
    assert len(found.numbers) * parts == len(crystal)
    volume = abs(np.linalg.det(found.basis))
    assert volume * parts == pytest.approx(crystal.get_volume())


def test_one_moved_atom_makes_the_whole_cell_the_smallest():
    crystal = bulk("Pt", "fcc", a=3.92, cubic=True)
    crystal.positions[1, 2] += 0.3
    assert len(primitive_crystal(crystal).numbers) == 4


def test_rounded_coordinates_do_not_matter():
    crystal = bulk("Ti", "hcp", a=2.95, c=4.68) * (3, 3, 1)
    crystal.set_scaled_positions(np.round(crystal.get_scaled_positions(), 4))
    assert len(primitive_crystal(crystal).numbers) == 2


def test_a_particle_is_no_crystal():
    with pytest.raises(PlanError, match="give a crystal"):
        primitive_crystal(Atoms("Pt2", positions=[[0, 0, 0], [0, 0, 2.7]]))
    with pytest.raises(PlanError, match="no atoms"):
        primitive_crystal(Atoms(cell=[3, 3, 3], pbc=True))
