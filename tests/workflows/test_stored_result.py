import json
import shutil

import numpy as np
import pytest
import yaml
from analysis_data import CELL, ELECTRONS, LIBRARY, write_crystal

from crewe import io
from crewe.errors import PlanError, ReadError
from crewe.workflows import plan_from, run
from crewe.workflows.stored_result import load_result, unanalysed

SCALE = {"vacuum": 0, "detector": 1, "electrons_per_unit": ELECTRONS}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("stored")
    settings = {"image": write_crystal(place / "po.tif"), "intensity": SCALE}
    return run(plan_from({**settings, "output": place / "out"})), place / "out"


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made[1], tmp_path / "out")
    return tmp_path / "out"


def test_a_result_is_read_as_it_was_written(made, folder):
    result, stored = made[0], load_result(folder)
    assert stored.fit.columns.equals(result.fit.columns)
    assert stored.summary == json.loads(json.dumps(result.summary))
    assert np.allclose(stored.image.values, result.image.values, atol=1e-12)
    away = np.abs(stored.fit.background.values - result.fit.background.values)
    # a pixel on the rim of a peak, at four widths, may fall to either side of it
    assert np.quantile(away, 0.99) < 1e-12
    assert away.max() < 2 * np.exp(-8) * result.fit.columns["height"].max()
    assert stored.plan.settings() == result.plan.settings()


def test_analyses_and_their_warnings_are_taken_off_again(made, tmp_path):
    plain = made[0]
    box = [[0, 0], [12, 0], [12, 30], [0, 30]]
    parts = {"count": {"library": {"scs": (1.4 * LIBRARY).tolist()}}, "region": {"polygon": box}}
    settings = {"image": plain.plan.image, "intensity": SCALE, "lattice": {"cells": [CELL]}}
    asked = run(plan_from({**settings, **parts, "output": tmp_path / "asked"}))
    assert asked.summary["warnings"] != plain.summary["warnings"]
    stored = load_result(tmp_path / "asked")
    assert stored.fit.columns.equals(plain.fit.columns)
    assert stored.summary == json.loads(json.dumps(plain.summary))


def test_names_of_a_unit_cell_survive_those_of_a_lattice(made):
    sites = [["Sr", 0, 0], ["Ti", 0.5, 0.5]]
    plan = plan_from({"image": "a.tif", "unit_cell": {"a": 3.9, "b": 3.9, "sites": sites}})
    table = made[0].fit.columns.iloc[:3].assign(type=[1, -1, 0], site_name=["x", "x", "x"])
    assert unanalysed(table, plan)["site_name"].tolist() == ["Ti", "", "Sr"]


def drop_rows(folder):
    table = io.read_table(folder / "columns.parquet")
    io.write_table(folder / "columns.parquet", table.iloc[:-2], overwrite=True)


def crop_model(folder):
    image = io.read_image(folder / "model.tif")
    io.write(folder / "model.tif", image[:-3], overwrite=True)


def break_summary(folder):
    (folder / "summary.json").write_text("{}")


def lose_residual(folder):
    (folder / "residual.tif").unlink()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (drop_rows, "62 columns where the summary tells of 64"),
        (crop_model, r"the shape \(117, 124\)"),
        (break_summary, "damaged"),
        (lose_residual, r"lacks residual\.tif"),
    ],
)
def test_a_damaged_result_is_refused(folder, harm, said):
    harm(folder)
    with pytest.raises(ReadError, match=said):
        load_result(folder)


def test_what_is_no_result_is_refused(tmp_path, folder):
    with pytest.raises(PlanError, match="does not exist"):
        load_result(tmp_path / "nowhere")
    with pytest.raises(PlanError, match="is a file"):
        load_result(folder / "plan.yaml")
    with pytest.raises(PlanError, match=r"no plan\.yaml"):
        load_result(tmp_path)
    settings = yaml.safe_load((folder / "plan.yaml").read_text())
    del settings["provenance"]
    (folder / "plan.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(PlanError, match="no result"):
        load_result(folder)
