from pathlib import Path

import pytest

from crewe.errors import PlanError, WriteError
from crewe.workflows.fuse_plan import FusePlan, fuse_plan, load_fuse_plan, save_fuse_plan


def test_a_plan_comes_back_from_its_file(tmp_path):
    places = {"Co": tmp_path / "maps" / "co.tif", "S": tmp_path / "s.tif"}
    plan = FusePlan(haadf=tmp_path / "haadf.dm4", maps=places, strength=2.0, output=tmp_path / "o")
    save_fuse_plan(plan, tmp_path / "plan.yaml")
    assert load_fuse_plan(tmp_path / "plan.yaml") == plan
    said = (tmp_path / "plan.yaml").read_text("utf-8")
    assert "Co: maps/co.tif" in said
    assert str(tmp_path) not in said
    with pytest.raises(WriteError, match="exists"):
        save_fuse_plan(plan, tmp_path / "plan.yaml")


def test_a_plan_file_may_move_with_its_inputs(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "plan.yaml").write_text("haadf: ../a.tif\nmaps: {Co: co.tif}\n")
    plan = load_fuse_plan(tmp_path / "there" / "plan.yaml")
    assert plan.haadf == tmp_path / "a.tif"
    assert plan.maps == {"Co": tmp_path / "there" / "co.tif"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "haadf: Field required"),
        ({"strenght": 1.0}, "strenght"),
        ({"maps": {"Kryptonite": "a.tif"}}, "'Kryptonite' is no element"),
        ({"maps": {"X": "a.tif"}}, "'X' is no element"),
        ({"elements": ("Co", "Co")}, "named twice"),
        ({"elements": ("Co",), "maps": {"S": "s.tif"}}, "leave them out"),
        ({"strength": -1.0}, "strength"),
        ({"gamma": 9.0}, "gamma"),
        ({"prior": "hope"}, "composition"),
        ({"repeats": 2}, "repeats"),
        ({"lines": {"Co": "Ka"}, "maps": {"S": "s.tif"}}, "leave them out"),
        ({"sensitivity": {"Co": 0.0}}, "sensitivity"),
        ({"tile_px": 64, "overlap_px": 64}, "--tile 65 at least, better 256"),
        ({"maps": {"Co": "a.tif"}, "sensitivity": {"Co": 2.0, "S": 1.0}}, "there is no map of it"),
        ({"elements": ("Co",), "sensitivity": {"S": 1.0}}, "the maps are of Co"),
        ({"maps": {"co": "a.tif", "Co": "b.tif"}}, "named twice"),
        ({"format": "bmp"}, "format"),
    ],
)
def test_mistakes_are_named(settings, words):
    given = {"haadf": "a.tif", **settings} if settings else {}
    with pytest.raises(PlanError, match="cannot be fused") as caught:
        fuse_plan(given)
    assert words in str(caught.value)


def test_symbols_are_put_right():
    plan = fuse_plan({"haadf": "a.tif", "maps": {"co": "co.tif"}, "sensitivity": {"CO": 2}})
    assert (list(plan.maps), plan.sensitivity) == (["Co"], {"Co": 2.0})
    assert fuse_plan({"haadf": "a.emd", "elements": ["co", " o"]}).elements == ("Co", "O")


def test_what_decides_the_numbers_holds_no_places():
    maps = {"Co": Path("/here/co.tif")}
    plan = FusePlan(haadf=Path("/here/a.tif"), maps=maps, output=Path("/there"))
    settings = plan.settings()
    assert settings["haadf"] == "a.tif"
    assert settings["maps"] == {"Co": "co.tif"}
    assert "output" not in settings
    assert fuse_plan({**settings, "output": "/there"}).settings() == settings


def test_a_plan_file_of_something_else_is_told(tmp_path):
    (tmp_path / "plan.yaml").write_text("image: a.tif\n")
    with pytest.raises(PlanError, match=r"plan.yaml: this cannot be fused.*image"):
        load_fuse_plan(tmp_path / "plan.yaml")
    with pytest.raises(PlanError, match="cannot be read"):
        load_fuse_plan(tmp_path / "none.yaml")


def test_priors_and_likelihoods_are_those_of_the_method():
    from typing import get_args

    from crewe.chemistry.fusion import LIKELIHOODS, PRIORS
    from crewe.workflows.fuse_plan import Likelihood, Prior

    assert get_args(Prior) == PRIORS
    assert get_args(Likelihood) == LIKELIHOODS
