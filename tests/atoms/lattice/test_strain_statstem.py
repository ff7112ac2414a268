"""Strain of a real image, CsPbBr3, against what StatSTEM stored for the same columns."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crewe.atoms.lattice.results import FittedLattice, IndexedColumns
from crewe.atoms.lattice.strain import strain_map
from crewe.atoms.unit_cell import ProjectedCell

COMPONENTS = ["eps_xx", "eps_yy", "eps_xy", "omega_xy_deg"]
CELL = ProjectedCell(5.85, 5.85, 90.0, np.array([[0.0, 0.0], [0.5, 0.5]]), ("Pb", "Cs"))
VECTORS = np.array([[5.20948559, -0.09769031], [0.09855567, 5.25563223]])


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(Path(__file__).parent / "statstem_example3.csv", comment="#")


@pytest.fixture(scope="module")
def strain(table):
    lattice = FittedLattice(
        "CsPbBr3", CELL, np.array([43.81229, 33.17644]), VECTORS, np.zeros((6, 6)), len(table), 0.0
    )
    columns = table[["x", "y", "site", "cell_a", "cell_b"]].assign(lattice=0)
    return strain_map(IndexedColumns(columns, (lattice,), {}))


def test_columns_with_all_neighbours_have_statstems_strain(table, strain):
    whole = strain["n_neighbours"] == 4
    assert whole.sum() == 307
    np.testing.assert_allclose(
        strain.loc[whole, COMPONENTS], table.loc[whole, COMPONENTS], atol=4e-5
    )


def test_at_the_border_ours_scatters_less(table, strain):
    """StatSTEM hangs all vectors on the column itself, whose own error then counts in full."""
    border = strain["eps_xx"].notna() & (strain["n_neighbours"] < 4)
    assert border.sum() == 98
    for name in COMPONENTS[:3]:
        assert np.corrcoef(strain.loc[border, name], table.loc[border, name])[0, 1] > 0.7
        assert strain.loc[border, name].std() < table.loc[border, name].std()


def test_most_of_this_map_is_the_scatter_of_positions(strain):
    for name in COMPONENTS[:3]:
        assert strain[name].std() == pytest.approx(strain[f"{name}_std"].median(), rel=0.4)
