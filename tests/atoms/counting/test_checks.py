import contextlib

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from small_counts import library

from crewe.atoms.counting.checks import countable, library_values
from crewe.errors import CreweError, NoColumnsError, PlanError


def table(number=40, **more):
    return pd.DataFrame({"scs": np.linspace(1.0, 5.0, number), **more})


def test_flagged_and_unknown_columns_are_left_out():
    columns = table(flag=[""] * 35 + ["edge", "weak,unconverged", "weak", "", "edge,weak"])
    columns.loc[0, "scs"] = np.nan
    columns.loc[1, "scs"] = np.inf
    usable = countable(columns)
    assert np.array_equal(np.flatnonzero(~usable.rows), [0, 1, 35, 36, 39])
    assert np.array_equal(usable.scs, columns["scs"].to_numpy()[usable.rows])


def test_columns_without_a_finite_cross_section_are_left_out_with_a_word():
    columns = table(flag=[""] * 38 + ["edge", "unconverged"])
    columns.loc[[0, 38], "scs"] = np.nan
    assert countable(columns).warnings == [
        "1 of 40 columns has no finite cross-section and was left out."
    ]
    columns.loc[1, "scs"] = np.inf
    usable = countable(columns)
    assert np.array_equal(np.flatnonzero(~usable.rows), [0, 1, 38, 39])
    assert "2 of 40 columns have no finite" in usable.warnings[0]


def test_a_few_negative_columns_are_left_out_with_a_word():
    columns = table()
    columns.loc[3, "scs"] = -1.0
    usable = countable(columns)
    assert not usable.rows[3]
    assert "1 of 40" in usable.warnings[0]


@pytest.mark.parametrize(
    ("columns", "error", "said"),
    [
        (pd.DataFrame({"x": [1.0]}), PlanError, "crewe quantify"),
        (table(19), NoColumnsError, "at least 20"),
        (table(40, flag="edge"), NoColumnsError, "only 0 of 40"),
        (table().assign(scs=2.0), PlanError, "all 40"),
        (table().assign(scs=np.linspace(-1, 5, 40)), PlanError, "background"),
    ],
)
def test_tables_that_cannot_be_counted_are_refused(columns, error, said):
    with pytest.raises(error, match=said):
        countable(columns)


@given(arrays(float, st.integers(0, 60), elements=st.floats(-1e300, 1e300) | st.just(np.nan)))
def test_any_numbers_are_counted_or_refused(scs):
    columns = pd.DataFrame({"scs": scs})
    positive = np.isfinite(scs) & (scs > 0)
    if positive.sum() < 20:
        with pytest.raises(CreweError, match=r"columns|cross-sections"):
            countable(columns)
        return
    with contextlib.suppress(PlanError):
        assert np.array_equal(countable(columns).rows, positive)


def test_a_library_of_another_scale_names_both():
    scs = np.linspace(1.0, 18.0, 50)
    atoms, values = library_values(library(), scs, "Å²")
    assert np.array_equal(atoms, np.arange(1.0, 21))
    assert np.array_equal(values, library().to_numpy())
    for factor in (0.01, 100):
        with pytest.raises(PlanError, match=r"another scale.*Å².*20 atoms.*17\.\d+ Å²"):
            library_values(library(factor=factor), scs, "Å²")


def test_what_has_no_unit_is_given_none():
    without = library(factor=100).drop_attrs()
    scs = np.linspace(1.0, 18.0, 50)
    with pytest.raises(PlanError) as caught:
        library_values(without, scs, "")
    assert "Å²" not in str(caught.value)
    assert str(caught.value).count("(no unit)") == 2
    with pytest.raises(PlanError, match=r"Å² for 20 atoms, the columns reach 17\.\d+ \(no unit\)"):
        library_values(library(factor=100), scs, "")


def test_too_few_columns_are_sent_to_no_way_that_refuses_them_too():
    with pytest.raises(NoColumnsError, match=r"take a larger image$"):
        countable(table(19))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([1.0, 2.0], "a list"),
        (xr.DataArray([1.0, 2.0], dims="thickness"), "thickness"),
        (xr.DataArray([1.0, 2.0], dims="atoms", coords={"atoms": [1, 3]}), "without gaps"),
        (xr.DataArray([1.0, 2.0], dims="atoms", coords={"atoms": [0, 1]}), "from 1 on"),
        (xr.DataArray([2.0, 1.0], dims="atoms", coords={"atoms": [1, 2]}), "rise"),
        (xr.DataArray([np.nan, 1.0], dims="atoms", coords={"atoms": [1, 2]}), "positive"),
    ],
)
def test_libraries_of_another_form_are_refused(wrong, said):
    with pytest.raises(PlanError, match=said):
        library_values(wrong, np.linspace(0.5, 2, 30), "")
