import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from laid_out_cells import PEROVSKITE, laid_out, rotation
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.io import loadmat

from crewe.atoms import ProjectedCell
from crewe.atoms.lattice.indexing import index_columns
from crewe.atoms.lattice.project import project_cell
from crewe.errors import PlanError
from crewe.specimens.dislocation import edge_dislocation

PLATINUM = project_cell(bulk("Pt", "fcc", a=3.923, cubic=True), (1, 1, 0))
VIEWS = {
    "perovskite": PEROVSKITE,
    "Pt 111": project_cell(bulk("Pt", "fcc", a=3.923, cubic=True), (1, 1, 1)),
    "GaAs 110": project_cell(bulk("GaAs", "zincblende", a=5.65, cubic=True), (1, 1, 0)),
    "ZnO 001": project_cell(bulk("ZnO", "wurtzite", a=3.25, c=5.2), (0, 0, 1)),
    "oblique": ProjectedCell(4.1, 5.3, 104.0, np.array([[0, 0], [0.4, 0.3]]), ("Pt", "Ti")),
}
SHEAR = np.array([[0.0, 0.05], [0.02, 0.06]])
EXAMPLE = Path(__file__).parents[4] / "shared/data/atomic/statstem_Example3.mat"
PEROVSKITE_5_85 = ProjectedCell(5.85, 5.85, 90.0, PEROVSKITE.sites, ("Pb", "Cs"))
STATSTEM = Path(__file__).parent / "statstem_example3.csv"


@pytest.mark.parametrize("name", sorted(VIEWS))
@pytest.mark.parametrize(("angle", "hand"), [(0, 1), (37, 1), (160, -1), (-75, -1)])
@pytest.mark.parametrize("strain", [np.zeros((2, 2)), SHEAR])
def test_any_cell_however_turned_mirrored_and_strained(name, angle, hand, strain):
    columns, truth = laid_out(VIEWS[name], angle, hand, strain, missing=0.05)
    indexed = index_columns(columns, VIEWS[name])
    table = indexed.columns
    assert np.mean(table["site_name"] == truth["name"]) > 0.98
    lattice = indexed.lattices[0]
    shape = np.linalg.inv(VIEWS[name].vectors()) @ lattice.vectors
    true = rotation(angle, hand) @ (np.eye(2) + strain)
    assert np.linalg.svd(shape)[1] == pytest.approx(np.linalg.svd(true)[1], abs=3e-3)


def test_the_fitted_places_explain_the_columns():
    columns, truth = laid_out(PEROVSKITE, 12.0, noise=0.05)
    indexed = index_columns(columns, PEROVSKITE)
    table, lattice = indexed.columns, indexed.lattices[0]
    place = table[["cell_a", "cell_b"]].to_numpy() + PEROVSKITE.sites[table["site"]]
    expected = table[["expected_x", "expected_y"]].to_numpy()
    assert np.allclose(lattice.place(place), expected)
    shift = columns[["x", "y"]].to_numpy() - expected
    assert np.allclose(table[["displacement_x", "displacement_y"]], shift)
    assert lattice.residual_rms == pytest.approx(0.05 * 2**0.5, rel=0.1)
    assert np.all(table["displacement_x_std"] == columns["x_std"])
    offset = place - truth[["u", "v"]].to_numpy()
    assert np.ptp(offset, axis=0) == pytest.approx(0)


def test_cell_zero_is_in_the_middle_and_the_turn_is_the_least():
    columns, _ = laid_out(PEROVSKITE, 100.0)
    indexed = index_columns(columns, PEROVSKITE)
    assert np.abs(indexed.columns[["cell_a", "cell_b"]].mean()).max() <= 1
    assert indexed.lattices[0].rotation_deg == pytest.approx(10.0, abs=0.5)
    assert not indexed.lattices[0].mirrored


def test_both_grains_of_a_twin():
    up, low, edges = twin()
    points = np.concatenate([up, low]) @ rotation(17.0)
    rng = np.random.default_rng(3)
    points = points + rng.normal(0, 0.05, points.shape)
    columns = pd.DataFrame({"x": points[:, 0], "y": points[:, 1]})
    one = index_columns(columns, PLATINUM)
    assert one.summary["n_indexed"] < 0.65 * len(columns)
    assert "raise most_lattices" in one.summary["warnings"][0]
    two = index_columns(columns, PLATINUM, most_lattices=4)
    assert len(two.lattices) == 2
    assert two.summary["n_indexed"] == len(columns)
    grain = np.repeat([0, 1], [len(up), len(low)])
    same = two.columns["lattice"].to_numpy() == grain
    assert max(same.mean(), 1 - same.mean()) > 0.95
    for lattice in two.lattices:
        assert lattice.lengths == pytest.approx(edges, rel=2e-3)


