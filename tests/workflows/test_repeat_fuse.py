import shutil

import numpy as np
import pytest
import yaml
from fuse_data import ELEMENTS, QUICK, measured, write_field, write_stack

from crewe import io
from crewe.errors import PlanError, ReadError, WriteError
from crewe.workflows import rerun
from crewe.workflows.fuse import run_fusion
from crewe.workflows.fuse_plan import fuse_plan


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A folder with inputs and a result."""
    folder = tmp_path_factory.mktemp("fused")
    run_fusion(fuse_plan({**write_field(folder / "in", measured()), **QUICK, "repeats": 3}))
    return folder


@pytest.fixture
def result(once, tmp_path):
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "in" / "fused"


def change_note(result, **changes):
    note = yaml.safe_load((result / "fusion.yaml").read_text("utf-8")) | changes
    kept = {key: value for key, value in note.items() if value is not None}
    (result / "fusion.yaml").write_text(yaml.safe_dump(kept))


def test_maps_and_errors_come_out_the_same_bit_for_bit(result):
    for given in (result, result / "fusion.yaml"):
        found = rerun(given)
        assert found.identical
        names = {*ELEMENTS, *(f"{name}_standard_error" for name in ELEMENTS)}
        assert found.of_each == dict.fromkeys(names, 0)


def test_a_stack_is_repeated_frame_by_frame(tmp_path):
    settings = write_stack(tmp_path, [measured(seed=seed) for seed in range(2)])
    run_fusion(fuse_plan({**settings, **QUICK, "standard_error": "none"}))
    before = sorted(tmp_path.rglob("*"))
    assert rerun(tmp_path / "fused").identical
    assert sorted(tmp_path.rglob("*")) == before


def test_other_settings_come_out_different(result):
    note = yaml.safe_load((result / "fusion.yaml").read_text("utf-8"))
    change_note(result, plan={**note["plan"], "strength": 6.0})
    found = rerun(result)
    assert not found.equal
    assert found.of_each["Co"] > 1e-3


def test_inputs_may_have_moved_together(result, tmp_path):
    shutil.copytree(tmp_path / "in", tmp_path / "moved")
    shutil.move(result, tmp_path / "elsewhere")
    for element in ELEMENTS:
        (tmp_path / "in" / f"map_{element}.tif").unlink()
    with pytest.raises(ReadError, match=r"map_Co.tif is no longer there"):
        rerun(tmp_path / "elsewhere", image=tmp_path / "in" / "haadf.tif")
    assert rerun(tmp_path / "elsewhere", image=tmp_path / "moved" / "haadf.tif").identical


def test_another_map_is_refused_by_its_checksum(result):
    path = result.parent / "map_S.tif"
    io.write(path, io.read(path) + np.uint16(1), overwrite=True)
    with pytest.raises(ReadError, match=r"map_S.tif has changed since"):
        rerun(result)


def test_an_output_keeps_the_new_result(result, tmp_path):
    assert rerun(result, output=tmp_path / "again").identical
    assert (tmp_path / "again" / "report.html").exists()
    with pytest.raises(WriteError, match="--overwrite"):
        rerun(result, output=tmp_path / "again")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"plan": None}, "says no 'plan'"),
        ({"plan": {"haadf": "haadf.tif"}}, "says no 'maps'"),
        ({"sha256": {}}, "says no 'haadf'"),
        ({"files": None}, "says no 'files'"),
        ({"files": ["../outside.tif"]}, "names no map"),
        ({"plan": {"haadf": "haadf.tif", "maps": {}, "gamma": 9}}, "of another version: .*gamma"),
    ],
)
def test_notes_that_cannot_be_repeated(result, changes, said):
    change_note(result, **changes)
    with pytest.raises(PlanError, match=said):
        rerun(result)


def test_a_missing_map_leaves_nothing_to_compare(result):
    (result / "O.tif").unlink()
    with pytest.raises(ReadError, match=r"O.tif is missing"):
        rerun(result)
