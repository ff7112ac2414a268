import numpy as np
import pandas as pd
import pytest

from crewe.atoms.counting.results import AtomCounts, interval

POSTERIOR = np.array([[0.05, 0.9, 0.05], [0.35, 0.25, 0.4], [np.nan, np.nan, np.nan]])


def counts(decided: bool) -> AtomCounts:
    nothing = np.zeros(3)
    return AtomCounts(POSTERIOR, nothing, nothing, nothing, nothing, {"decided": decided})


@pytest.fixture
def columns():
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=[4, 7, 9])
    table.attrs["units"] = {"x": "Å"}
    return table


def test_only_probable_counts_are_answers(columns):
    table = counts(True).add_to(columns)
    assert table["count"].tolist() == [1, pd.NA, pd.NA]
    assert table["count_probability"].tolist()[:2] == [0.9, 0.4]
    assert list(table.index) == [4, 7, 9]
    assert table.attrs == columns.attrs
    assert "count" not in columns


def test_columns_that_were_left_out_have_no_numbers(columns):
    row = counts(True).add_to(columns).loc[9]
    assert row[["count", "count_probability", "count_low", "count_high"]].isna().all()


def test_where_nothing_is_decided_no_column_has_a_count(columns):
    table = counts(False).add_to(columns)
    assert table["count"].isna().all()
    assert table["count_probability"].notna().sum() == 2


def test_every_count_can_be_taken_all_the_same(columns):
    assert counts(False).add_to(columns, 0, keep_undecided=True)["count"].tolist() == [1, 2, pd.NA]


def test_the_interval_holds_nine_tenths():
    rng = np.random.default_rng(3)
    posterior = rng.dirichlet(np.full(12, 0.5), 400)
    low, high = interval(posterior)
    held = [row[a : b + 1].sum() for row, a, b in zip(posterior, low, high, strict=True)]
    assert min(held) >= 0.9 - 1e-12
