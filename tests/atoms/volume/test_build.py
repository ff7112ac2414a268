import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree
from small_particles import (
    CUBE_FROM_110,
    EDGE,
    FCC_100,
    FCC_110,
    TITANATE,
    counted_table,
    crystal,
    lattice_of,
)

from crewe.atoms.unit_cell import ProjectedCell
from crewe.atoms.volume import build_volume
from crewe.errors import NoColumnsError, PlanError, SpecimenError
from crewe.io import read_atoms, write_atoms

SHAPES = {
    "sphere": lambda cube: np.linalg.norm(cube, axis=1) < 12.5,
    "truncated octahedron": lambda cube: np.logical_and(
        np.abs(cube).sum(axis=1) < 19, np.abs(cube).max(axis=1) < 12.5
    ),
    "cuboctahedron": lambda cube: np.logical_and(
        np.abs(cube).sum(axis=1) < 20, np.abs(cube).max(axis=1) < 10.1
    ),
}
# In the middle of an atom, half-way to the next plane, a quarter of the way, and anywhere.
CENTRES = ((0, 0, 0), (1.96, 0.4, 0.5), (0.3, 0.7, 0.25), (0.1, 0.4, 0.13))


def placed(model):
    return model.atoms.positions + model.corner


def distance_to(truth, model):
    """Root mean square distance to the nearest true atom, whatever the height, either side up."""
    found, best = placed(model), np.inf
    for up in (1, -1):
        turned = truth * np.array([1, 1, up])
        along = np.array([0, 0, turned[:, 2].min() - found[:, 2].min()])
        best = min(best, np.sqrt(np.mean(cKDTree(turned).query(found + along)[0] ** 2)))
    return best


def true_coordination(places, radius):
    return cKDTree(places).query_ball_point(places, radius, return_length=True) - 1


@pytest.mark.parametrize("centre", CENTRES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("cell", "axes"), [(FCC_100, np.eye(3)), (FCC_110, CUBE_FROM_110)])
def test_a_symmetric_particle_is_rebuilt_atom_by_atom(cell, axes, shape, centre):
    places, labels, _ = crystal(cell)
    middle = np.array(centre) * [1, 1, cell.repeat_angstrom]
    kept = SHAPES[shape]((places - middle) @ axes.T)
    model = build_volume(counted_table(places[kept], labels[kept]), [lattice_of(cell)])
    assert model.summary["n_atoms"] == kept.sum()
    assert distance_to(places[kept], model) < 1e-6
    true = true_coordination(places[kept], model.summary["coordination_radius"])
    found = model.atoms.arrays["coordination"]
    assert np.array_equal(np.bincount(true, minlength=13), np.bincount(found, minlength=13))
    assert np.array_equal(model.atoms.arrays["surface"], found < 12)