def twin():
    """Two halves of platinum seen along [110], mirrored in a (111) plane on which both stand."""
    steps = np.stack(np.meshgrid(range(-20, 21), range(-20, 21)), axis=-1).reshape(-1, 1, 2)
    places = (steps + PLATINUM.sites).reshape(-1, 2) @ PLATINUM.vectors()
    along = PLATINUM.vectors().sum(axis=0)
    across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    height = places @ across
    low = places - 2 * height[:, None] * across
    middle = np.abs(places).max(axis=1) < 22
    return places[middle & (height > -0.1)], low[middle & (height > 0.1)], [PLATINUM.a, PLATINUM.b]


@pytest.mark.parametrize("mismatch", [0.03, 0.06])
def test_two_phases_that_grow_on_one_another(mismatch):
    rng = np.random.default_rng(0)
    other = replace(PEROVSKITE, a=PEROVSKITE.a * (1 + mismatch), names=("Ba", "Ti"))
    columns, _ = laid_out(PEROVSKITE, 0.0, noise=0.0, middle=(0.0, 0.0))
    right = columns["x"].to_numpy() > 0.1
    columns.loc[right, "x"] *= 1 + mismatch
    columns[["x", "y"]] += rng.normal(0, 0.04, (len(columns), 2))
    indexed = index_columns(columns, [PEROVSKITE, other], most_lattices=2)
    strontium = [lattice.name.startswith("Sr") for lattice in indexed.lattices].index(True)
    # The border belongs to both
    far = np.abs(columns["x"]) > 4.5
    assert np.all((indexed.columns["lattice"] == strontium)[far] == ~right[far])
    assert indexed.summary["n_indexed"] == len(columns)


def test_a_dislocation_is_gone_round():
    positions = edge_dislocation((60.0, 60.0, 10.0)).positions[:, :2]
    label = fcluster(linkage(positions, "single"), 0.3, "distance")
    points = np.array([positions[label == n].mean(axis=0) for n in np.unique(label)])
    cell = project_cell(bulk("Pt", "fcc", a=3.92, cubic=True), (1, 1, 2))
    indexed = index_columns(pd.DataFrame({"x": points[:, 0], "y": points[:, 1]}), cell)
    assert indexed.summary["n_indexed"] >= len(points) - 12
    # the halves above and below the line keep apart by a Burgers vector
    assert indexed.lattices[0].residual_rms > 0.2


def test_an_island_beyond_a_gap_belongs_to_the_crystal():
    columns, truth = laid_out(PEROVSKITE, 5.0, size=12)
    kept = np.abs(columns["x"] - columns["x"].mean()) > 7
    indexed = index_columns(columns[kept], PEROVSKITE)
    assert indexed.summary["n_indexed"] == kept.sum()
    place = (
        indexed.columns[["cell_a", "cell_b"]].to_numpy() + PEROVSKITE.sites[indexed.columns["site"]]
    )
    assert np.ptp(place - truth.loc[kept, ["u", "v"]].to_numpy(), axis=0) == pytest.approx(0)


def test_stray_columns_and_rows_without_a_place_are_left_out():
    columns, _ = laid_out(PEROVSKITE, 0.0, noise=0.0)
    stray = columns.iloc[[100, 101]].copy()
    stray.iloc[0, :2] += PEROVSKITE.a / 4
    stray.iloc[1, 0] = np.nan
    both = pd.concat([columns, stray], ignore_index=True)
    table = index_columns(both, PEROVSKITE).columns
    assert (table["lattice"].iloc[:-2] == 0).all()
    assert (table["lattice"].iloc[-2:] == -1).all()
    assert (table["site"].iloc[-2:] == -1).all()
    assert (table["site_name"].iloc[-2:] == "").all()
    assert table[["expected_x", "displacement_y"]].iloc[-2:].isna().all(axis=None)


@pytest.mark.parametrize(("factor", "said"), [(1.25, 0.8), (0.8, 1.25), (0.66, 1.515)])
def test_a_wrong_calibration_is_told(factor, said):
    columns, _ = laid_out(PEROVSKITE, 20.0)
    columns[["x", "y"]] *= factor
    with pytest.raises(PlanError) as caught:
        index_columns(columns, PEROVSKITE)
    found = re.search(r"if the pixel size were ([\d.]+) times", str(caught.value))
    assert float(found[1]) == pytest.approx(said, rel=0.01)


@pytest.mark.parametrize("cell", [PLATINUM, VIEWS["Pt 111"], VIEWS["GaAs 110"]])
def test_a_wrong_zone_axis_is_told(cell):
    columns, _ = laid_out(PEROVSKITE, 20.0)
    with pytest.raises(PlanError, match=r"nearest neighbours are 2\.7.*the zone axis"):
        index_columns(columns, cell)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32 - 1), st.integers(20, 60))
