import numpy as np
import pytest
from small_lattices import CENTRED, PEROVSKITE, indexed_lattice

from crewe.atoms.lattice.position_errors import position_errors
from crewe.atoms.lattice.results import IndexedColumns


def bent(places):
    away = (places - 50) / 1000
    return np.stack([20 * away[:, 0] * away[:, 1], -10 * away[:, 0]], axis=1)


def test_errors_of_the_table_are_taken_as_they_are():
    indexed = indexed_lattice(CENTRED, noise=0.1, std=0.03)
    assert (position_errors(indexed) == 0.03).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_missing_errors_come_from_the_scatter_not_from_strain(seed):
    indexed = indexed_lattice(CENTRED, size=15, field=bent, noise=0.03, seed=seed)
    np.testing.assert_allclose(position_errors(indexed), 0.03, rtol=0.12)


def test_a_few_defects_do_not_raise_them():
    indexed = indexed_lattice(CENTRED, size=15, noise=0.03, seed=5)
    indexed.columns.loc[::40, "x"] += 0.6
    np.testing.assert_allclose(position_errors(indexed), 0.03, rtol=0.3)


def test_each_kind_of_column_has_its_own():
    indexed = indexed_lattice(PEROVSKITE, size=19, noise=0.02, seed=1)
    lead = indexed.columns["site_name"] == "Pb"
    rng = np.random.default_rng(2)
    indexed.columns.loc[~lead, "y"] += rng.normal(0, 0.08, (~lead).sum())
    indexed.columns.loc[~lead, "x"] += rng.normal(0, 0.08, (~lead).sum())
    errors = position_errors(indexed)
    np.testing.assert_allclose(errors[lead], 0.02, rtol=0.15)
    np.testing.assert_allclose(errors[~lead], np.hypot(0.08, 0.02), rtol=0.15)


def test_nothing_to_tell_it_by_gives_nan():
    indexed = indexed_lattice(CENTRED, size=7)
    indexed.columns.loc[3, "lattice"] = -1
    assert np.isnan(position_errors(indexed)[3]).all()
    few = IndexedColumns(indexed.columns.iloc[10:12], indexed.lattices, {})
    assert np.isnan(position_errors(few)).all()
