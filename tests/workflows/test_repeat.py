import numpy as np
import pytest

from crewe.errors import PlanError
from crewe.workflows.phase import run_phase
from crewe.workflows.phase_plan import phase_plan
from crewe.workflows.repeat import KINDS, find_note, rerun


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("plan.yaml", "crewe quantify"),
        ("phase.yaml", "crewe phase"),
        ("gold_restored.yaml", "crewe restore"),
        ("fusion.yaml", "crewe fuse"),
    ],
)
def test_a_result_is_known_by_its_note_or_the_folder_of_it(name, command, tmp_path):
    (tmp_path / name).touch()
    for given in (tmp_path, tmp_path / name):
        kind, note = find_note(given)
        assert (kind.command, note) == (command, tmp_path / name)


def test_another_kind_of_folder_or_file_is_told_what_to_give(tmp_path):
    (tmp_path / "columns.csv").touch()
    (tmp_path / "gold_restored.tif").touch()
    for given in (tmp_path, tmp_path / "gold_restored.tif"):
        with pytest.raises(PlanError, match="is no result of") as caught:
            rerun(given)
        for kind in KINDS:
            assert kind.command in str(caught.value)
            assert kind.note in str(caught.value)
    with pytest.raises(PlanError, match=r"gone does not exist"):
        rerun(tmp_path / "gone")


def test_a_folder_of_several_results_is_asked_for_one(tmp_path):
    for name in ("a_restored.yaml", "b_restored.yaml", "phase.yaml"):
        (tmp_path / name).touch()
    with pytest.raises(PlanError, match=r"holds 3 results: give the note of one"):
        find_note(tmp_path)
    assert find_note(tmp_path / "b_restored.yaml")[0].command == "crewe restore"


def test_nothing_is_written_unless_an_output_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("even.npy", np.ones((6, 7, 16, 16), np.uint8))
    plan = phase_plan({"data": "even.npy", "methods": ("total",), "output": tmp_path / "out"})
    run_phase(plan)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert rerun(tmp_path / "out").identical
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
