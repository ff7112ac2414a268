from pathlib import Path

import pytest

from crewe.errors import PlanError
from crewe.workflows import QuantifyPlan, load_plan, plan_from, save_plan
from crewe.workflows.plan import PlanPart

CELL = {"a": 3.9, "b": 3.9, "sites": [["Sr", 0, 0], ["Ti", 0.5, 0.5]]}


def test_a_plan_comes_back_from_yaml_as_it_was(tmp_path):
    plan = plan_from(
        {
            "image": tmp_path / "images" / "gold.dm4",
            "sampling": 0.12,
            "frame": "mean",
            "intensity": {"detector_map": tmp_path / "map.dm4"},
            "fit": {"peak": "lorentzian"},
            "output": tmp_path / "out",
        }
    )
    save_plan(plan, tmp_path / "plan.yaml")
    assert load_plan(tmp_path / "plan.yaml") == plan


def test_paths_in_a_plan_file_are_relative_to_it_with_forward_slashes(tmp_path):
    save_plan(QuantifyPlan(image=tmp_path / "images" / "gold.dm4"), tmp_path / "plan.yaml")
    assert "image: images/gold.dm4" in (tmp_path / "plan.yaml").read_text()


def test_settings_do_not_depend_on_where_files_lie():
    one = QuantifyPlan(image=Path("a/gold.dm4"), output=Path("x"), sampling=0.1)
    other = QuantifyPlan(image=Path("b/gold.dm4"), output=Path("y"), sampling=0.1)
    assert one.settings() == other.settings()
    assert one.settings() != other.model_copy(update={"sampling": 0.2}).settings()


def test_a_plan_for_another_process_has_absolute_paths():
    plan = plan_from({"image": "a.dm4", "output": "x", "intensity": {"detector_map": "m.dm4"}})
    sent = plan.with_absolute_paths()
    assert sent.settings() == plan.settings()
    for path in (sent.image, sent.output, sent.intensity.detector_map):
        assert path.is_absolute()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "image"),
        ({"image": "a", "samplin": 1}, "did you mean 'sampling'"),
        ({"image": "a", "fit": {"peek": "gaussian"}}, "unknown key 'fit.peek'; did you mean"),
        ({"image": "a", "fit": {"zzz": 1}}, "known keys: peak, width, background, noise"),
        ({"image": "a", "sampling": -1}, "greater than 0 or 'pixel'"),
        ({"image": "a", "sampling": float("nan")}, "sampling"),
        ({"image": "a", "frame": -1}, "'mean'"),
        ({"image": "a", "intensity": {"vacuum": 1, "detector": 1}}, "two different values"),
        ({"image": "a", "intensity": {"counts": True, "vacuum": 0, "detector": 1}}, "leave out"),
        ({"image": "a", "fit": {"noise": "counts"}}, "--counts, --electrons-per-unit"),
        ({"image": "a", "unit_cell": {"a": 3, "b": 3, "sites": []}}, "at least 1 item"),
        ({"image": "a", "unit_cell": {**CELL, "angle_deg": 180}}, "less than 180"),
        ({"image": "a", "sampling": "pixel", "unit_cell": CELL}, "unit cell needs lengths in Å"),
    ],
)
def test_wrong_plans_say_what_is_wrong(settings, said):
    with pytest.raises(PlanError, match=said):
        plan_from(settings)


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2", "just words", ""])
def test_files_that_are_no_plan(tmp_path, text):
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(PlanError, match=r"plan\.yaml"):
        load_plan(tmp_path / "plan.yaml")


def test_every_setting_is_described():
    for part in [QuantifyPlan, *PlanPart.__subclasses__()]:
        for name, setting in part.model_fields.items():
            assert setting.description, f"{part.__name__}.{name}"


def test_a_unit_cell_is_part_of_the_plan_and_types_the_columns():
    plan = QuantifyPlan.model_validate({"image": "sto.ser", "unit_cell": CELL})
    assert plan.unit_cell.angle_deg == 90
    assert plan.unit_cell.sites[1] == ("Ti", 0.5, 0.5)


def test_plans_from_before_networks_still_hold(tmp_path):
    (tmp_path / "plan.yaml").write_text(
        "image: gold.tif\nfind:\n  sensitivity: 1.0\nprovenance:\n  versions: {crewe: 0.1.0}\n"
        "  image_sha256: abc\n"
    )
    plan = load_plan(tmp_path / "plan.yaml")
    assert plan.networks == {}
    assert plan.settings() == QuantifyPlan(image=Path("gold.tif")).settings()


def test_networks_are_names_or_paths_that_move_with_the_plan(tmp_path):
    plan = plan_from(
        {
            "image": tmp_path / "gold.tif",
            "restore": "hrstem",
            "find": {"by": str(tmp_path / "nets" / "own.onnx")},
        }
    )
    save_plan(plan, tmp_path / "plan.yaml")
    text = (tmp_path / "plan.yaml").read_text()
    assert "by: nets/own.onnx" in text
    assert "restore: hrstem" in text
    assert load_plan(tmp_path / "plan.yaml") == plan
    assert plan.settings().networks == {"restore": "hrstem", "find": "own.onnx"}
    assert plan_from({"image": "a.tif", "find": {"by": "network"}}).networks == {
        "find": "gaussian-mask"
    }


def test_a_wrong_key_deep_inside_is_named_with_the_nearest_right_one():
    cell = {**CELL, "edge": 3.9}
    with pytest.raises(PlanError, match=r"unknown key 'unit_cell\.edge'; known keys: a, b"):
        plan_from({"image": "a", "unit_cell": cell})
    with pytest.raises(PlanError, match=r"unknown key 'lattice\.cells\.0\.edge'; known keys: a, b"):
        plan_from({"image": "a", "lattice": {"cells": [cell]}})
