import numpy as np
import pandas as pd
import pytest
import xarray as xr

from crewe.atoms.counting.anchoring import SHIFTS, shifted
from crewe.atoms.counting.by_curve import count_by_curve
from crewe.errors import PlanError

# A curve that saturates twice as fast as those that the prior was read off.
CURVE = np.cumsum(np.r_[0.0, 0.03 / (1 + np.arange(30) / 25) ** 2])


def library(factor=1.0):
    atoms = np.arange(1, 21)
    return xr.DataArray(
        factor * CURVE[atoms], dims="atoms", coords={"atoms": atoms}, attrs={"units": "Å²"}
    )


def columns(thinnest, thickest, number=200, seed=0, noise=0.1):
    rng = np.random.default_rng(seed)
    counts = rng.integers(thinnest, thickest + 1, number)
    step = (CURVE[20] - CURVE[1]) / 19
    return pd.DataFrame({"scs": CURVE[counts] + noise * step * rng.standard_normal(number)}), counts


def test_a_shifted_posterior_is_a_posterior_of_half_the_certainty():
    posterior = np.zeros((3, 12))
    posterior[[0, 1, 2], [5, 0, 11]] = 1.0
    found = shifted(posterior)
    assert np.allclose(found.sum(axis=1), 1)
    assert found[0, 3:8] == pytest.approx([SHIFTS[k] for k in (-2, -1, 0, 1, 2)])
    assert (found[1, :3] > 0).all()
    assert found[1, 3:].max() == 0


@pytest.mark.parametrize("thinnest", [1, 4])
def test_without_any_tie_nothing_is_decided(thinnest):
    table, _ = columns(thinnest, 16)
    found = count_by_curve(table)
    assert not found.summary["decided"]
    assert "nothing tells how many atoms" in found.summary["verdict"]
    assert found.posterior.max() < 0.75


def test_the_count_of_the_thinnest_columns_decides():
    table, counts = columns(4, 16)
    found = count_by_curve(table, least_count=4)
    assert found.summary["decided"]
    assert (found.posterior.argmax(axis=1) == counts).mean() > 0.99


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_library_of_another_scale_decides_nothing(factor):
    table, _ = columns(1, 12)
    found = count_by_curve(table, library=library(factor), scale_std=0.1)
    assert not found.summary["decided"]
    assert "contradict the scale of the library" in found.summary["verdict"]
    named = float(found.summary["verdict"].split("about ")[1].split()[0])
    assert named * factor == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("factor", [0.93, 1.0, 1.07])
def test_a_library_within_its_error_is_not_contradicted(factor):
    table, counts = columns(1, 12)
    found = count_by_curve(table, library=library(factor), scale_std=0.1)
    assert found.summary["decided"]
    assert (found.posterior.argmax(axis=1) == counts).mean() > 0.99


@pytest.mark.parametrize("factor", [2.0, 3.0])
def test_an_atom_of_another_scale_decides_nothing(factor):
    table, _ = columns(1, 12)
    found = count_by_curve(table, single_atom_scs=factor * float(CURVE[1]))
    assert not found.summary["decided"]
    assert "one atom" in found.summary["verdict"]


def test_a_library_that_no_curve_reaches_is_refused():
    table, _ = columns(1, 12)
    with pytest.raises(PlanError, match="another scale"):
        count_by_curve(table, library=library(0.05), scale_std=0.1)


def test_what_scatters_more_than_all_atoms_is_left_out():
    table, counts = columns(1, 12)
    table.loc[7, "scs"] = 40.0
    found = count_by_curve(table, library=library())
    assert np.isnan(found.posterior[7]).all()
    assert found.summary["n_left_out"] == 1
    others = np.arange(len(table)) != 7
    assert (found.posterior[others].argmax(axis=1) == counts[others]).mean() > 0.99
    assert any("left out" in one for one in found.summary["warnings"])
