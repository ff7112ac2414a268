import numpy as np
import pytest
from small_lattices import CENTRED, PEROVSKITE, indexed_lattice

from crewe.atoms.lattice.neighbours import check_names, nearest_shell, neighbour_rows, rows_of_site
from crewe.atoms.unit_cell import ProjectedCell
from crewe.errors import PlanError


def test_titanium_amid_lead_and_oxygen():
    lead = nearest_shell(PEROVSKITE, 1, ("Pb",))
    corners = [(i, j) for i in (-0.5, 0.5) for j in (-0.5, 0.5)]
    np.testing.assert_allclose(sorted(map(tuple, lead.offsets)), corners)
    assert nearest_shell(PEROVSKITE, 1, ("O",)).sites.tolist().count(2) == 2
    assert len(nearest_shell(PEROVSKITE, 1, ("O",), 2).sites) == 2
    assert len(nearest_shell(PEROVSKITE, 1, ("O", "Pb"), 8).sites) == 8


def test_a_polar_cell_keeps_its_four_neighbours():
    polar = ProjectedCell(3.9, 4.15, 90.0, np.array([[0, 0], [0.5, 0.54]]), ("Pb", "Ti"))
    assert len(nearest_shell(polar, 1, ("Pb",)).sites) == 4


@pytest.mark.parametrize("count", [0, -1, 1, 3, 100])
def test_a_number_that_divides_equals_is_refused(count):
    with pytest.raises(PlanError, match="ask"):
        nearest_shell(PEROVSKITE, 1, ("Pb",), count)


def test_rows_are_those_at_the_ideal_places():
    indexed = indexed_lattice(PEROVSKITE, size=5)
    table = indexed.columns.drop(index=17)
    shell = nearest_shell(PEROVSKITE, 1, ("Pb",))
    rows = rows_of_site(table, 0, 1)
    near = neighbour_rows(table, 0, rows, shell)
    points = table[["x", "y"]].to_numpy()
    expected = points[rows][:, None] + (shell.offsets @ PEROVSKITE.vectors())[None]
    found = np.where((near >= 0)[..., None], points[near], np.nan)
    there = (np.abs(points[:, None, None] - expected).max(axis=-1) < 1e-6).any(axis=0)
    assert (there == (near >= 0)).all()
    np.testing.assert_allclose(found[there], expected[there], atol=1e-9)
    assert (table["site_name"].to_numpy()[near[there]] == "Pb").all()


def test_unknown_names_are_told():
    indexed = indexed_lattice(CENTRED)
    check_names(indexed, ("Pt",))
    with pytest.raises(PlanError, match=r"Ti and Pt: given are Pt"):
        check_names(indexed, ("Ti", "Pt"))
