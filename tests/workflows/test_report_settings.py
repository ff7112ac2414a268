from types import SimpleNamespace

from crewe.workflows import plan_from
from crewe.workflows.report_settings import given, said, settings_of


def test_settings_of_parts_are_listed_by_their_part():
    plan = plan_from({"image": "a.tif", "sampling": 0.1, "remove_background": {"order": 3}})
    listed = settings_of(SimpleNamespace(plan=plan))
    assert listed["remove_background, order"] == "3"
    assert listed["sampling"] == "0.1 Å"
    assert listed["columns_found_by"] == "image"
    assert "count" not in listed


def test_analyses_do_not_change_the_settings_of_the_fit():
    plan = plan_from({"image": "a.tif"})
    counted = plan_from({"image": "a.tif", "count": {"width": "measured"}})
    one, other = (settings_of(SimpleNamespace(plan=which)) for which in (plan, counted))
    assert one == other


def test_what_is_not_set_is_not_said():
    assert given({"a": None, "b": False, "c": [], "d": 0, "e": True}) == {"d": "0", "e": "yes"}
    assert said([["Ti", "Sr"]]) == '[["Ti", "Sr"]]'
