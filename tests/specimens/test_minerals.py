import numpy as np
import pytest

from crewe.errors import SpecimenError
from crewe.specimens.elements import atomic_mass_da
from crewe.specimens.fill import fill_box
from crewe.specimens.minerals import MINERALS, mineral, mineral_crystal

# Distance to the nearest neighbours in Å and how many there are; from the literature.
NEIGHBOURS = {
    ("Pt", "Pt", "Pt"): (2.774, 12),
    ("NiO", "Ni", "O"): (2.084, 6),
    ("SrTiO3", "Ti", "O"): (1.953, 6),
    ("SrTiO3", "Sr", "O"): (2.761, 12),
    ("DyScO3", "Sc", "O"): (2.087, 6),
    ("Si", "Si", "Si"): (2.352, 4),
    ("graphene", "C", "C"): (1.421, 3),
    ("MoS2", "Mo", "S"): (2.418, 6),
    ("TiO2", "Ti", "O"): (1.957, 6),
    ("LiCoO2", "Co", "O"): (1.922, 6),
    ("LiCoO2", "Li", "O"): (2.092, 6),
    ("CoO2", "Co", "O"): (1.883, 6),
}
DENSITY = {"Pt": 21.46, "NiO": 6.85, "SrTiO3": 5.12, "Si": 2.33, "TiO2": 4.25, "LiCoO2": 5.05}
DENSITY |= {"DyScO3": 6.90}


@pytest.mark.parametrize(("formula", "centre", "other"), NEIGHBOURS)
def test_neighbours_and_their_distances(formula, centre, other):
    from ase.data import atomic_numbers

    crystal = mineral_crystal(formula)
    wanted, count = NEIGHBOURS[formula, centre, other]
    side = 30.0
    cloud = fill_box(crystal, (side, side, side))
    at = np.flatnonzero(cloud.numbers == atomic_numbers[centre])
    middle = at[np.argmin(np.linalg.norm(cloud.positions[at] - side / 2, axis=1))]
    others = cloud.positions[cloud.numbers == atomic_numbers[other]]
    distance = np.sort(np.linalg.norm(others - cloud.positions[middle], axis=1))
    distance = distance[distance > 0.1]
    assert distance[:count].mean() == pytest.approx(wanted, abs=0.003)
    assert distance[count] > 1.15 * distance[:count].mean()


@pytest.mark.parametrize("formula", DENSITY)
def test_densities(formula):
    crystal = mineral_crystal(formula)
    mass = sum(atomic_mass_da(int(number)) for number in crystal.numbers)
    density = mass * 1.66054 / abs(np.linalg.det(crystal.cell))
    assert density == pytest.approx(DENSITY[formula], rel=0.01)


def test_stoichiometry():
    from ase.formula import Formula
    from ase.symbols import Symbols

    for formula in ("NiO", "SrTiO3", "DyScO3", "TiO2", "LiCoO2", "CoO2", "MoS2"):
        found = Symbols(mineral_crystal(formula).numbers).formula.reduce()[0]
        assert found.count() == Formula(formula).count()


def test_pbnm_keeps_its_axes():
    np.testing.assert_allclose(np.diag(mineral_crystal("DyScO3").cell), [5.443, 5.717, 7.901])
    # Scandium on ½ 0 0 and its images, all on the c glide's sites.
    crystal = mineral_crystal("DyScO3")
    scandium = np.round(2 * crystal.scaled[crystal.numbers == 21]).astype(int) % 2
    assert {tuple(site) for site in scandium} == {(1, 0, 0), (0, 1, 0), (1, 0, 1), (0, 1, 1)}


def test_lattice_systems_agree_with_space_groups():
    from crewe.specimens.space_groups import crystal_system

    for entry in MINERALS.values():
        system = crystal_system(entry.space_group)
        assert entry.lattice_system == ("hexagonal" if system == "trigonal" else system)


def test_names_are_found_whatever_their_case():
    assert mineral("rutile") is mineral("tio2") is MINERALS["TiO2"]
    assert mineral("Strontium Titanate") is MINERALS["SrTiO3"]


def test_unknown_names_get_the_nearest_offered():
    with pytest.raises(SpecimenError, match="did you mean SrTiO3"):
        mineral("SrTiO")
    with pytest.raises(SpecimenError, match="known are Pt, NiO"):
        mineral("unobtainium")
