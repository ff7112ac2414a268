import numpy as np
import pytest

from crewe.atoms import ProjectedCell
from crewe.atoms.lattice.sites import least_distance, site_weights, visible, with_sites
from crewe.errors import PlanError

SITES = np.array([[0, 0], [0.5, 0.5], [0.5, 0], [0, 0.5]])
HEIGHTS = ((("Sr", 0.0),), (("Ti", 0.5), ("O", 0.0)), (("O", 0.5),), (("O", 0.5),))
CELL = ProjectedCell(3.905, 3.905, 90, SITES, ("Sr", "Ti O", "O", "O"), 3.905, HEIGHTS)


def test_haadf_shows_no_oxygen():
    cell = visible(CELL, least_z=20)
    assert cell.names == ("Sr", "Ti O")
    assert cell.atoms == HEIGHTS[:2]
    assert np.array_equal(cell.sites, SITES[:2])
    with pytest.raises(PlanError, match="the heaviest"):
        visible(CELL, least_z=60)


def test_sites_are_chosen_by_name_or_element():
    assert with_sites(CELL, ["O"]).names == ("Ti O", "O", "O")
    assert with_sites(CELL, "Sr").names == ("Sr",)
    with pytest.raises(PlanError, match="choose from Sr, Ti O, O"):
        with_sites(CELL, ["Sr", "Ba"])


def test_weights_count_every_atom_of_a_period():
    assert np.allclose(site_weights(CELL), [38**2, 22**2 + 8**2, 64, 64])
    named = ProjectedCell(4, 4, 90, SITES[:2], ("Ti O", "bright"))
    assert np.allclose(site_weights(named), [22**2 + 8**2, 0])


def test_the_least_distance_crosses_edges_of_the_cell():
    assert least_distance(CELL) == pytest.approx(3.905 / 2)
    assert least_distance(ProjectedCell(3, 8, 90, SITES[:1], ("Pt",))) == pytest.approx(3)
    near = ProjectedCell(5, 5, 90, np.array([[0.05, 0], [0.95, 0]]), ("Si", "Si"))
    assert least_distance(near) == pytest.approx(0.5)
