import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal

from crewe.errors import SpecimenError
from crewe.specimens.orthogonal_cell import has_right_angles, orthogonal_crystal

SILICON = bulk("Si", "diamond", a=5.43, cubic=True)
MAGNESIUM = bulk("Mg", "hcp", a=3.2, c=5.2)


def monoclinic():
    sites = [(0.2754, 0.0395, 0.2083), (0.07, 0.33, 0.34)]
    return crystal(["Zr", "O"], sites, spacegroup=14, cellpar=[5.15, 5.21, 5.32, 90, 99.2, 90])


def distances(atoms, longest=5.97):
    """Distances from each atom to its neighbours, each element apart, periodic."""
    from ase.neighborlist import neighbor_list

    i, j, d = neighbor_list("ijd", atoms, longest)
    found = {}
    for a, b, length in zip(atoms.numbers[i], atoms.numbers[j], d, strict=True):
        found.setdefault((a, b), []).append(length)
    return {key: np.array(values) for key, values in found.items()}


@pytest.mark.parametrize(
    ("atoms", "axis", "sides"),
    [
        (SILICON, (0, 0, 1), (5.43, 5.43, 5.43)),
        (SILICON, (1, 1, 0), (5.43, 3.8396, 3.8396)),
        (SILICON, (1, 1, 1), (3.8396, 6.6504, 9.4050)),
        (bulk("Si", "diamond", a=5.43), (0, 0, 1), (3.8396, 5.43, 3.8396)),
        (MAGNESIUM, None, (3.2, 5.5426, 5.2)),
        (MAGNESIUM, (1, 0, 0), (5.2, 5.5426, 3.2)),
    ],
)
def test_the_smallest_box_of_known_crystals(atoms, axis, sides):
    box = orthogonal_crystal(atoms, axis)
    assert has_right_angles(box)
    *across, along = np.diag(box.cell.array)
    assert [*sorted(across), along] == pytest.approx([*sorted(sides[:2]), sides[2]], abs=1e-3)


@pytest.mark.parametrize(
    ("atoms", "axis"), [(SILICON, (1, 1, 2)), (MAGNESIUM, (1, 1, 0)), (SILICON, (-1, 1, 0))]
)
def test_it_is_the_same_crystal(atoms, axis):
    assert_alike(orthogonal_crystal(atoms, axis), atoms)


def test_a_cell_that_leans_is_the_same_layer():
    """Nothing across the beam may lean; what leans along it repeats one layer only."""
    atoms = monoclinic()
    atoms.wrap()
    box = orthogonal_crystal(atoms)
    atoms.pbc = box.pbc = (True, True, False)
    assert_alike(box, atoms)


def assert_alike(one, other):
    assert len(one) / one.cell.volume == pytest.approx(len(other) / other.cell.volume)
    here, there = distances(one), distances(other)
    assert set(here) == set(there)
    for key in here:
        assert len(here[key]) / len(one) == pytest.approx(len(there[key]) / len(other))
        assert here[key].mean() == pytest.approx(there[key].mean(), abs=1e-6)
        assert here[key].std() == pytest.approx(there[key].std(), abs=1e-6)


def test_the_zone_axis_lies_along_the_beam():
    """Along [110] atoms of silicon stand above one another, at the spacing of the lattice."""
    box = orthogonal_crystal(SILICON, (1, 1, 0))
    long = box.repeat((1, 1, 3))
    for x, y in box.positions[:, :2]:
        column = long.positions[np.hypot(*(long.positions[:, :2] - [x, y]).T) < 1e-3]
        assert np.diff(np.sort(column[:, 2])) == pytest.approx([3.8396] * 2, abs=1e-3)


def test_without_a_rectangle_across_the_beam_it_says_so():
    with pytest.raises(SpecimenError, match=r"no rectangle .* \[1, 0, 0\].* zone axis"):
        orthogonal_crystal(monoclinic(), (1, 0, 0))
    with pytest.raises(SpecimenError, match="needs a cell"):
        orthogonal_crystal(Atoms("Pt", [(0, 0, 0)]))


def test_right_angles_are_told():
    assert has_right_angles(SILICON)
    assert not has_right_angles(MAGNESIUM)
    assert not has_right_angles(Atoms("Pt", [(0, 0, 0)]))
