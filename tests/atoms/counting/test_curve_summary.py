import json

import pytest
from small_counts import counted_columns, library

from crewe.atoms.counting.by_curve import count_by_curve

ALWAYS = {
    "method",
    "decided",
    "verdict",
    "n_counted",
    "n_undecided",
    "n_left_out",
    "atoms_total",
    "atoms_total_std",
    "mean_probability",
    "warnings",
}


@pytest.fixture(scope="module")
def summaries():
    columns, _ = counted_columns(0.15)
    return (
        count_by_curve(columns, least_count=1).summary,
        count_by_curve(columns, library=library(), width="dose", electrons_per_unit=1e4).summary,
    )


def test_a_summary_is_plain_and_complete(summaries):
    for summary in summaries:
        assert json.loads(json.dumps(summary)) == summary
        assert summary.keys() >= ALWAYS
        assert summary["count_range"] == [1, 20]
        assert summary["n_counted"] + summary["n_undecided"] + summary["n_left_out"] == 300


def test_numbers_of_the_curve_are_those_of_the_columns(summaries):
    for summary in summaries:
        away = abs(summary["scs_per_atom"] - 0.92)
        assert away < 0.02
        assert summary["width_steps"] == pytest.approx(0.163, abs=0.03)
        assert abs(summary["offset"]) < 3 * summary["offset_std"]
        assert summary["unit"] == "Å²"


def test_each_way_says_what_it_was_told(summaries):
    free, hybrid = summaries
    assert free["method"] == "curve"
    assert free["prior"] == "thinnest columns of 1 atom; no scale"
    assert hybrid["method"] == "hybrid"
    assert "20 values, known to 10 %" in hybrid["prior"]
    assert hybrid["electrons_per_unit"] == pytest.approx(1e4)
    assert "library_scale" not in free
    assert "channelling" not in hybrid
