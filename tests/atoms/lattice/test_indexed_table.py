import json

import numpy as np
import pandas as pd
import pytest
from laid_out_cells import PEROVSKITE, laid_out

from crewe.atoms.lattice.indexed_table import Member, indexed_columns
from crewe.atoms.lattice.pose import Crystal

CRYSTAL = Crystal.of(PEROVSKITE)


def members(columns, truth, split=3.0):
    """Two lattices, one to each side of a line."""
    site = (truth["name"] == "Ti").to_numpy().astype(np.int64)
    cell = np.round(truth[["u", "v"]].to_numpy() - PEROVSKITE.sites[site]).astype(np.int64) + 7
    rows = np.arange(len(columns))
    left = (columns["x"] < split).to_numpy()
    sides = [side for side in (~left, left) if side.any()]
    return [Member(CRYSTAL, rows[side], site[side], cell[side]) for side in sides]


def test_the_larger_lattice_comes_first_and_its_cells_are_centred():
    columns, truth = laid_out(PEROVSKITE, 0.0, middle=(0, 0))
    parts = members(columns, truth)
    indexed = indexed_columns(columns, parts, "lattice")
    counts = [lattice.n_columns for lattice in indexed.lattices]
    assert counts == sorted((len(part.rows) for part in parts), reverse=True)
    for number, part in ((0, parts[1]), (1, parts[0])):
        rows = indexed.columns.iloc[part.rows]
        assert (rows["lattice"] == number).all()
        assert np.abs(rows[["cell_a", "cell_b"]].mean()).max() < 1
    assert json.loads(json.dumps(indexed.summary))["n_indexed"] == len(columns)


def test_the_table_keeps_what_it_had():
    columns, truth = laid_out(PEROVSKITE, 0.0)
    columns.index = columns.index + 100
    columns.attrs["pixel_size_angstrom"] = 0.2
    indexed = indexed_columns(columns, members(columns, truth, 50.0), "lattice")
    pd.testing.assert_frame_equal(indexed.columns[columns.columns], columns)
    assert indexed.columns.attrs == columns.attrs
    assert "lattice" not in columns


def test_columns_without_convergence_are_indexed_but_not_fitted():
    columns, truth = laid_out(PEROVSKITE, 0.0, noise=0.0, middle=(0, 0))
    columns["flag"] = ""
    columns.loc[3, "flag"] = "edge,unconverged"
    columns.loc[3, "x"] += 0.5
    indexed = indexed_columns(columns, members(columns, truth, -99.0), "lattice")
    assert indexed.columns.loc[3, "displacement_x"] == pytest.approx(0.5)
    assert np.abs(indexed.columns["displacement_x"].drop(3)).max() < 1e-9


def test_doubts_are_told():
    columns, truth = laid_out(PEROVSKITE, 0.0, strain=np.diag([0.05, 0.0]))
    strontium = truth["name"] == "Sr"
    some = columns[strontium].reset_index(drop=True)
    part = members(some, truth[strontium].reset_index(drop=True), -99.0)
    outside = pd.concat([some, some.iloc[:60]], ignore_index=True)
    warnings = indexed_columns(outside, part, "lattice").summary["warnings"]
    assert "60 of" in warnings[0]
    assert "4.10" in warnings[1]
    assert "hardly any column on the sites Ti (0 of " in warnings[2]


def test_without_lattices_the_table_says_so():
    columns, _ = laid_out(PEROVSKITE, 0.0)
    indexed = indexed_columns(columns.drop(columns=["x_std"]), [], "lattice")
    assert (indexed.columns["lattice"] == -1).all()
    assert indexed.columns["displacement_x_std"].isna().all()
    assert indexed.lattices == ()
