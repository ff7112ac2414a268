from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal as spacegroup_crystal
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crewe.atoms import read_projected_cell
from crewe.atoms.lattice.project import project_cell, read_cell
from crewe.errors import PlanError
from crewe.io import write_atoms

SHARED = Path(__file__).parents[4] / "shared" / "data"
INDICES = st.tuples(*[st.integers(-2, 2)] * 3)


def rebuilt(cell):
    """The crystal of a projected cell, in its own frame."""
    lift = np.array([*cell.climb, 1.0]) * cell.repeat_angstrom
    edges = np.column_stack([np.vstack([cell.vectors(), [0, 0]]), lift])
    places = [
        [*(site @ cell.vectors()), height * cell.repeat_angstrom]
        for site, column in zip(cell.sites, cell.atoms, strict=True)
        for _, height in column
    ]
    symbols = [element for column in cell.atoms for element, _ in column]
    return Atoms(symbols, positions=places, cell=edges, pbc=True)


def surroundings(atoms, cutoff=6.0):
    """Sorted lists, one for each atom, of its element and its neighbours' distances."""
    from ase.neighborlist import neighbor_list

    centre, around, distance = neighbor_list("ijd", atoms, cutoff)
    shells = []
    for n in range(len(atoms)):
        mine = centre == n
        pairs = np.column_stack([distance[mine], atoms.numbers[around[mine]]])
        pairs[:, 0] = np.round(pairs[:, 0], 3)
        shells.append((int(atoms.numbers[n]), pairs[np.lexsort(pairs.T)]))
    return shells


def same_crystal(first, second):
    """Whether every atom of the one has the surroundings of an atom of the other."""
    theirs = surroundings(second)
    return all(
        any(z == w and a.shape == b.shape and np.allclose(a, b, atol=4e-3) for w, b in theirs)
        for z, a in surroundings(first)
    )


CRYSTALS = {
    "fcc": bulk("Pt", "fcc", a=3.92, cubic=True),
    "bcc": bulk("Fe", "bcc", a=2.87, cubic=True),
    "diamond": bulk("Si", "diamond", a=5.43, cubic=True),
    "zincblende": bulk("GaAs", "zincblende", a=5.65, cubic=True),
    "hcp": bulk("Ti", "hcp", a=2.95, c=4.68),
    "wurtzite": bulk("ZnO", "wurtzite", a=3.25, c=5.2),
    "quartz": spacegroup_crystal(
        ["Si", "O"],
        [(0.4697, 0, 0), (0.4135, 0.2669, 0.1191)],
        spacegroup=152,
        cellpar=[4.916, 4.916, 5.405, 90, 90, 120],
    ),
    "monoclinic": Atoms(
        "ZrO2",
        scaled_positions=[[0.1, 0.2, 0.3], [0.55, 0.1, 0.7], [0.8, 0.65, 0.2]],
        cell=[5.15, 5.21, 5.32, 90, 99.2, 90],
        pbc=True,
    ),
    "triclinic": Atoms(
        "PtO",
        scaled_positions=[[0, 0, 0], [0.4, 0.3, 0.45]],
        cell=[4.1, 5.0, 6.2, 78, 83, 112],
        pbc=True,
    ),
}


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(CRYSTALS)), INDICES)
def test_the_cell_holds_the_whole_crystal(name, axis):
    assume(any(axis))
    crystal = CRYSTALS[name]
    again = rebuilt(project_cell(crystal, axis, merge_angstrom=0.02))
    density = len(crystal) / crystal.get_volume()
    assert len(again) / again.get_volume() == pytest.approx(density, rel=1e-6)
    assert same_crystal(again, crystal)


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 0, 0), (1, 1, 0), (2, -1, 0), (0, 1, -1)])
def test_left_and_right_handed_crystals_stay_so(axis):
    crystal = CRYSTALS["triclinic"]
    again = rebuilt(project_cell(crystal, axis))
    hands = [nearest_triple(atoms) for atoms in (crystal, again)]
    assert hands[0] == pytest.approx(hands[1], rel=1e-6)


def nearest_triple(atoms):
    """Volume, with its sign, spanned by the vectors from Pt to its three nearest O."""
    from ase.neighborlist import neighbor_list

    centre, around, distance, vector = neighbor_list("ijdD", atoms, 6.0)
    mine = (centre == np.argmax(atoms.numbers)) & (atoms.numbers[around] == 8)
    nearest = vector[mine][np.argsort(distance[mine])[:3]]
    return np.linalg.det(nearest)


