import numpy as np
import pytest
from small_particles import EDGE, FCC_100, FCC_110, TITANATE

from crewe.atoms.unit_cell import ProjectedCell
from crewe.atoms.volume.crystal import (
    beyond_first_shell,
    bulk_coordination,
    cell_atoms,
    neighbour_distances,
)

MIDWAY = EDGE * (0.5**0.5 + 1) / 2


@pytest.mark.parametrize("cell", [FCC_100, FCC_110])
def test_platinum_has_twelve_neighbours_along_any_axis(cell):
    atoms = cell_atoms(cell, range(len(cell.names)))
    distances = neighbour_distances(atoms)
    assert beyond_first_shell(distances) == pytest.approx(MIDWAY)
    assert set(bulk_coordination(atoms, distances, MIDWAY).values()) == {12}
    assert beyond_first_shell(neighbour_distances(atoms, across=True)) == pytest.approx(MIDWAY)


def test_a_cell_that_climbs_is_the_same_crystal():
    edges = np.array([[EDGE, 0.0], [EDGE / 2, FCC_110.b / 2]])
    length = np.linalg.norm(edges, axis=1)
    angle = np.rad2deg(np.arccos(edges[0] @ edges[1] / length.prod()))
    atom = ((("Pt", 0.0),),)
    cell = ProjectedCell(*length, angle, np.zeros((1, 2)), ("Pt",), FCC_110.b, atom, (0.0, 0.5))
    atoms = cell_atoms(cell, [0])
    distances = neighbour_distances(atoms)
    assert bulk_coordination(atoms, distances, MIDWAY) == {(0, "Pt"): 12}


def test_strontium_titanate_has_its_coordination():
    atoms = cell_atoms(TITANATE, range(4))
    distances = neighbour_distances(atoms)
    bulk = bulk_coordination(atoms, distances, beyond_first_shell(distances))
    assert bulk[0, "Sr"] == 12
    assert bulk[1, "Ti"] == 6
    assert bulk[1, "O"] == bulk[2, "O"] == 2 + 4 + 8


def test_shells_of_a_tetragonal_cell_that_nearly_agree_are_one():
    heights = ((("Fe", 0.0),), (("Fe", 0.0),), (("Pt", 0.5),), (("Pt", 0.5),))
    cell = ProjectedCell(3.85, 3.85, 90.0, FCC_100.sites, ("Fe", "Fe", "Pt", "Pt"), 3.71, heights)
    atoms = cell_atoms(cell, range(4))
    distances = neighbour_distances(atoms)
    assert set(bulk_coordination(atoms, distances, beyond_first_shell(distances)).values()) == {12}
    assert cell_atoms(cell, range(4), {"Fe"}).element == ["Fe", "Fe"]
