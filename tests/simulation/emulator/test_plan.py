import dataclasses

import pytest

from crewe.errors import CalibrationError
from crewe.simulation.emulator.plan import EmulatorPlan


def test_the_default_is_the_papers_best_model_of_378_terms():
    assert EmulatorPlan().terms().count == 378


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"size": 1, "log": False, "degree": 1}, 2),
        ({"size": 1, "log": True, "degree": 2}, 6),
        ({"size": 5, "degree": 3}, 3654),
        ({"size": 5, "degree": 3, "interactions": False}, 79),
        ({"features": "smoothed", "kinds": ("intensity", "smooth 4")}, 6),
    ],
)
def test_terms_are_counted_as_the_paper_counts_them(changes, count):
    assert EmulatorPlan(**changes).terms().count == count


def test_a_plan_is_stored_as_plain_values():
    plan = EmulatorPlan(features="smoothed", degree=3, ridge=1e-8)
    assert EmulatorPlan.from_dict(plan.to_dict()) == plan


@pytest.mark.parametrize(
    "changes",
    [
        {"features": "wings"},
        {"size": 4},
        {"degree": 0},
        {"ridge": -1.0},
        {"ridge": float("nan")},
        {"features": "smoothed", "kinds": ("smell 4",)},
    ],
)
def test_impossible_plans_are_refused(changes):
    with pytest.raises(CalibrationError):
        EmulatorPlan(**changes)
    with pytest.raises(CalibrationError):
        EmulatorPlan.from_dict({**dataclasses.asdict(EmulatorPlan()), **changes})