def test_counts_one_atom_off_leave_most_atoms_in_place():
    places, labels, _ = crystal(FCC_110)
    kept = SHAPES["sphere"](places)
    table = counted_table(places[kept], labels[kept])
    off = np.random.default_rng(3).choice(len(table), len(table) // 5, replace=False)
    table.loc[off, "count"] += 1
    model = build_volume(table, [lattice_of(FCC_110)])
    # An atom too many stands next to the particle; every true place of it is still taken.
    distance, _ = cKDTree(placed(model)).query(places[kept])
    assert distance.max() < 1e-6
    assert model.summary["n_atoms"] == kept.sum() + len(off)


@pytest.mark.parametrize(("flat", "side"), [("top", 1), ("bottom", -1)])
def test_a_supported_particle_keeps_its_flat_face(flat, side):
    places, labels, _ = crystal(FCC_100)
    kept = (places[:, 2] * side > -0.1) & (np.linalg.norm(places, axis=1) < 12.5)
    model = build_volume(
        counted_table(places[kept], labels[kept]), [lattice_of(FCC_100)], flat=flat
    )
    assert np.linalg.norm(placed(model) - nearest(places[kept], placed(model)), axis=1).max() < 1e-6


def nearest(truth, found):
    return truth[cKDTree(truth).query(found)[1]]


def test_oxygen_comes_along_with_titanium_and_strontium_interlocks():
    places, labels, elements = crystal(TITANATE, 4)
    kept = np.abs(places[:, 2]) < 8.0
    heavy = kept & ((elements == "Sr") | (elements == "Ti"))
    model = build_volume(counted_table(places[heavy], labels[heavy]), [lattice_of(TITANATE)])
    counts = model.summary["elements"]
    assert counts["Sr"] == (elements[kept] == "Sr").sum()
    assert counts["Ti"] == counts["O"] == (elements[kept] == "Ti").sum()
    symbols, found = np.array(model.atoms.get_chemical_symbols()), placed(model)
    found[:, 2] += places[heavy, 2].min() - found[symbols != "O", 2].min()
    for element in ("Sr", "Ti", "O"):
        own = places[elements == element]
        assert cKDTree(own).query(found[symbols == element])[0].max() < 1e-6
    # Without columns of oxygen alone: four O about Sr, two about Ti, two Ti and four Sr about O.
    most = {e: model.atoms.arrays["coordination"][symbols == e].max() for e in ("Sr", "Ti", "O")}
    assert most == {"Sr": 4, "Ti": 2, "O": 6}
    assert model.summary["coordination_radius"] == pytest.approx(3.905 * (2**0.5 + 3**0.5) / 4)


def test_two_twins_join_at_their_boundary():
    places, labels, _ = crystal(FCC_110, 5)
    # Twins about {111}: the mirror image of one half in the plane through its last atoms.
    across = np.array([1, 2**0.5, 0]) / 3**0.5
    depth = places @ across
    kept = (np.linalg.norm(places, axis=1) < 11) & (depth < 0.1)
    mirrored = kept & (depth < -0.1)
    reflect = np.eye(3) - 2 * np.outer(across, across)
    first = counted_table(places[kept], labels[kept])
    second = counted_table(places[mirrored] @ reflect, labels[mirrored]).assign(lattice=1)
    lattices = [
        lattice_of(FCC_110),
        lattice_of(FCC_110, vectors=FCC_110.vectors() @ reflect[:2, :2]),
    ]
    model = build_volume(pd.concat([first, second], ignore_index=True), lattices)
    truth = np.concatenate([places[kept], places[mirrored] @ reflect])
    assert model.summary["n_atoms"] == len(truth)
    assert distance_to(truth, model) < 1e-6
    assert model.atoms.arrays["coordination"].max() == 12


def test_heights_that_climb_from_cell_to_cell_are_followed():
    # The same crystal as FCC_110, described by a cell of one atom that climbs along b.
    edges = np.array([[EDGE, 0.0], [EDGE / 2, FCC_110.b / 2]])
    length = np.linalg.norm(edges, axis=1)
    angle = np.rad2deg(np.arccos(edges[0] @ edges[1] / length.prod()))
    atom = ((("Pt", 0.0),),)
    cell = ProjectedCell(
        length[0], length[1], angle, np.zeros((1, 2)), ("Pt",), FCC_110.b, atom, (0.0, 0.5)
    )
    places, labels, _ = crystal(FCC_110, 5)
    kept = np.linalg.norm(places, axis=1) < 10
    table = counted_table(places[kept], labels[kept])
    cells = np.rint(table[["x", "y"]].to_numpy() @ np.linalg.inv(edges)).astype(int)
    table = table.assign(site=0, cell_a=cells[:, 0], cell_b=cells[:, 1])
    model = build_volume(table, [lattice_of(cell)], place="lattice")
    assert distance_to(places[kept], model) < 1e-6
    assert model.atoms.arrays["coordination"].max() == 12


def test_places_are_the_fitted_ones_or_those_of_the_lattice():
    places, labels, _ = crystal(FCC_100, 3)
    table = counted_table(places, labels)
    table["x"] += np.random.default_rng(0).normal(0, 0.05, len(table))
    lattice = lattice_of(FCC_100)
    fitted = build_volume(table, [lattice])
    column = fitted.atoms.arrays["column"]
    assert placed(fitted)[:, 0] == pytest.approx(table["x"].to_numpy()[column])
    ideal = build_volume(table, [lattice], place="lattice")
    assert cKDTree(places[:, :2]).query(placed(ideal)[:, :2])[0].max() < 1e-9


def test_what_cannot_be_placed_is_left_out_and_said():
    places, labels, _ = crystal(FCC_100, 2)
    table = counted_table(places, labels)
    table.index = table.index + 100
    table.loc[100, "count"] = pd.NA
    table.loc[101, "lattice"] = -1
    table.loc[102, "x"] = np.nan
    table.loc[103, "count"] = 0
    model = build_volume(table, [lattice_of(FCC_100)])
    assert model.summary["left_out"] == {"without lattice": 2, "without count": 1, "empty": 1}
    assert len(model.summary["warnings"]) == 2
    assert set(model.atoms.arrays["column"]) == set(range(4, len(table)))
    assert model.atoms.arrays["count_probability"] == pytest.approx(0.9)
    bare = build_volume(table.drop(columns="count_probability"), [lattice_of(FCC_100)])
    assert np.isnan(bare.atoms.arrays["count_probability"]).all()


def test_wrong_input_says_what_to_do():
    places, labels, _ = crystal(FCC_100, 2)
    table, lattice = counted_table(places, labels), lattice_of(FCC_100)
    with pytest.raises(PlanError, match="centre, bottom, top"):
        build_volume(table, [lattice], flat="left")
    with pytest.raises(PlanError, match="fitted, lattice"):
        build_volume(table, [lattice], place="nowhere")
    with pytest.raises(PlanError, match="no count, site: index"):
        build_volume(table.drop(columns=["count", "site"]), [lattice])
    with pytest.raises(PlanError, match="lattice 1, but 1 are given"):
        build_volume(table.assign(lattice=1), [lattice])
    with pytest.raises(SpecimenError, match="row 0 counts -1"):
        build_volume(table.assign(count=-1), [lattice])
    with pytest.raises(SpecimenError, match=r"row 0 counts 1\.5"):
        build_volume(table.assign(count=1.5), [lattice])
    with pytest.raises(NoColumnsError, match="25 without count"):
        build_volume(table.head(25).assign(count=pd.NA), [lattice])
    with pytest.raises(SpecimenError, match="positive radius"):
        build_volume(table, [lattice], radius=-1.0)
    flat = ProjectedCell(EDGE, EDGE, 90.0, FCC_100.sites, FCC_100.names)
    with pytest.raises(SpecimenError, match="CIF file with the zone axis"):
        build_volume(table, [lattice_of(flat)])


def test_the_model_survives_a_file(tmp_path):
    places, labels, _ = crystal(FCC_100, 2)
    atoms = build_volume(counted_table(places, labels), [lattice_of(FCC_100)]).atoms
    back = read_atoms(write_atoms(tmp_path / "model.xyz", atoms))
    for name in ("column", "coordination", "surface", "count_probability"):
        assert back.arrays[name] == pytest.approx(atoms.arrays[name])
    assert back.positions == pytest.approx(atoms.positions, abs=1e-7)
    cell = read_atoms(write_atoms(tmp_path / "model.cif", atoms))
    assert cell.positions == pytest.approx(atoms.positions, abs=1e-3)
