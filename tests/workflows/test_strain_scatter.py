"""Whether strain scatters as its standard errors say."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crewe.atoms.lattice.indexing import index_columns
from crewe.atoms.lattice.strain import strain_map
from crewe.atoms.unit_cell import ProjectedCell
from crewe.workflows.analyse_lattice import medians
from crewe.workflows.strain_scatter import doubts_of_strain, neighbour_scatter

EDGE, STATED = 4.0, 0.01


def strained(scatter, seed=3):
    """Strain of fifteen by fifteen columns that scatter by so many Å; 0.01 Å is stated."""
    rng = np.random.default_rng(seed)
    y, x = (EDGE * part.ravel() + 2.0 for part in np.mgrid[:15, :15].astype(float))
    columns = pd.DataFrame({"x": x, "y": y}) + rng.normal(0, scatter, (225, 2))
    columns = columns.assign(x_std=STATED, y_std=STATED, scs=1.0, flag="", type=0)
    cell = ProjectedCell(EDGE, EDGE, 90.0, np.zeros((1, 2)), ("Po",))
    indexed = index_columns(columns, cell)
    return strain_map(indexed), indexed


def section(scatter):
    table, indexed = strained(scatter)
    found = medians(table)
    for name, value in neighbour_scatter(table, indexed).items():
        found[name]["neighbour_scatter"] = value
    return found


def test_columns_that_scatter_as_stated_are_not_doubted():
    found = section(STATED)
    for name in ("eps_xx", "eps_yy", "omega_xy_deg"):
        assert found[name]["neighbour_scatter"] == pytest.approx(found[name]["std"], rel=0.25)
    assert doubts_of_strain(found, 0.1) == []


def test_columns_that_scatter_more_are_doubted_with_the_factor():
    (said,) = doubts_of_strain(section(6 * STATED), None)
    assert said.startswith("positions scatter more than their standard errors say: scan distortion")
    assert 4.5 < float(said.split(" by ")[1].split()[0]) < 8


def test_correlated_residuals_are_told_with_the_strain():
    (said,) = doubts_of_strain(section(STATED), 0.42)
    assert "correlated (0.42)" in said
    assert "too small" in said


def grid(values):
    """A table of one component on a grid (row, column) of cells, and its places."""
    rows, columns = np.indices(values.shape)
    places = {"lattice": 0, "site": 0, "cell_a": columns.ravel(), "cell_b": rows.ravel()}
    table = pd.DataFrame({"eps": values.ravel(), "eps_std": 1.0, "n": 4})
    return table, SimpleNamespace(columns=pd.DataFrame(places))


def test_a_gradient_a_fault_and_what_is_not_known_are_no_scatter():
    values = np.add.outer(0.3 * np.arange(6.0), 0.1 * np.arange(8.0))
    assert neighbour_scatter(*grid(values)) == pytest.approx({"eps": 0.0}, abs=1e-12)
    values[2, 3], values[4, 4] = 50.0, np.nan
    assert neighbour_scatter(*grid(values)) == pytest.approx({"eps": 0.0}, abs=1e-12)


def test_few_neighbours_and_other_sites_tell_nothing():
    assert neighbour_scatter(*grid(np.ones((2, 3)))) == {}
    table, indexed = grid(np.ones((6, 6)))
    indexed.columns["site"] = np.arange(36)
    assert neighbour_scatter(table, indexed) == {}
    none = indexed.columns.assign(lattice=-1, site=-1, cell_a=0, cell_b=0)
    assert neighbour_scatter(table, SimpleNamespace(columns=none)) == {}
