import numpy as np
import pandas as pd
import pytest
from small_counts import counted_columns, library

from crewe.atoms.counting.count import count_atoms
from crewe.errors import NoColumnsError, PlanError


@pytest.fixture
def columns():
    table, truth = counted_columns(0.1)
    table["flag"] = ["edge"] * 5 + [""] * 295
    table["type"] = np.arange(300) % 2
    table["site_name"] = np.where(table["type"] == 0, "Pt", "O")
    table.index = pd.RangeIndex(1000, 1300)
    return table, truth


@pytest.mark.parametrize("by", ["curve", "hybrid", "mixture", "library"])
def test_every_way_counts_the_same_columns(columns, by):
    table, truth = columns
    settings = {"mixture": {"components": 20}, "curve": {"least_count": 1}}.get(by, {})
    settings = {**settings, "types": ["Pt", "O"]}
    given = library() if by in ("hybrid", "library") else None
    found = count_atoms(table, by=by, library=given, **settings)
    assert len(found.posterior) == 300
    assert np.isnan(found.posterior[:5]).all()
    rows = found.posterior[5:]
    assert np.allclose(rows.sum(axis=1), 1)
    assert (rows.argmax(axis=1) == truth[5:]).mean() > 0.97
    assert found.summary["n_left_out"] == 5
    answer = found.add_to(table)
    assert answer["count"].isna().sum() == pytest.approx(5, abs=6)


@pytest.mark.parametrize("types", [[0], ["Pt"]])
def test_types_are_counted_by_number_or_name(columns, types):
    table, _ = columns
    found = count_atoms(table, types=types, least_count=1)
    known = np.isfinite(found.posterior[:, 0])
    assert np.array_equal(known, (table["type"] == 0) & (table["flag"] == ""))
    assert found.summary["n_left_out"] == 300 - known.sum()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"by": "eye"}, "by is one of"),
        ({"by": "hybrid"}, "needs a library"),
        ({"by": "library"}, "needs a library"),
        ({"by": "curve", "library": library()}, "takes no library"),
        ({"by": "hybrid", "library": library(factor=1e-3)}, "another scale"),
        ({"types": [7]}, "no column is of type 7"),
        ({"by": "curve", "componets": 3}, "no such setting"),
    ],
)
def test_what_does_not_fit_is_refused(columns, settings, said):
    with pytest.raises(PlanError, match=said):
        count_atoms(columns[0].drop(columns="site_name"), **settings)


def test_several_kinds_are_not_counted_together_unasked(columns):
    table = columns[0].assign(site_name=np.where(np.arange(300) < 195, "Cs", "Pb O"))
    table.loc[table.index[5:8], "site_name"] = ["", None, ""]
    said = r"Cs \(187\) and Pb O \(105\).*types=\['Cs'\] \(--type Cs\)"
    with pytest.raises(PlanError, match=said):
        count_atoms(table, by="library", library=library())
    one_kind = table.assign(site_name=np.where(np.arange(300) < 5, "edges only", "Pt"))
    counted = count_atoms(one_kind, by="library", library=library())
    assert np.isfinite(counted.posterior[5:]).all()


def test_columns_without_a_lattice_are_counted_with_a_word(columns):
    table = columns[0].assign(site_name="Pt", lattice=0)
    given = {"by": "library", "library": library()}
    assert not count_atoms(table, **given).summary["warnings"]
    # the first five are flagged and not counted
    table.loc[table.index[:30], "lattice"] = -1
    found = count_atoms(table, **given)
    assert found.summary["warnings"] == ["25 columns lie in no lattice; counted all the same."]
    assert found.summary["n_left_out"] == 5


def test_too_few_columns_of_a_type_are_refused(columns):
    table = columns[0].assign(type=np.arange(300) // 290)
    with pytest.raises(NoColumnsError, match="at least 20"):
        count_atoms(table, types=[1])
