import json
import shutil

import pandas as pd
import pytest
import yaml

from crewe import io
from crewe.cli.main import main
from crewe.workflows.result_folder import FILES


def contents(folder):
    return {path.name for path in folder.iterdir()}


def test_one_image_becomes_a_whole_result(image, folder, capsys):
    assert main(["quantify", "gold.tif"]) == 0
    said = capsys.readouterr()
    result = folder / "gold_quantified"
    assert contents(result) == set(FILES)
    assert contents(folder) == {"gold.tif", "gold_quantified"}
    assert said.out == ""
    assert "gold.tif: 30 columns" in said.err
    table = io.read_table(result / "columns.parquet")
    assert len(table) == 30
    assert table.attrs["units"]["x"] == "Å"
    assert len(pd.read_csv(result / "columns.csv")) == 30
    assert io.read_image(result / "model.tif").shape == (72, 84)
    assert (result / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_the_report_needs_nothing_from_outside(image, folder):
    main(["quantify", "gold.tif", "-q"])
    report = (folder / "gold_quantified" / "report.html").read_text("utf-8")
    assert "http:" not in report
    assert "https:" not in report
    assert report.count("data:image/png;base64,") == 2
    assert report.count(" alt=") == 2
    assert "30 columns" in report


def test_the_plan_records_what_is_needed_to_repeat(image, folder):
    main(["quantify", "gold.tif", "-q", "--background", "constant"])
    plan = yaml.safe_load((folder / "gold_quantified" / "plan.yaml").read_text("utf-8"))
    assert plan["image"] == "../gold.tif"
    assert plan["fit"]["background"] == "constant"
    assert set(plan["provenance"]["versions"]) == {"crewe", "numpy", "scipy", "numba"}
    assert len(plan["provenance"]["image_sha256"]) == 64


def test_json_is_all_there_is_on_stdout(image, folder, capsys):
    assert main(["quantify", "gold.tif", "--json", "-q"]) == 0
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert answer["status"] == "done"
    assert answer["summary"]["columns"]["total"] == 30
    assert answer["output"] == "gold_quantified"


def test_dry_run_writes_nothing(image, folder, capsys):
    assert main(["quantify", "gold.tif", "--dry-run", "--peak", "lorentzian"]) == 0
    assert contents(folder) == {"gold.tif"}
    shown = yaml.safe_load(capsys.readouterr().out)
    assert shown["fit"]["peak"] == "lorentzian"
    (folder / "plan.yaml").write_text(yaml.safe_dump(shown))
    assert main(["quantify", "--plan", "plan.yaml", "--dry-run"]) == 0


def test_a_finished_result_is_skipped_and_another_is_not_replaced(image, folder, capsys):
    main(["quantify", "gold.tif", "-q"])
    before = (folder / "gold_quantified" / "report.html").stat().st_mtime_ns
    assert main(["quantify", "gold.tif"]) == 0
    assert "skipped" in capsys.readouterr().err
    assert (folder / "gold_quantified" / "report.html").stat().st_mtime_ns == before
    assert main(["quantify", "gold.tif", "--width", "common", "-q"]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main(["quantify", "gold.tif", "--width", "common", "-q", "--overwrite"]) == 0
    assert contents(folder) == {"gold.tif", "gold_quantified"}


def test_files_of_others_are_never_replaced(image, folder, capsys):
    precious = folder / "out" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years")
    assert main(["quantify", "gold.tif", "-o", "out", "--overwrite"]) == 1
    assert "thesis.txt" in capsys.readouterr().err
    assert precious.read_text() == "years"


@pytest.fixture
def three(image, folder):
    """Two good images around a file that is no image."""
    shutil.copy(image, folder / "a.tif")
    (folder / "b.tif").write_bytes(b"II*\0 not really a picture")
    image.rename(folder / "c.tif")
    return folder


def test_one_bad_image_does_not_stop_the_others(three, capsys):
    assert main(["quantify", "*.tif", "-o", "out", "--json"]) == 1
    said = capsys.readouterr()
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert [answer["status"] for answer in answers] == ["done", "failed", "done"]
    assert "b.tif" in answers[1]["error"]
    assert contents(three / "out") == {"a", "c"}
    assert "1 of 3 images failed" in said.err


def test_local_processes_find_the_same_as_this_one(three):
    assert main(["quantify", "a.tif", "c.tif", "-o", "here", "-q"]) == 0
    assert main(["quantify", "a.tif", "c.tif", "-o", "there", "--workers", "2", "-q"]) == 0
    for name in ("a", "c"):
        here = io.read_table(three / "here" / name / "columns.parquet")
        there = io.read_table(three / "there" / name / "columns.parquet")
        pd.testing.assert_frame_equal(here, there, rtol=1e-9)


def test_rerun_comes_to_the_same_numbers(image, folder, capsys):
    main(["quantify", "gold.tif", "-q"])
    assert main(["rerun", "gold_quantified", "-o", "again"]) == 0
    assert "equal" in capsys.readouterr().err
    assert contents(folder / "again") == set(FILES)
    # The folder as a whole may move.
    (folder / "elsewhere").mkdir()
    for name in ("gold.tif", "gold_quantified"):
        (folder / name).rename(folder / "elsewhere" / name)
    assert main(["rerun", "elsewhere/gold_quantified", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"]


def test_rerun_notices_other_numbers_and_other_files(image, folder, capsys):
    main(["quantify", "gold.tif", "-q"])
    path = folder / "gold_quantified" / "columns.parquet"
    table = io.read_table(path)
    table.loc[3, "x"] += 0.01
    io.write_table(path, table, overwrite=True)
    assert main(["rerun", "gold_quantified", "-q"]) == 1
    image.write_bytes(image.read_bytes() + b"\0")
    assert main(["rerun", "gold_quantified", "-q"]) == 1
    assert "checksum" in capsys.readouterr().err
