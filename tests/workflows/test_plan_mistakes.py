import numpy as np
import pytest
from pydantic import ValidationError

from crewe.errors import PlanError
from crewe.workflows.live_plan import live_change, live_plan
from crewe.workflows.phase_plan import PhasePlan, phase_plan
from crewe.workflows.plan_mistakes import mistakes


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"radius_px": -3.0}, "radius_px = -3.0: Input should be greater than 0 or 'auto'"),
        (
            {"centre": ("a", 2)},
            "centre = ('a', 2): Input should be a valid number or 'auto'",
        ),
        ({"centre": (1,)}, "centre = (1,): Input should be longer or 'auto'"),
        ({"rotation_degrees": "x"}, "rotation_degrees = 'x': Input should be a valid number or"),
        ({"dataset": -1}, "dataset = -1: Input should be greater than or equal to 0 or a valid"),
        ({"colour": 1}, "colour = 1: Extra inputs are not permitted"),
        ({"detectors": {"adf": {"inner": -1}}}, "detectors.adf.inner = -1: Input should be"),
        ({"detectors": {"adf": {"inner": 2, "outer": 1}}}, "the inner radius must be below"),
        ({"detectors": {"adf": {}}}, "detectors.adf.inner: Field required"),
        ({"bad_pixels": "all"}, "bad_pixels = 'all': give 'auto', 'none', places"),
        ({"bad_pixels": [(-1, 2)]}, "bad_pixels = [(-1, 2)]: Input should be 'auto' or 'none' or"),
        ({"bad_pixels": np.ones(3, bool)}, "type bool: give a mask"),
        ({"kernel": 4}, "a kernel of 4: give an odd number"),
    ],
)
def test_each_mistake_is_one_clause(settings, said):
    with pytest.raises(ValidationError) as caught:
        PhasePlan.model_validate({"data": "a", **settings})
    text = mistakes(caught.value, {"data": "a", **settings})
    assert said in text
    assert ";" not in text
    with pytest.raises(PlanError) as told:
        phase_plan({"data": "a", **settings})
    assert str(told.value) == f"these images cannot be made: {text}"


def test_several_mistakes_are_all_named():
    with pytest.raises(PlanError) as caught:
        phase_plan({"kernel": -1, "radius_px": 0, "centre": "x", "scan": (0, "y")})
    said = str(caught.value).split(": ", 1)[1].split("; ")
    assert [clause.split(" =")[0].split(":")[0] for clause in said] == [
        "data",
        "scan",
        "scan",
        "centre",
        "radius_px",
        "kernel",
    ]


def test_plans_of_live_runs_are_explained_alike():
    settings = {"address": "merlin://host", "scan": (3, 4), "radius_px": -3.0}
    with pytest.raises(PlanError) as caught:
        live_plan(settings)
    said = "this run cannot be followed: radius_px = -3.0: Input should be greater than 0 or 'auto'"
    assert str(caught.value) == said
    with pytest.raises(PlanError, match=r"^not changed: centre = 'x': Input should be a valid"):
        live_change({"centre": "x"})