def test_columns_anywhere_are_no_crystal(seed, count):
    points = np.random.default_rng(seed).uniform(0, 2 * count**0.5, (count, 2))
    with pytest.raises(PlanError, match="does not fit"):
        index_columns(pd.DataFrame({"x": points[:, 0], "y": points[:, 1]}), PEROVSKITE)


def test_four_columns_are_enough_and_three_too_few():
    columns, _ = laid_out(PEROVSKITE, 0.0, noise=0.01)
    nearest = np.argsort(np.hypot(*(columns[["x", "y"]] - columns[["x", "y"]].mean()).T.to_numpy()))
    assert index_columns(columns.iloc[nearest[:4]], PEROVSKITE).summary["n_indexed"] == 4
    with pytest.raises(PlanError, match="at least 4 columns to lie on, 3 given"):
        index_columns(columns.iloc[nearest[:3]], PEROVSKITE)


@pytest.mark.parametrize(("noise", "angle"), [(0.0, 0.0), (1e-3, 30.0), (0.05, -45.0), (0.15, 0.0)])
def test_a_single_row_is_no_lattice(noise, angle):
    row = np.column_stack([4.0 * np.arange(10), np.zeros(10)]) @ rotation(angle)
    row += np.random.default_rng(0).normal(0, noise, row.shape)
    with pytest.raises(PlanError, match=r"all 10 columns lie on one line, 3\d\.\d Å.*larger part"):
        index_columns(pd.DataFrame({"x": row[:, 0], "y": row[:, 1]}), PEROVSKITE)


@pytest.mark.parametrize("factor", [2**0.5, 2.0])
@pytest.mark.parametrize("angle", [0.0, 20.0])
def test_a_cell_on_a_part_of_its_sites_is_doubted(factor, angle):
    barium = replace(PEROVSKITE, names=("Ba", "Ti"))
    columns, _ = laid_out(barium, angle)
    assert not index_columns(columns, barium).summary["warnings"]
    columns[["x", "y"]] *= factor
    indexed = index_columns(columns, barium)
    assert indexed.summary["n_indexed"] == len(columns)
    said = indexed.summary["warnings"]
    assert re.search(r"hardly any column on the sites (Ba|Ti) \(0 of \d+\): wrong calib", said[0])
    assert any("stand apart" in text for text in said) == (factor == 2.0)


def test_a_cell_on_every_third_of_its_places_is_doubted():
    columns, _ = laid_out(PEROVSKITE, 10.0)
    columns[["x", "y"]] *= 3
    (said,) = index_columns(columns, PEROVSKITE).summary["warnings"]
    assert "stand apart, only 0% of those beside them" in said


def test_settings_that_make_no_sense_are_refused():
    columns, _ = laid_out(PEROVSKITE, 0.0)
    with pytest.raises(PlanError, match="at least one"):
        index_columns(columns, [])
    with pytest.raises(PlanError, match="1 or more, 0 given"):
        index_columns(columns, PEROVSKITE, most_lattices=0)
    with pytest.raises(PlanError, match="'lattice', 'scale' or 'rotation'"):
        index_columns(columns, PEROVSKITE, refine="angle")
    with pytest.raises(PlanError, match="positive edges"):
        index_columns(columns, replace(PEROVSKITE, a=0.0))


def test_progress_is_heard():
    heard = []
    columns, _ = laid_out(PEROVSKITE, 0.0)
    index_columns(columns, PEROVSKITE, progress=lambda stage, part: heard.append((stage, part)))
    assert [stage for stage, _ in heard] == ["indexing columns", *["fitting lattices"] * 2]
    assert heard[-1][1] == 1.0


def test_statstem_gives_the_same_places():
    columns = pd.read_csv(STATSTEM, comment="#")
    table = index_columns(columns[["x", "y"]], PEROVSKITE_5_85).columns
    theirs = columns[["cell_a", "cell_b"]] + PEROVSKITE_5_85.sites[columns["site"]]
    ours = table[["cell_a", "cell_b"]] + PEROVSKITE_5_85.sites[table["site"]]
    # Without brightness either site may be the corner
    assert np.ptp((ours - theirs).to_numpy(), axis=0) == pytest.approx(0)


@pytest.mark.skipif(not EXAMPLE.is_file(), reason="the shared data are not here")
def test_statstem_gives_the_same_sites_by_brightness():
    stored = loadmat(EXAMPLE, squeeze_me=True, struct_as_record=False)
    x, y = stored["output"].coordinates.T
    columns = pd.DataFrame({"x": x, "y": y, "scs": stored["output"].volumes})
    indexed = index_columns(columns, PEROVSKITE_5_85)
    table, theirs = indexed.columns, stored["strainmapping"]
    assert (table["site"] == theirs.types.astype(int) - 1).all()
    assert np.ptp(table[["cell_a", "cell_b"]].to_numpy() - theirs.indices, axis=0) == pytest.approx(
        0
    )
    assert "the calibration" in indexed.summary["warnings"][0]
