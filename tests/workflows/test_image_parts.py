"""Backgrounds that are taken off, and weak columns that are added, in a quantification."""

import numpy as np
import pytest
from analysis_data import ELECTRONS, crystal

from crewe import io
from crewe.workflows import plan_from, rerun, run
from crewe.workflows.analyse_stored import analyse_folder
from crewe.workflows.stored_result import load_result
from crewe.workflows.weak_columns import PRESENCE

SCALE = {"vacuum": 0, "detector": 1, "electrons_per_unit": ELECTRONS}


def quantified(tmp_path, image, **parts):
    tmp_path.mkdir(exist_ok=True)
    io.write(tmp_path / "po.tif", image)
    settings = {"image": tmp_path / "po.tif", "intensity": SCALE, "output": tmp_path / "out"}
    return run(plan_from({**settings, **parts}))


def test_a_wedge_below_the_columns_is_taken_off(tmp_path):
    image = crystal()
    y, x = np.mgrid[: image.sizes["y"], : image.sizes["x"]]
    bent = image + 0.2 * (x / 124) ** 2 + 0.1 * (y / 120)
    clear = quantified(tmp_path, image).fit.columns["scs"].to_numpy()
    cleaned = quantified(tmp_path / "b", bent, remove_background={})
    assert cleaned.fit.summary["noise"] == "auto"
    assert cleaned.fit.summary["background"] == "constant"
    away = np.abs(cleaned.fit.columns["scs"].to_numpy() / clear - 1)
    assert np.median(away) < 0.02
    again = run(plan_from({"image": tmp_path / "b" / "po.tif", "intensity": SCALE}))
    assert (
        np.median(away) < np.median(np.abs(again.fit.columns["scs"].to_numpy() / clear - 1)) + 1e-3
    )
    assert rerun(tmp_path / "b" / "out").identical


@pytest.fixture(scope="module")
def weak(tmp_path_factory):
    """A crystal with one faint column between the others, looked for."""
    image = crystal(electrons=2e4)
    y, x = np.mgrid[:120, :124] * 0.2
    faint = 0.012 * np.exp(-((x - 10.4 - 1.4) ** 2 + (y - 10.4 - 1.4) ** 2) / (2 * 0.45**2))
    place = tmp_path_factory.mktemp("weak")
    return quantified(place, image + faint, weak_columns={"most": 5}), place / "out"


def test_a_faint_column_is_added_with_the_probability_that_it_is_there(weak):
    columns = weak[0].fit.columns
    assert len(columns) == 65
    added = columns[columns[PRESENCE].notna()]
    assert len(added) == 1
    assert np.hypot(added["x"] - 11.8, added["y"] - 11.8).item() < 0.3
    assert added[PRESENCE].item() > 0.95
    assert weak[0].summary["weak_columns"]["n_added"] == 1
    report = (weak[1] / "report.html").read_text("utf-8")
    assert weak[0].summary["weak_columns"]["verdict"] in report


def test_weak_columns_come_out_the_same_again_and_can_be_asked_more(weak):
    assert rerun(weak[1]).identical
    assert load_result(weak[1]).fit.columns[PRESENCE].notna().sum() == 1
    box = {"polygon": [[0, 0], [30, 0], [30, 11], [0, 11]]}
    analyse_folder(weak[1], {"region": box})
    table = io.read_table(weak[1] / "columns.parquet")
    assert (table["flag"].str.contains("outside") == (table["y"] > 11)).all()
    assert table[PRESENCE].notna().sum() == 1
