import json
import shutil

import numpy as np
import pytest
import yaml
from analysis_data import ELECTRONS, write_cif, write_crystal, write_library

from crewe import io
from crewe.cli.main import main
from crewe.workflows.result_folder import ANALYSIS_FILES, FILES

SCALE = ["--vacuum", "0", "--detector", "1", "--electrons-per-unit", str(ELECTRONS)]


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A quantified crystal, its library and its cell."""
    place = tmp_path_factory.mktemp("counted")
    write_crystal(place / "po.tif")
    write_library(place / "po.txt")
    write_cif(place / "po.cif")
    out = ["-o", str(place / "po_quantified")]
    assert main(["quantify", str(place / "po.tif"), *SCALE, *out, "-q"]) == 0
    return place


@pytest.fixture
def place(once, folder):
    """A copy of them in the working folder, without the image."""
    shutil.copytree(once, folder, dirs_exist_ok=True)
    (folder / "po.tif").unlink()
    return folder


def test_a_result_is_counted_without_its_image(place, capsys):
    assert main(["count", "po_quantified", "--library", "po.txt"]) == 0
    said = capsys.readouterr().err.splitlines()
    verdict = "The data decide the count of 64 of 64 columns."
    assert said[-1] == f"po_quantified: {verdict} Written to po_quantified"
    assert {path.name for path in (place / "po_quantified").iterdir()} == {*FILES, "counting.png"}
    table = io.read_table(place / "po_quantified" / "columns.csv")
    assert table["count"].sum() == 192
    plan = yaml.safe_load((place / "po_quantified" / "plan.yaml").read_text("utf-8"))
    assert plan["count"]["library"]["name"] == "po.txt"


def test_json_tells_the_counts(place, capsys):
    command = ["count", "po_quantified", "--library", "po.txt", "--by", "library", "--json", "-q"]
    assert main(command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["summary"]["counting"]["method"] == "library"
    assert answer["summary"]["counting"]["columns_of_count"]["5"] == 8
    assert answer["output"] == "po_quantified"


def test_dry_run_shows_the_plan_and_writes_nothing(place, capsys):
    before = {path.name for path in (place / "po_quantified").iterdir()}
    command = ["count", "po_quantified", "--scale", "0.1", "--type", "0", "--dry-run"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert yaml.safe_load(shown)["count"]["single_atom_scs"] == 0.1
    assert "counting.png" in shown
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"]["count"]["types"] == [0]
    assert {path.name for path in (place / "po_quantified").iterdir()} == before


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--by", "hybrid"], 2, "needs a library"),
        (["--by", "curve", "--library", "po.txt"], 2, "takes no library"),
        (["--components", "4"], 2, "--by mixture"),
        (["--library", "nothing.txt"], 1, "nothing.txt: no such file"),
        (["--library", "po.cif"], 1, "po.cif"),
        (["--type", "7"], 1, "no column is of type 7"),
        (["--type", "0.5"], 2, "--type 0.5"),
        (["--region", "1,1 2,2"], 2, "three corners"),
        (["-o", "out"], 2, "--series"),
        (["--overwrite"], 2, "--series"),
        (["--least-probability", "2"], 2, "less than 1"),
    ],
)
def test_bad_input_is_one_clear_line(place, capsys, options, code, said):
    before = (place / "po_quantified" / "report.html").read_bytes()
    assert main(["count", "po_quantified", "-q", *options]) == code
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1
    assert (place / "po_quantified" / "report.html").read_bytes() == before


def test_a_library_of_another_scale_is_no_silent_number(place, capsys):
    write_library(place / "wrong.txt", scale=400)
    assert main(["count", "po_quantified", "--library", "wrong.txt", "-q"]) == 1
    assert "library" in capsys.readouterr().err


def test_too_few_columns_are_refused(place, capsys):
    command = ["count", "po_quantified", "--region", "0,0 9,0 9,9 0,9", "-q"]
    assert main(command) == 1
    assert "po_quantified" in capsys.readouterr().err


def test_what_is_no_result_is_wrong_use(place, capsys):
    for folder, said in (("nowhere", "does not exist"), (".", "no result of crewe quantify")):
        assert main(["count", folder, "-q"]) == 2
        assert said in capsys.readouterr().err


def test_of_several_results_each_fails_by_itself(place, capsys):
    (place / "empty").mkdir()
    assert main(["count", "empty", "po_quantified", "--library", "po.txt", "-q"]) == 1
    assert "1 of 2" in capsys.readouterr().err
    assert (place / "po_quantified" / "counting.png").is_file()


def test_everything_at_once_and_rerun(once, folder, capsys):
    for name in ("po.tif", "po.txt", "po.cif"):
        shutil.copy(once / name, folder / name)
    asked = ["--library", "po.txt", "--cell", "po.cif", "--zone", "0,0,1", "--volume"]
    assert main(["quantify", "po.tif", *SCALE, *asked, "-q"]) == 0
    present = {path.name for path in (folder / "po_quantified").iterdir()}
    assert present == {*FILES, *(n for n in ANALYSIS_FILES if n.split(".")[0] not in NOT_ASKED)}
    (folder / "po.txt").unlink()
    (folder / "po.cif").unlink()
    assert main(["rerun", "po_quantified", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"]
    assert main(["quantify", "po.tif", *SCALE]) == 0
    assert "skipped" in capsys.readouterr().err
    counts = io.read_table(folder / "po_quantified" / "columns.parquet")["count"]
    assert np.bincount(counts.to_numpy(int)).tolist() == [0, 8, 16, 16, 16, 8]


NOT_ASKED = ("shifts", "tilts")
