import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import norm

from crewe.atoms.counting.by_library import count_by_library, residuals_in_steps, smoothed
from crewe.errors import NoColumnsError, PlanError

STATSTEM = json.loads((Path(__file__).parent / "data" / "statstem_ptir.json").read_text())


def library_of(values):
    atoms = np.arange(1, len(values) + 1)
    array = xr.DataArray(np.asarray(values, float), {"atoms": atoms}, ("atoms",), "scs")
    return array.assign_attrs(units="Å²")


LIBRARY = library_of(np.arange(1, 21) - 0.004 * np.arange(1, 21) ** 2)


def columns(seed, width, counts=None, number=300, dose=None):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 21, number) if counts is None else counts
    means = LIBRARY.values[counts - 1]
    spread = np.sqrt(width**2 + (0 if dose is None else means / dose))
    return pd.DataFrame({"scs": means + spread * rng.normal(size=len(counts))}), counts


def test_nearest_is_nearest():
    table, _ = columns(1, 0.4)
    inside = table["scs"].to_numpy() < LIBRARY.values[-1]
    counted = count_by_library(table, LIBRARY).add_to(table, keep_undecided=True)["count"][inside]
    entries = np.concatenate([[0.0], LIBRARY.values])
    naive = np.abs(table["scs"].to_numpy()[inside, None] - entries).argmin(axis=1)
    certain = counted.notna().to_numpy()
    assert certain.mean() > 0.8
    assert (counted[certain].to_numpy(int) == naive[certain]).all()


def test_no_atoms_are_a_count():
    table = pd.DataFrame({"scs": [0.05] * 10 + [1.0] * 10 + [2.0] * 10})
    counts = count_by_library(table, LIBRARY)
    assert list(counts.posterior.argmax(axis=1)) == [0] * 10 + [1] * 10 + [2] * 10


@pytest.mark.parametrize("width", [0.15, 0.25, 0.3])
def test_as_many_are_right_as_the_scatter_allows(width):
    table, truth = columns(2, width, number=3000)
    counts = count_by_library(table, LIBRARY)
    steps = np.diff(LIBRARY.values)
    limit = 1 - 2 * norm.sf(0.5 * steps / width).mean()
    right = np.nan_to_num(counts.posterior).argmax(axis=1) == truth
    assert right.mean() == pytest.approx(limit, abs=0.03)
    assert counts.summary["mean_probability"] == pytest.approx(right.mean(), abs=0.03)
    assert counts.summary["width"]["common"] == pytest.approx(width, rel=0.1)
    assert counts.summary["decided"]


def test_bayes_is_right_more_often_where_thicknesses_are_few():
    rng = np.random.default_rng(3)
    truth = rng.choice([4, 5, 9], 2000, p=[0.05, 0.15, 0.8])
    table, _ = columns(3, 0.4, truth)
    right = {
        rule: np.mean(count_by_library(table, LIBRARY, rule=rule).posterior.argmax(axis=1) == truth)
        for rule in ("nearest", "bayes")
    }
    assert right["bayes"] > right["nearest"] + 0.03


def test_a_known_dose_gives_each_count_its_width():
    table, truth = columns(4, 0.05, number=2000, dose=250.0)
    counts = count_by_library(table, LIBRARY, width="dose", electrons_per_unit=250.0)
    assert counts.spread[20] == pytest.approx(np.sqrt(0.05**2 + LIBRARY.values[-1] / 250), rel=0.08)
    assert counts.summary["mean_probability"] == pytest.approx(
        np.mean(np.nan_to_num(counts.posterior).argmax(axis=1) == truth), abs=0.02
    )


def test_a_library_of_another_scale_is_no_better_than_chance():
    table, _ = columns(5, 0.1)
    wrong = count_by_library(table, LIBRARY, scale=1.17)
    assert not wrong.summary["decided"]
    assert any("by chance" in one for one in wrong.summary["warnings"])
    assert wrong.summary["residual_steps"] > 0.26
    assert count_by_library(table, LIBRARY).summary["residual_steps"] < 0.12


def test_columns_beyond_the_library_are_left_out_and_told():
    table, truth = columns(6, 0.05)
    short = LIBRARY[:15]
    counts = count_by_library(table, short)
    assert np.array_equal(np.isnan(counts.posterior[:, 0]), truth > 15)
    assert counts.summary["n_beyond_library"] == (truth > 15).sum()
    assert any("extend the library" in one for one in counts.summary["warnings"])
    assert not counts.summary["decided"]


def test_flagged_and_unmeasured_columns_are_left_out():
    table, _ = columns(7, 0.1)
    table["flag"] = ""
    table.loc[3, "flag"] = "edge"
    table.loc[5, "scs"] = np.nan
    counts = count_by_library(table, LIBRARY)
    assert np.isnan(counts.posterior[[3, 5]]).all()
    assert counts.summary["n_left_out"] == 2


def test_residuals_are_measured_in_steps():
    means = np.array([0.0, 1.0, 3.0, 4.0])
    found = residuals_in_steps(np.array([-0.2, 0.4, 2.5, 4.5]), means)
    assert found == pytest.approx([-0.2, 0.4, -0.25, 0.5])


def test_smoothing_keeps_the_sum():
    parts = np.random.default_rng(8).dirichlet(np.ones(12))
    assert smoothed(parts).sum() == pytest.approx(1.0)
    assert np.allclose(smoothed(np.full(5, 0.2)), 0.2)


def test_statstems_example_by_its_own_library():
    table = pd.DataFrame({"scs": STATSTEM["scs"]})
    counts = count_by_library(table, library_of(STATSTEM["library"]))
    off = counts.posterior.argmax(axis=1) - np.array(STATSTEM["counts"])
    assert np.abs(off).max() <= 1
    assert (off == 0).mean() > 0.92


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rule": "guess"}, "choose one of nearest"),
        ({"width": "wide"}, "choose one of common"),
        ({"width": "dose"}, "electrons_per_unit"),
        ({"scale": -1.0}, "scale must be a positive"),
    ],
)
def test_wrong_settings_teach(settings, words):
    with pytest.raises(PlanError, match=words):
        count_by_library(columns(9, 0.1)[0], LIBRARY, **settings)


def test_wrong_data_teach():
    table, _ = columns(10, 0.1)
    with pytest.raises(PlanError, match="another scale"):
        count_by_library(table * 1e3, LIBRARY)
    with pytest.raises(PlanError, match="begins at 4 atoms"):
        count_by_library(table, LIBRARY[3:])
    with pytest.raises(NoColumnsError, match="at least 20"):
        count_by_library(table[:5], LIBRARY)
