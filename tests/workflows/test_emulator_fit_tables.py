import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from emulator_data import stored_pairs

from crewe.errors import PlanError
from crewe.simulation.emulator.pairs import read_pairs
from crewe.workflows.emulator_fit_tables import plain, plain_rows, plans_to_try, selection_table
from crewe.workflows.emulator_plan import emulator_fit_plan


def plans(**settings):
    return plans_to_try(emulator_fit_plan({"pairs": Path("p.npz"), "select": True, **settings}))


def test_grids_are_tried_up_to_the_papers_choice():
    tried = plans()
    counts = [plan.terms().count for plan in tried]
    assert counts == sorted(counts)
    assert counts[0] == 2
    assert 378 in counts
    assert max(counts) <= 400
    assert len({json.dumps(plan.to_dict()) for plan in tried}) == len(tried)


def test_ridge_and_registration_hold_for_all_that_is_tried():
    for plan in plans(ridge=1e-6, register_images=False, largest_terms=30):
        assert plan.ridge == 1e-6
        assert not plan.register


def test_smoothed_features_are_tried_by_degree():
    tried = plans(features="smoothed", kinds=("intensity", "smooth 2"), largest_terms=100)
    assert [plan.terms().count for plan in tried] == [3, 5, 6, 7, 9, 10, 15]
    assert {plan.kinds for plan in tried} == {("intensity", "smooth 2")}


def test_a_scan_of_more_does_not_choose_for_fewer(tmp_path):
    stored = stored_pairs(tmp_path / "pairs.npz", 3)
    settings = {"pairs": stored, "select": True, "scan": tmp_path / "tried.jsonl", "repeats": 1}

    def chosen(most):
        plan = emulator_fit_plan({**settings, "largest_terms": most})
        return selection_table(plan, read_pairs(stored), lambda done, total: None)

    assert set(chosen(12)["terms"]) - set(chosen(4)["terms"])
    assert max(chosen(4)["terms"]) <= 4


def test_no_polynomial_is_small_enough():
    with pytest.raises(PlanError, match="no polynomial has 2 terms"):
        plans(features="smoothed", largest_terms=2)


def test_what_is_not_finite_becomes_none():
    table = pd.DataFrame({"a": [1.0, math.nan], "n": [np.int64(3), 4], "plan": [object()] * 2})
    assert plain_rows(table) == [{"a": 1.0, "n": 3}, {"a": None, "n": 4}]
    assert plain({"x": [np.float32(0.5), (math.inf, True)]}) == {"x": [0.5, [None, True]]}
