import base64
import re

import numpy as np
import pandas as pd
import pytest
from fuse_data import QUICK, measured, write_field

from crewe.workflows.fuse import run_fusion
from crewe.workflows.fuse_plan import fuse_plan
from crewe.workflows.fuse_report import facts_of, figures_of, page_of, tables_of, write_report


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fused")
    chosen = {key: value for key, value in QUICK.items() if key != "strength"}
    plan = fuse_plan({**write_field(folder, measured()), **chosen, "repeats": 3})
    return run_fusion(plan)


PROVENANCE = {"plan": {"seed": 0}, "sha256": {"haadf": "ab12"}, "versions": {"crewe": "0"}}


def test_the_page_opens_alone_and_shows_every_picture(result):
    page = (result.plan.output / "report.html").read_text("utf-8")
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    pictures = re.findall(r"data:image/png;base64,([^\"]+)", page)
    assert len(pictures) == len(list(figures_of(result))) == 6
    assert all(base64.b64decode(one).startswith(b"\x89PNG") for one in pictures)
    for words in ("What was tried", "Phases", "Provenance", "SHA-256 of haadf", "crewe rerun"):
        assert words in page


def test_the_table_of_what_was_tried_begins_with_the_best(result):
    tried = pd.read_csv(result.plan.output / "tried.csv")
    assert set(tried.columns) >= {"prior", "strength", "gamma", "prediction_error"}
    assert tried["prediction_error"].is_monotonic_increasing
    assert result.chosen.strength in tried["strength"].to_list()
    page = (result.plan.output / "report.html").read_text("utf-8")
    assert "error above the best (‰)" in page
    assert "<td>0.00</td>" in page
    second = 1000 * (tried["prediction_error"][1] / tried["prediction_error"][0] - 1)
    assert f"<td>{second:.2f}</td>" in page
    history = pd.read_csv(result.plan.output / "convergence.csv")
    assert (np.diff(history["total"]) <= 0).all()


def test_key_figures_are_told_in_words(result):
    facts = facts_of(result)
    assert facts["elements"] == "Co, S, O"
    assert facts["pixels"] == "48 × 48"
    assert re.match(r"Co [\d.]+ %, S [\d.]+ %, O [\d.]+ %$", facts["share of HAADF"])
    assert facts["mean"].endswith("counts")
    assert "counts per unit" not in facts
    assert "fused in" not in facts
    assert "mean standard error" in facts


def test_settings_are_told_as_they_are_given(result):
    settings = {"maps": {"Co": "co.tif", "S": "s.tif"}, "align": True, "elements": ["Co", "O"]}
    page = page_of(result, {**PROVENANCE, "plan": settings}, {})
    for words in ("Co=co.tif, S=s.tif", "<td>yes</td>", "<td>Co, O</td>"):
        assert words in page
    assert "{" not in page.split("Provenance")[1]


def test_what_comes_from_files_cannot_be_markup(result):
    plan = result.plan.model_copy(update={"haadf": result.plan.haadf.with_name("<b>&.tif")})
    summary = {**result.summary, "warnings": ["<script>"], "parts": 4, "frames": 2}
    changed = type(result)(plan, result.chosen, result.maps, result.shown, summary)
    page = page_of(changed, PROVENANCE, {})
    assert "<script>" not in page
    assert "&lt;b&gt;&amp;.tif" in page
    assert "2 frames of 48 × 48" in page
    assert "4 parts" in page


def test_a_single_element_has_neither_overlay_nor_fractions(tmp_path):
    settings = write_field(tmp_path, measured())
    settings["maps"] = {"Co": settings["maps"]["Co"]}
    plan = fuse_plan({**settings, **QUICK, "standard_error": "none"})
    single = run_fusion(plan)
    assert [name for name, _ in figures_of(single)] == ["maps", "convergence"]
    assert list(tables_of(single)) == ["phases"]


def test_an_old_report_is_replaced_when_told(result):
    page = result.plan.output / "report.html"
    page.write_text("old")
    write_report(result, PROVENANCE, overwrite=True)
    assert "ab12" in page.read_text("utf-8")
