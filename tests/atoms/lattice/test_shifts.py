import numpy as np
import pytest
from small_lattices import OBLIQUE, PEROVSKITE, indexed_lattice, turned

from crewe.atoms.lattice.shifts import site_shifts
from crewe.atoms.unit_cell import ProjectedCell
from crewe.errors import PlanError

SHIFT = np.array([0.03, -0.1])
GRADIENT = np.array([[0.02, -0.06], [0.04, -0.01]])


def polar(noise=0.0, seed=0, std=None, degrees=0.0, **settings):
    """Titanium shifted by SHIFT against lead, the oxygen twice as far."""
    indexed = indexed_lattice(
        PEROVSKITE, noise=noise, seed=seed, std=std, degrees=degrees, **settings
    )
    names = indexed.columns["site_name"].to_numpy()
    indexed.columns.loc[names == "Ti", ["x", "y"]] += SHIFT
    indexed.columns.loc[names == "O", ["x", "y"]] += 2 * SHIFT
    return indexed


def test_titanium_is_shifted_against_lead_and_oxygen():
    indexed = polar()
    lead = site_shifts(indexed, "Ti", "Pb")
    oxygen = site_shifts(indexed, "Ti", "O")
    assert (indexed.columns.loc[lead.index, "site_name"] == "Ti").all()
    for table, expected in ((lead, SHIFT), (oxygen, -SHIFT)):
        known = table.dropna(subset="shift_x")
        assert len(known) == 100
        np.testing.assert_allclose(known[["shift_x", "shift_y"]], [expected] * 100, atol=1e-9)


def test_strain_and_rotation_shift_nothing():
    indexed = indexed_lattice(PEROVSKITE, field=lambda p: (p - 50) @ GRADIENT.T, degrees=40.0)
    for site, around in (("Ti", "Pb"), ("Pb", "Ti"), ("Ti", "O"), ("O", "Ti"), ("O", ["Pb"])):
        shifts = site_shifts(indexed, site, around)
        np.testing.assert_allclose(shifts[["shift_x", "shift_y"]].dropna(), 0, atol=1e-9)


@pytest.mark.parametrize("known", [True, False])
def test_errors_are_as_stated(known):
    pulls = []
    for seed in range(6):
        indexed = polar(noise=0.05, seed=seed, std=0.05 if known else None, size=15)
        shifts = site_shifts(indexed, "Ti", "Pb").dropna(subset="shift_x")
        for axis, truth in zip("xy", SHIFT, strict=True):
            pulls.append((shifts[f"shift_{axis}"] - truth) / shifts[f"shift_{axis}_std"])
    pulls = np.concatenate(pulls)
    assert pulls.std() == pytest.approx(1, abs=0.06)
    assert abs(pulls.mean()) < 3 / np.sqrt(len(pulls))


def test_parts_along_a_and_b_make_up_the_shift():
    cell = ProjectedCell(3.9, 4.1, 70.0, PEROVSKITE.sites[:2], ("Pb", "Ti"))
    indexed = indexed_lattice(cell, degrees=30.0, std=0.02)
    titanium = indexed.columns["site_name"] == "Ti"
    axes = turned(cell.vectors() / [[3.9], [4.1]], 30.0)
    indexed.columns.loc[titanium, ["x", "y"]] += 0.1 * axes[0] - 0.2 * axes[1]
    shifts = site_shifts(indexed, "Ti", "Pb", neighbours=4).dropna(subset="shift_a")
    np.testing.assert_allclose(shifts["shift_a"], 0.1, atol=1e-9)
    np.testing.assert_allclose(shifts["shift_b"], -0.2, atol=1e-9)
    # unit parts along oblique axes are less certain than those along right-angled ones
    expected = shifts["shift_x_std"] / np.sin(np.deg2rad(70.0))
    np.testing.assert_allclose(shifts["shift_a_std"], expected)


def test_a_missing_neighbour_gives_nan():
    indexed = polar(size=5)
    corner = indexed.columns.query("site_name == 'Pb' and cell_a == 0 and cell_b == 0").index
    indexed.columns.loc[corner, ["lattice", "site"]] = -1
    whole = site_shifts(polar(size=5), "Ti", "Pb")
    assert site_shifts(indexed, "Ti", "Pb")["shift_x"].isna().sum() == 4 + 9
    assert whole["shift_y"].isna().sum() == 9


def test_several_lattices_are_joined_in_the_order_of_the_table():
    indexed = indexed_lattice(PEROVSKITE, std=0.01)
    shifts = site_shifts(indexed, "O", "Ti", neighbours=2)
    assert shifts.index.is_monotonic_increasing
    assert shifts.attrs["units"]["shift_a"] == "Å"
    assert len(shifts) == 2 * 121


def test_names_that_are_not_there_are_told():
    with pytest.raises(PlanError, match="no cell has sites named Zr and Pb"):
        site_shifts(polar(), "Zr", "Pb")
    with pytest.raises(PlanError, match="equally far"):
        site_shifts(indexed_lattice(OBLIQUE), "Mo", "Mo", neighbours=3)
