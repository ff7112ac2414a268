import pytest

from crewe.errors import PlanError
from crewe.workflows import plan_from

TRIANGLE = [[0, 0], [10, 0], [0, 10.5]]


def test_regions_backgrounds_and_weak_columns_are_part_of_a_plan():
    parts = {"region": {"polygon": TRIANGLE, "types": [0]}, "remove_background": {}}
    plan = plan_from({"image": "a", **parts, "weak_columns": {"most": 20}})
    assert plan.region.polygon[2] == (0, 10.5)
    assert plan.remove_background.method == "valleys"
    assert plan_from({"image": "a"}).weak_columns is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"region": {}}, "a polygon, types, or both"),
        ({"region": {"polygon": TRIANGLE[:2]}}, "at least 3 items"),
        ({"remove_background": {"method": "rolling"}}, "'valleys' or 'polynomial'"),
        ({"remove_background": {}, "restore": "hrstem"}, "not both"),
        (
            {"remove_background": {}, "fit": {"noise": "counts"}, "intensity": {"counts": True}},
            "leave out noise 'counts'",
        ),
        ({"weak_columns": {"most": 0}}, "greater than 0"),
    ],
)
def test_wrong_parts_say_what_is_wrong(settings, said):
    with pytest.raises(PlanError, match=said):
        plan_from({"image": "a", **settings})
