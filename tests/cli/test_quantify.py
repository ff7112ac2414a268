import json
import shutil

import pandas as pd
import pytest
import yaml
from small_networks import matched_filter

from crewe import io
from crewe.cli.main import main
from crewe.workflows.repeat import compare
from crewe.workflows.result_folder import FILES, RESTORED_FILES


def contents(folder):
    return {path.name for path in folder.iterdir()}


def test_one_image_becomes_a_whole_result(result, folder):
    assert contents(result) == set(FILES)
    assert contents(folder) == {"gold.tif", "gold_quantified"}
    table = io.read_table(result / "columns.parquet")
    assert len(table) == 30
    assert table.attrs["units"]["x"] == "Å"
    assert len(pd.read_csv(result / "columns.csv")) == 30
    assert io.read_image(result / "model.tif").shape == (72, 84)
    assert (result / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_json_on_stdout_and_progress_on_stderr(made_once):
    _, done = made_once
    answer = json.loads(done.stdout)
    assert answer["status"] == "done"
    assert answer["summary"]["columns"]["total"] == 30
    assert answer["output"] == "gold_quantified"
    assert "gold.tif: finding columns" in done.stderr
    assert "gold.tif: 30 columns" in done.stderr


def test_the_report_needs_nothing_from_outside(result):
    report = (result / "report.html").read_text("utf-8")
    assert "http:" not in report
    assert "https:" not in report
    assert report.count("data:image/png;base64,") == 2
    assert report.count(" alt=") == 2
    assert "30 columns" in report


def test_the_plan_records_what_is_needed_to_repeat(result):
    plan = yaml.safe_load((result / "plan.yaml").read_text("utf-8"))
    assert plan["image"] == "../gold.tif"
    assert plan["fit"]["peak"] == "gaussian"
    assert set(plan["provenance"]["versions"]) == {
        "crewe",
        "python",
        "numpy",
        "scipy",
        "numba",
        "rosettasciio",
    }
    assert len(plan["provenance"]["image_sha256"]) == 64


def test_dry_run_writes_nothing(image, folder, capsys):
    assert main(["quantify", "gold.tif", "--dry-run", "--peak", "lorentzian"]) == 0
    assert contents(folder) == {"gold.tif"}
    shown = yaml.safe_load(capsys.readouterr().out)
    assert shown["fit"]["peak"] == "lorentzian"
    (folder / "plan.yaml").write_text(yaml.safe_dump(shown))
    assert main(["quantify", "--plan", "plan.yaml", "--dry-run"]) == 0


def test_a_finished_result_is_skipped_and_another_is_not_replaced(result, folder, capsys):
    before = (result / "report.html").stat().st_mtime_ns
    assert main(["quantify", "gold.tif"]) == 0
    assert "skipped" in capsys.readouterr().err
    assert (result / "report.html").stat().st_mtime_ns == before
    assert main(["quantify", "gold.tif", "--background", "constant", "-q"]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main(["quantify", "gold.tif", "--background", "constant", "-q", "--overwrite"]) == 0
    assert contents(folder) == {"gold.tif", "gold_quantified"}


def test_files_of_others_are_never_replaced(image, folder, capsys):
    precious = folder / "out" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years")
    assert main(["quantify", "gold.tif", "-o", "out", "--overwrite"]) == 1
    assert "thesis.txt" in capsys.readouterr().err
    assert precious.read_text() == "years"


def test_restored_and_found_by_networks_from_the_command_line(image, folder, capsys):
    pytest.importorskip("onnxruntime")
    matched_filter(folder / "blobs.onnx")
    matched_filter(folder / "smooth.onnx", output="intensity", task="restoration")
    command = ["quantify", "gold.tif", "--restore", "smooth.onnx", "--find", "blobs.onnx"]
    assert main([*command, "--dry-run"]) == 0
    assert "restored.tif" in capsys.readouterr().out
    assert main([*command, "--json", "-o", "out"]) == 0
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert answer["summary"]["columns"]["total"] == 30
    assert answer["summary"]["restoration"]["model"] == "smooth"
    assert "gold.tif: restoring" in said.err
    assert "gold.tif: mapping atoms" in said.err
    assert contents(folder / "out") == {*FILES, *RESTORED_FILES}
    assert main([*command, "-o", "out"]) == 0
    assert "skipped" in capsys.readouterr().err
    assert main(["quantify", "gold.tif", "--find", "no-such", "--dry-run"]) == 2
    assert "no-such" in capsys.readouterr().err


@pytest.fixture
def three(image, folder):
    """Two good images around a file that is no image."""
    shutil.copy(image, folder / "a.tif")
    (folder / "b.tif").write_bytes(b"II*\0 not really a picture")
    image.rename(folder / "c.tif")
    return folder


def test_processes_find_the_same_and_a_bad_image_stops_no_other(three, capsys):
    told = []
    for how in (["-o", "here"], ["-o", "there", "--workers", "2"]):
        assert main(["quantify", "*.tif", "--json", "-q", *how]) == 1
        said = capsys.readouterr()
        answers = [json.loads(line) for line in said.out.splitlines()]
        assert [answer["status"] for answer in answers] == ["done", "failed", "done"]
        assert "b.tif" in answers[1]["error"]
        assert contents(three / how[1]) == {"a", "c"}
        assert "1 of 3 images failed" in said.err
        told.append(sorted(said.err.splitlines()))
    assert told[0] == told[1]
    here = io.read_table(three / "here" / "a" / "columns.parquet")
    there = io.read_table(three / "there" / "a" / "columns.parquet")
    assert compare(here, there).equal


def test_rerun_comes_to_the_same_numbers_even_where_the_folder_has_moved(result, folder, capsys):
    (folder / "elsewhere").mkdir()
    for name in ("gold.tif", "gold_quantified"):
        (folder / name).rename(folder / "elsewhere" / name)
    command = ["rerun", "elsewhere/gold_quantified", "-o", "again", "--json", "-q"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["equal"]
    assert contents(folder / "again") == set(FILES)


def test_rerun_of_a_result_that_recorded_fewer_versions(result, capsys):
    plan = yaml.safe_load((result / "plan.yaml").read_text("utf-8"))
    for name in ("python", "rosettasciio"):
        del plan["provenance"]["versions"][name]
    plan["provenance"]["versions"]["numpy"] = "1.0"
    (result / "plan.yaml").write_text(yaml.safe_dump(plan))
    assert main(["rerun", "gold_quantified", "-q"]) == 0
    said = capsys.readouterr().err
    assert "the result was made with 1.0" in said
    assert "None" not in said


def test_rerun_notices_other_numbers_and_another_image(result, folder, capsys):
    path = result / "columns.parquet"
    table = io.read_table(path)
    table.loc[3, "x"] += 0.01
    io.write_table(path, table, overwrite=True)
    assert main(["rerun", "gold_quantified", "-q"]) == 1
    assert "different" in capsys.readouterr().err
    (folder / "gold.tif").write_bytes((folder / "gold.tif").read_bytes() + b"\0")
    assert main(["rerun", "gold_quantified", "-q"]) == 1
    assert "checksum" in capsys.readouterr().err


def test_one_command_asks_for_all_that_a_perovskite_tells(folder, capsys):
    (folder / "cell.txt").write_text(
        "length_a: 3.9\nlength_b: 3.9\nangle_ab: 90\nSr 0 0\nTi 0.5 0.5\nO 0.5 0\nO 0 0.5\n"
    )
    shutil.copy(folder / "cell.txt", folder / "image.tif")
    cell = ["--cell", "cell.txt", "--sites", "Sr,Ti", "--lattices", "2", "--shift", "Ti:Sr"]
    command = ["quantify", "image.tif", *cell, "--type", "Sr", "--least-count", "3", "--dry-run"]
    assert main(command) == 0
    plan = yaml.safe_load(capsys.readouterr().out)
    assert [name for name, _, _ in plan["lattice"]["cells"][0]["sites"]] == ["Sr", "Ti"]
    assert plan["lattice"]["most_lattices"] == 2
    assert plan["strain"]["shifts"] == [["Ti", "Sr"]]
    assert (plan["count"]["types"], plan["count"]["least_count"]) == (["Sr"], 3)
    for wrong, said in ((["--shift", "Ti:Sr"], "give --cell"), (["--sites", "Sr"], "--cell FILE")):
        assert main(["quantify", "image.tif", *wrong, "--dry-run"]) == 2
        assert said in capsys.readouterr().err
