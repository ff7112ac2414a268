import numpy as np
import pandas as pd
import pytest

from crewe.atoms import ProjectedCell, assign_sites
from crewe.errors import PlanError

HEAVY = {"Sr": 5.0, "Ti": 3.0}


def crystal(angle_deg=17.0, hand=1.0, strain=0.0, noise=0.03, cell=3.905, seed=0):
    """Sr and Ti columns, without oxygen, rotated and strained."""
    rng = np.random.default_rng(seed)
    angle = np.deg2rad(angle_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    places, names = [], []
    for i in range(-9, 10):
        for j in range(-9, 10):
            for name, offset in (("Sr", 0.0), ("Ti", 0.5)):
                places.append([i + offset, j + offset])
                names.append(name)
    points = np.array(places) * cell * np.array([1 + strain, 1.0]) @ turn * np.array([1.0, hand])
    points = points + rng.normal(0, noise, points.shape) + 40
    height = np.array([HEAVY[name] for name in names]) * rng.uniform(0.9, 1.1, len(names))
    return pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "height": height}), np.array(names)


@pytest.fixture
def cell():
    sites = np.array([[0, 0], [0, 0.5], [0.5, 0], [0.5, 0.5]])
    return ProjectedCell(3.905, 3.905, 90.0, sites, ("Sr", "O", "O", "Ti"))


@pytest.mark.parametrize("angle", [0.0, 17.0, 44.0, 133.0])
@pytest.mark.parametrize("strain", [0.0, 0.02])
def test_names_the_sites_of_a_turned_and_strained_crystal(cell, angle, strain):
    columns, names = crystal(angle, strain=strain)
    assigned = assign_sites(columns, cell)
    assert np.mean(assigned["site_name"] == names) > 0.99
    assert set(assigned.loc[assigned["site_name"] == "Sr", "type"]) == {0}


def test_columns_between_the_sites_get_no_name(cell):
    columns, _ = crystal(noise=0.0)
    stray = columns.iloc[[0]] + np.array([3.905 * 0.25, 3.905 * 0.25, 0.0])
    both = pd.concat([columns, stray], ignore_index=True)
    assert assign_sites(both, cell)["site_name"].iloc[-1] == ""
    assert assign_sites(both, cell)["type"].iloc[-1] == -1


def test_an_oblique_cell_of_either_hand():
    cell = ProjectedCell(3.0, 4.0, 70.0, np.array([[0.0, 0.0]]), ("Pt",))
    place = np.stack(np.meshgrid(np.arange(-6, 7), np.arange(-6, 7)), axis=-1).reshape(-1, 2)
    points = place @ cell.vectors() * np.array([1.0, -1.0])
    columns = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "height": 1.0})
    assert (assign_sites(columns, cell)["site_name"] == "Pt").all()


def test_a_cell_that_does_not_fit_is_refused(cell):
    columns, _ = crystal(cell=4.6)
    with pytest.raises(PlanError, match="check the calibration"):
        assign_sites(columns, cell)


def test_scan_distortion_does_not_matter(cell):
    columns, names = crystal(noise=0.02)
    columns["x"] += 2.5 * np.sin(columns["y"] / 14)
    assert np.mean(assign_sites(columns, cell)["site_name"] == names) > 0.97


def test_types_count_the_names_of_the_cell(cell):
    columns, names = crystal()
    types = assign_sites(columns, cell)["type"]
    assert np.array_equal(types, np.where(names == "Sr", 0, 2))