@pytest.mark.parametrize(
    ("name", "axis", "lengths", "angle", "names"),
    [
        ("fcc", (1, 0, 0), (3.92 / 2**0.5, 3.92 / 2**0.5), 90, ("Pt", "Pt")),
        ("fcc", (1, 1, 0), (3.92, 3.92 / 2**0.5), 90, ("Pt", "Pt")),
        ("fcc", (1, 1, 1), (3.92 / 2**0.5, 3.92 / 2**0.5), 120, ("Pt",) * 3),
        ("bcc", (1, 1, 0), (2.87 * 2**0.5, 2.87), 90, ("Fe",) * 4),
        ("diamond", (1, 1, 0), (5.43, 5.43 / 2**0.5), 90, ("Si",) * 4),
        ("zincblende", (1, 1, 0), (5.65, 5.65 / 2**0.5), 90, ("As", "As", "Ga", "Ga")),
        ("wurtzite", (0, 0, 1), (3.25, 3.25), 120, ("Zn O", "Zn O")),
        ("wurtzite", (1, -1, 0), (5.2, 3.25), 90, ("Zn",) * 4 + ("O",) * 4),
    ],
)
def test_the_views_one_knows(name, axis, lengths, angle, names):
    cell = project_cell(CRYSTALS[name], axis)
    assert (cell.a, cell.b) == pytest.approx(lengths)
    assert cell.angle_deg == pytest.approx(angle)
    assert cell.names == names
    assert cell.climb == (0, 0)


def test_heights_that_never_repeat_climb():
    cell = project_cell(CRYSTALS["monoclinic"], (0, 0, 1))
    slope = np.deg2rad(99.2)
    assert (cell.a, cell.b) == pytest.approx((5.21, 5.15 * np.sin(slope)))
    assert np.abs(cell.climb) == pytest.approx([0, 5.15 * abs(np.cos(slope)) / 5.32])


def test_merged_atoms_stand_where_most_is_scattered():
    cell = Atoms("PbO", positions=[[1, 1, 0], [1.2, 1, 2]], cell=[4, 4, 4], pbc=True)
    apart = project_cell(cell, merge_angstrom=0.1)
    assert apart.names == ("Pb", "O")
    assert apart.sites[1] == pytest.approx([0.05, 0])
    assert project_cell(cell, merge_angstrom=0.3).names == ("Pb O",)


@pytest.mark.parametrize(
    ("axis", "message"),
    [((0, 0, 0), "no zone axis"), ((1, 0), "three whole numbers"), ((0.5, 0, 1), "no zone axis")],
)
def test_axes_that_are_no_directions_are_refused(axis, message):
    with pytest.raises(PlanError, match=message):
        project_cell(CRYSTALS["fcc"], axis)


def test_views_without_columns_are_refused():
    with pytest.raises(PlanError, match="no separate columns"):
        project_cell(CRYSTALS["fcc"], (1, 2, 3), merge_angstrom=1.0)
    with pytest.raises(PlanError, match="no separate columns"):
        project_cell(CRYSTALS["quartz"], (1, 2, 3), merge_angstrom=0.9)
    with pytest.raises(PlanError, match="must be positive"):
        project_cell(CRYSTALS["fcc"], merge_angstrom=0)


def test_cells_are_read_from_crystals_and_from_text(tmp_path):
    path = write_atoms(tmp_path / "pt.cif", CRYSTALS["fcc"])
    assert read_cell(path, (1, 1, 0)).a == pytest.approx(3.92)
    assert len(read_cell(path).names) == 2
    text = tmp_path / "pt.txt"
    text.write_text("length_a 3.9\nlength_b 3.9\nangle_ab 90\nPt 0 0\n")
    assert read_cell(text).names == ("Pt",)
    with pytest.raises(PlanError, match="already seen along its zone axis"):
        read_cell(text, (1, 1, 0))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
@pytest.mark.parametrize(
    ("structure", "axis", "file"),
    [("Pt-Platinum", (1, 1, 0), "Pt110"), ("SrTiO3-Tausonite", (1, 0, 0), "STO100")],
)
def test_statstem_draws_the_same_cells(structure, axis, file):
    ours = read_cell(SHARED / "structures" / f"{structure}.cif", axis)
    theirs = read_projected_cell(SHARED / "statstem" / f"{file}.txt")
    edges = [(c.a, c.b, c.repeat_angstrom, c.angle_deg) for c in (ours, theirs)]
    assert edges[0] == pytest.approx(edges[1], rel=1e-3)
    columns = [
        {tuple(np.round(s, 3)): set(h) for s, h in zip(c.sites, c.atoms, strict=True)}
        for c in (ours, theirs)
    ]
    assert columns[0] == columns[1]
