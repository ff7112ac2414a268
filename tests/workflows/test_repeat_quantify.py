import numpy as np
import pandas as pd
import pytest

from crewe.workflows.repeat_quantify import compare


@pytest.fixture
def table():
    return pd.DataFrame({"x": [1.0, 2.0], "x_std": [0.1, np.nan], "flag": ["", "edge"]})


def test_equal_tables(table):
    found = compare(table, table.copy())
    assert found.identical
    assert "to the last digit" in found.text


def test_rounding_is_equal_but_said(table):
    found = compare(table, table.assign(x=table["x"] + 1e-6))
    assert found.equal
    assert not found.identical
    assert "standard errors" in found.text


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.assign(x=[1.0, 2.01]),
        lambda table: table.assign(x_std=[0.1, 0.2]),
        lambda table: table.assign(flag=["", ""]),
        lambda table: table.iloc[:1],
        lambda table: table.assign(new=1.0),
    ],
)
def test_other_tables_differ(table, change):
    found = compare(table, change(table))
    assert not found.equal
    assert found.text.startswith("different")
