import shutil

import pytest
import yaml
from analysis_data import CELL, ELECTRONS, LIBRARY, write_crystal
from small_networks import matched_filter

from crewe.errors import PlanError
from crewe.workflows import load_plan, plan_from, rerun, run
from crewe.workflows.analyse_stored import analyse_folder
from crewe.workflows.observer import Recorder
from crewe.workflows.report_restored import stored_restoration_png
from crewe.workflows.result_folder import files_of, is_finished

SCALE = {"vacuum": 0, "detector": 1, "electrons_per_unit": ELECTRONS}
COUNT = {"count": {"library": {"scs": LIBRARY.tolist(), "name": "po.txt"}}}
LATTICE = {"lattice": {"cells": [CELL]}}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("folder")
    settings = {"image": write_crystal(place / "po.tif"), "intensity": SCALE}
    run(plan_from({**settings, "output": place / "out"}))
    return place


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "out"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_step_by_step_or_all_at_once_is_the_same(folder):
    (folder.parent / "po.tif").rename(folder.parent / "away.tif")
    analyse_folder(folder, COUNT)
    assert set(contents(folder)) == set(files_of(load_plan(folder / "plan.yaml")))
    analyse_folder(folder, {**LATTICE, "strain": {}})
    analyse_folder(folder, {"volume": {}})
    (folder.parent / "away.tif").rename(folder.parent / "po.tif")
    plan = load_plan(folder / "plan.yaml")
    run(plan.model_copy(update={"output": folder.parent / "once"}))
    once, steps = contents(folder.parent / "once"), contents(folder)
    assert set(once) == set(steps)
    for name in ("columns.csv", "strain.csv", "volume.xyz"):
        assert once[name] == steps[name]
    assert rerun(folder).identical


def test_twice_the_same_is_the_same_folder(folder):
    analyse_folder(folder, COUNT)
    first = contents(folder)
    analyse_folder(folder, COUNT)
    assert contents(folder) == first


def test_a_folder_that_holds_more_holds_what_was_asked(folder):
    asked = plan_from({"image": folder.parent / "po.tif", "intensity": SCALE, "output": folder})
    analyse_folder(folder, COUNT)
    assert is_finished(asked)
    assert is_finished(asked.model_copy(update={"count": load_plan(folder / "plan.yaml").count}))
    assert not is_finished(asked.model_copy(update=dict(plan_from({"image": "a", **LATTICE}))))


def test_a_failure_leaves_the_folder_as_it_was(folder):
    before = contents(folder)
    with pytest.raises(PlanError, match="count the atoms"):
        analyse_folder(folder, {"volume": {}})
    with pytest.raises(PlanError, match="5"):
        analyse_folder(folder, {"lattice": {"cells": [{**CELL, "a": 5.0, "b": 3.5}]}})
    assert contents(folder) == before
    assert [path.name for path in folder.parent.glob(".*")] == []


def test_a_picture_of_an_analysis_that_was_lost_is_drawn_again(folder):
    analyse_folder(folder, COUNT)
    picture = folder / "counting.png"
    drawn = picture.read_bytes()
    picture.unlink()
    analyse_folder(folder, COUNT)
    assert picture.read_bytes() == drawn


def test_another_cell_does_not_silently_replace_that_of_the_strain(folder):
    analyse_folder(folder, {**LATTICE, **COUNT, "strain": {}})
    other = {"lattice": {"cells": [{**CELL, "a": 2.81}]}}
    with pytest.raises(PlanError, match="strain against another unit cell"):
        analyse_folder(folder, {**other, "volume": {}})
    analyse_folder(folder, {**LATTICE, "volume": {}})


def test_other_software_than_that_of_the_fit_is_said_and_noted(folder):
    path = folder / "plan.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["provenance"]["versions"]["numpy"] = "1.0"
    path.write_text(yaml.safe_dump(settings))
    listener = Recorder()
    analyse_folder(folder, COUNT, listener)
    assert any("made with 1.0" in text for _, text in listener.heard)
    assert set(load_plan(path).provenance.analysed_with) == {"numpy"}
    assert listener.heard[-1][1].startswith("The data decide the count of 64 of 64 columns.")


def test_a_restored_result_keeps_what_its_image_alone_could_make(tmp_path):
    pytest.importorskip("onnxruntime")
    matched_filter(tmp_path / "smooth.onnx", output="intensity", task="restoration")
    settings = {"image": write_crystal(tmp_path / "po.tif"), "output": tmp_path / "out"}
    run(plan_from({**settings, "intensity": SCALE, "restore": str(tmp_path / "smooth.onnx")}))
    folder = tmp_path / "out"
    before = contents(folder)
    (tmp_path / "po.tif").rename(tmp_path / "away.tif")
    analyse_folder(folder, LATTICE)
    after = contents(folder)
    assert after["restored.tif"] == before["restored.tif"]
    assert after["trust.tif"] == before["trust.tif"]
    picture = stored_restoration_png(folder / "report.html")
    assert picture.startswith(b"\x89PNG")
    report = after["report.html"].decode()
    assert "The restored image" in report
    assert "Lattice" in report
    (tmp_path / "away.tif").rename(tmp_path / "po.tif")
    assert rerun(folder).identical
