import pytest

from crewe.workflows.plan_analyses import CountOptions, ScatteringLibrary
from crewe.workflows.report_counting import _counts_table, _found, _settings, counting_numbers

FACTS = {
    "decided": True,
    "verdict": "The data decide the count of 60 of 64 columns.",
    "n_counted": 60,
    "n_undecided": 4,
    "n_left_out": 0,
    "atoms_total": 190.2,
    "atoms_total_std": 3.1,
    "mean_probability": 0.91,
    "warnings": [],
    "columns_of_count": {"1": 8, "2": 1200},
    "unit": "Å²",
    "scs_per_atom": 0.08521,
    "scs_per_atom_std": 0.0021,
}


def test_what_is_not_decided_has_no_key_numbers():
    assert dict(counting_numbers({"counting": FACTS}))["columns with a count"] == "60"
    undecided = {"counting": {**FACTS, "decided": False}}
    assert counting_numbers(undecided) == [("atom counts", "cannot be decided")]
    assert counting_numbers({}) == []


def test_numbers_carry_their_errors_and_units():
    found = _found(FACTS)
    assert found["atoms expected in the columns that were asked"] == "190.2 ± 3.1"
    assert found["cross-section of one more atom"] == "0.0852 ± 0.0021 Å²"
    assert "1,200" in _counts_table(FACTS)
    assert _counts_table({**FACTS, "columns_of_count": {}}) == ""


@pytest.mark.parametrize(
    ("given", "listed", "left_out"),
    [
        ({}, "most_count", "criterion"),
        ({"by": "mixture", "components": 4}, "criterion", "rule"),
        ({"by": "library", "library": ScatteringLibrary(scs=(0.1,))}, "rule", "criterion"),
    ],
)
def test_only_settings_of_the_chosen_way_are_listed(given, listed, left_out):
    settings = _settings(CountOptions(**given))
    assert listed in settings
    assert left_out not in settings
