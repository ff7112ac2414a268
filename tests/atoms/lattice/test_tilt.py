import numpy as np
import pytest
from small_lattices import PEROVSKITE, indexed_lattice, turned

from crewe.atoms.lattice.tilt import octahedral_tilt
from crewe.atoms.unit_cell import ProjectedCell
from crewe.errors import PlanError

SQUARE = ProjectedCell(3.9, 3.9, 90.0, PEROVSKITE.sites, ("Sr", "Ti", "O", "O"))


def tilted(degrees, cell=SQUARE, turn=0.0, noise=0.0, seed=0, std=None, size=11):
    """Octahedra turned alternately by ± degrees: the corners stay shared."""
    indexed = indexed_lattice(cell, degrees=turn, noise=noise, seed=seed, std=std, size=size)
    table, vectors = indexed.columns, indexed.lattices[0].vectors
    for site, toward in ((2, 1), (3, 0)):
        own = (table["site"] == site).to_numpy()
        whole = table.loc[own, ["cell_a", "cell_b"]].to_numpy()
        # the corner at ½, 0 lies between the centres of its cell and the one before along b
        sign = np.where(whole.sum(axis=1) % 2 == 0, 1.0, -1.0)
        arm = -vectors[toward] / 2
        move = turned(arm[None], 90.0)[0] * np.tan(np.deg2rad(degrees))
        table.loc[own, ["x", "y"]] += sign[:, None] * move
    sign = np.where((table["cell_a"] + table["cell_b"]) % 2 == 0, 1.0, -1.0)
    return indexed, sign


@pytest.mark.parametrize("degrees", [5.0, -5.0, 12.0])
@pytest.mark.parametrize("turn", [0.0, 28.0])
def test_alternating_tilts_keep_their_sign(degrees, turn):
    indexed, sign = tilted(degrees, turn=turn)
    found = octahedral_tilt(indexed, "Ti", "O").dropna()
    assert len(found) == 100
    np.testing.assert_allclose(found["tilt_deg"], degrees * sign[found.index], atol=1e-9)


def test_turning_the_corners_clockwise_is_positive():
    indexed, _ = tilted(0.0)
    centre = indexed.columns.query("site == 1 and cell_a == 0 and cell_b == 0").index
    middle = indexed.columns.loc[centre, ["x", "y"]].to_numpy()
    distance = np.linalg.norm(indexed.columns[["x", "y"]] - middle, axis=1)
    corners = (distance < 2.0) & (distance > 1.0)
    assert corners.sum() == 4
    places = indexed.columns.loc[corners, ["x", "y"]].to_numpy()
    indexed.columns.loc[corners, ["x", "y"]] = middle + turned(places - middle, 7.0)
    np.testing.assert_allclose(octahedral_tilt(indexed, "Ti", "O").loc[centre, "tilt_deg"], 7.0)


@pytest.mark.parametrize("known", [True, False])
def test_errors_are_as_stated(known):
    pulls = []
    for seed in range(6):
        noise = 0.03 if known else 0.0
        indexed, sign = tilted(5.0, noise=noise, seed=seed, std=0.03 if known else None, size=15)
        found = octahedral_tilt(indexed, "Ti", "O").dropna(subset="tilt_deg")
        truth = 5.0 * sign[found.index]
        pulls.append((found["tilt_deg"] - truth) / found["tilt_deg_std"])
    pulls = np.concatenate(pulls)
    if known:
        assert pulls.std() == pytest.approx(1, abs=0.06)
    else:
        # without errors in the table the alternating corners themselves look like scatter
        assert np.abs(pulls).max() < 1e-6


def test_an_off_centred_ion_and_strain_are_no_tilt():
    indexed, _ = tilted(0.0)
    indexed.columns.loc[indexed.columns["site_name"] == "Ti", "x"] += 0.2
    indexed.columns["y"] += 0.03 * (indexed.columns["y"] - 50)
    indexed.columns["x"] += 0.02 * (indexed.columns["y"] - 50)
    indexed.columns["y"] += 0.02 * (indexed.columns["x"] - 50)
    found = octahedral_tilt(indexed, "Ti", "O")["tilt_deg"].dropna()
    np.testing.assert_allclose(found, 0, atol=0.06)


def test_the_cell_of_a_tilted_crystal_has_the_same_zero():
    """The cell of twice the area whose own corners are tilted by 5 degrees."""
    side = 3.9 * np.sqrt(2)
    arm = 0.25 * np.tan(np.deg2rad(5.0))
    sites = np.array([
        [0.0, 0.0], [0.5, 0.5], [0.25 - arm, 0.25 + arm], [0.75 + arm, 0.75 - arm],
        [0.25 + arm, 0.75 + arm], [0.75 - arm, 0.25 - arm],
    ])  # fmt: skip
    cell = ProjectedCell(side, side, 90.0, sites, ("Ti", "Ti", "O", "O", "O", "O"))
    found = octahedral_tilt(indexed_lattice(cell), "Ti", "O").dropna()
    np.testing.assert_allclose(found["tilt_deg"].abs(), 5.0, atol=1e-6)
    assert abs(found["tilt_deg"].mean()) < 1.0


def test_two_corners_in_a_line():
    cell = ProjectedCell(3.9, 5.5, 90.0, np.array([[0, 0], [0.5, 0]]), ("Ti", "O"))
    indexed = indexed_lattice(cell)
    odd = (indexed.columns["cell_a"] % 2 == 1) & (indexed.columns["site"] == 1)
    even = (indexed.columns["cell_a"] % 2 == 0) & (indexed.columns["site"] == 1)
    indexed.columns.loc[odd, "y"] += 0.1
    indexed.columns.loc[even, "y"] -= 0.1
    found = octahedral_tilt(indexed, "Ti", "O").dropna()
    np.testing.assert_allclose(found["tilt_deg"].abs(), np.rad2deg(np.arctan(0.2 / 3.9)), rtol=1e-9)


def test_what_cannot_tilt_is_told():
    indexed, _ = tilted(0.0)
    with pytest.raises(PlanError, match="named Ti and F"):
        octahedral_tilt(indexed, "Ti", "F")
    cell = ProjectedCell(3.9, 3.9, 90.0, np.array([[0, 0], [0.3, 0.0]]), ("Ti", "O"))
    lonely = indexed_lattice(cell)
    with pytest.raises(PlanError, match="single nearest corner"):
        octahedral_tilt(lonely, "Ti", "O")
