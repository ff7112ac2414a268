import csv
import json
import re

import numpy as np
import pytest
from emulator_data import stored_pairs

from crewe.errors import WriteError
from crewe.workflows.emulator_fit import run_emulator_fit
from crewe.workflows.emulator_plan import emulator_fit_plan
from crewe.workflows.emulator_report import check_report, figures_of

PNG = b"\x89PNG\r\n\x1a\n"


def fitted(folder, **settings):
    plan = {"pairs": folder / "pairs.npz", "repeats": 1, **settings}
    return run_emulator_fit(emulator_fit_plan(plan))


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """A folder with a report on everything that can be asked for."""
    place = tmp_path_factory.mktemp("report")
    stored_pairs(place / "pairs.npz", 4)
    more = {"select": True, "largest_terms": 12, "leave_out": True, "fit_probe": True}
    return fitted(place, report=place / "report", **more), place / "report"


def test_the_folder_holds_pictures_tables_figures_and_a_page(reported):
    _, folder = reported
    pictures = {path.stem for path in folder.glob("*.png")}
    assert pictures == {"parity", "error", "worst", "best", "selection", "leave_out"}
    assert all(path.read_bytes().startswith(PNG) for path in folder.glob("*.png"))
    tables = {path.stem for path in folder.glob("*.csv")}
    assert tables == {"images", "selection", "leave_out", "probe"}
    assert (folder / "emulator.json").is_file()


def test_the_figures_are_those_of_the_result(reported):
    result, folder = reported
    stored = json.loads((folder / "emulator.json").read_text("utf-8"))
    assert stored == json.loads(json.dumps(result.summary))
    with (folder / "images.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["pair"] for row in rows] == ["00", "01", "02", "03"]
    found = [float(row["one_minus_r2"]) for row in rows]
    np.testing.assert_allclose(found, result.validation.per_image["one_minus_r2"])


def test_the_page_opens_alone_and_names_the_figures(reported):
    result, folder = reported
    page = (folder / "report.html").read_text("utf-8")
    assert f"{result.summary['one_minus_r2']:.5f}" in page
    assert page.count("data:image/png;base64,") == 6
    assert page.count("<table>") == 5
    assert not re.search(r"(src|href)=\"(?!data:)", page)


def test_worst_and_best_are_the_extremes_of_the_table(reported):
    result, _ = reported
    table = result.validation.per_image.set_index("pair")["fractional_rms"]
    titles = {
        name: figure.get_suptitle() for name, figure in figures_of(result) if name in "worst best"
    }
    assert f"pair {table.idxmax()}," in titles["worst"]
    assert f"pair {table.idxmin()}," in titles["best"]


def test_folds_of_blocks_join_to_whole_images(tmp_path):
    stored_pairs(tmp_path / "pairs.npz", 1)
    result = fitted(tmp_path, size=3, by="block")
    figures = dict(figures_of(result))
    assert set(figures) == {"parity", "error", "worst"}
    emulated = figures["worst"].axes[2].images[0].get_array()
    # Nothing but the border of the grid is missing.
    assert np.ma.masked_invalid(emulated).mask.sum() == 44 * 48 - 42 * 46


def test_a_report_is_replaced_only_when_told(tmp_path):
    check_report(tmp_path / "new", overwrite=False)
    (tmp_path / "report.html").touch()
    with pytest.raises(WriteError, match="holds a report"):
        check_report(tmp_path, overwrite=False)
    check_report(tmp_path, overwrite=True)
    with pytest.raises(WriteError, match="is a file"):
        check_report(tmp_path / "report.html" / "deeper", overwrite=False)
