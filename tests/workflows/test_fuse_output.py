from pathlib import Path

import pytest
from fuse_data import measured, write_field

from crewe.errors import PlanError, ReadError, WriteError
from crewe.workflows.fuse_output import (
    check_files,
    check_fuse_output,
    map_files,
    maps_only,
    noted_maps,
    provenance_of,
    read_fuse_note,
    write_maps,
    write_note,
)
from crewe.workflows.fuse_plan import FusePlan


@pytest.fixture
def plan(tmp_path):
    return FusePlan(haadf=tmp_path / "haadf.tif", output=tmp_path / "out")


def test_files_have_the_names_of_elements(plan):
    names = map_files(plan, ["Co"])
    assert {path.name for path in names.values()} == {"Co.tif", "Co_standard_error.tif"}
    assert maps_only(names) == ["Co"]
    assert list(map_files(plan.model_copy(update={"standard_error": "none"}), ["Co"])) == ["Co"]


def test_a_note_vouches_for_files_of_its_own_folder_only(tmp_path):
    note = {"files": ["Co.tif", "../S.tif", "/etc/O.tif", 3]}
    assert noted_maps(tmp_path, note) == {"Co": tmp_path / "Co.tif"}
    assert noted_maps(tmp_path, {"files": "Co.tif"}) == noted_maps(tmp_path, {}) == {}


@pytest.mark.parametrize("text", ["- 1", "a: [", "\x00"])
def test_a_damaged_note_is_none(tmp_path, text):
    assert read_fuse_note(tmp_path) is None
    (tmp_path / "fusion.yaml").write_text(text)
    assert read_fuse_note(tmp_path) is None


def test_what_must_not_be_replaced_is_told_before_the_work(plan, tmp_path):
    check_fuse_output(plan, False)
    check_files(plan, ["Co"], False)
    plan.output.mkdir()
    (plan.output / "Co.tif").touch()
    with pytest.raises(WriteError, match=r"Co.tif exists"):
        check_files(plan, ["Co"], False)
    check_files(plan, ["Co"], True)
    plan.note.touch()
    with pytest.raises(WriteError, match="other settings"):
        check_fuse_output(plan, False)
    own = plan.model_copy(update={"haadf": plan.output / "sub" / ".." / "Co.tif"})
    with pytest.raises(PlanError, match="is an input"):
        check_files(own, ["Co"], True)


def test_maps_of_a_replaced_note_are_removed(plan):
    made = measured()
    maps = {name: made.maps.sel(element=name, drop=True) for name in ("Co", "S")}
    few = plan.model_copy(update={"standard_error": "none"})
    write_maps(few, maps, {"files": []}, False)
    write_note(few, {"files": ["Co.tif", "S.tif"]}, False)
    write_maps(few, {"Co": maps["Co"]}, {}, True)
    assert {path.name for path in plan.output.iterdir()} == {"Co.tif"}


def test_checksums_are_those_of_every_input(tmp_path):
    settings = write_field(tmp_path, measured())
    plan = FusePlan(**settings)
    first = provenance_of(plan)
    assert set(first["sha256"]) == {"haadf", "Co", "S", "O"}
    settings["maps"]["Co"].write_bytes(b"other")
    second = provenance_of(plan)
    assert [
        name for name in first["sha256"] if first["sha256"][name] != second["sha256"][name]
    ] == ["Co"]
    with pytest.raises(ReadError, match="does not exist"):
        provenance_of(plan.model_copy(update={"haadf": Path("gone.tif")}))
