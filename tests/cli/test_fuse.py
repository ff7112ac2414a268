import json

import numpy as np
import pytest

from crewe import io
from crewe.axes import calibrated_image
from crewe.cli.main import main
from crewe.testing.core_shell import core_shell, measure

FIXED = ["--prior", "composition", "--strength", "3", "--gamma", "1.7", "--guide-smoothing", "0.5"]
MAPS = ["--map", "Co=co.tif", "--map", "s=s.tif"]


def fuse(*arguments):
    return main(["fuse", *arguments])


@pytest.fixture
def files(folder):
    """HAADF and two maps in the working folder."""
    made = measure(core_shell(pixels=48), 20, 4, np.random.default_rng(0))
    io.write(folder / "haadf.tif", made.haadf.astype(np.float32))
    for element in ("Co", "S"):
        one = made.maps.sel(element=element, drop=True).astype(np.uint16)
        io.write(folder / f"{element.lower()}.tif", one)
    return made


def test_maps_and_report_are_written(files, folder, capsys):
    assert fuse("haadf.tif", *MAPS, *FIXED, "--repeats", "3") == 0
    said = capsys.readouterr().err
    assert "haadf.tif: prior composition, strength 3, Co, S written to haadf_fused" in said
    names = {path.name for path in (folder / "haadf_fused").iterdir()}
    assert {"Co.tif", "S_standard_error.tif", "report.html", "fusion.yaml", "maps.png"} <= names
    assert fuse("haadf.tif", *MAPS, *FIXED, "--repeats", "3") == 0
    assert "skipped" in capsys.readouterr().err
    assert main(["rerun", "haadf_fused", "-q"]) == 0
    assert "bit for bit" in capsys.readouterr().err


def test_json_tells_the_result(files, folder, capsys):
    options = ["--standard-error", "none", "--format", ".npz", "-o", "out", "--json", "-q"]
    assert fuse("haadf.tif", *MAPS, *FIXED, *options) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["status"], said["output"]) == ("done", "out")
    assert said["summary"]["elements"] == ["Co", "S"]
    assert said["summary"]["strength"] == 3
    assert (folder / "out" / "Co.npz").exists()
    assert not (folder / "out" / "Co_standard_error.npz").exists()


def test_options_reach_the_plan(files, folder, capsys):
    options = [
        "--likelihood",
        "least_squares",
        "--no-align",
        "--sensitivity",
        "Co=2",
        "--seed",
        "5",
    ]
    more = ["--standard-error", "hessian", "--tile", "40", "--json", "-q", "-o", "out"]
    plan = ["overlap_px: 16"]
    (folder / "plan.yaml").write_text("\n".join(["haadf: haadf.tif", *plan]))
    assert fuse("--plan", "plan.yaml", *MAPS, *FIXED, *options, *more) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert summary["likelihood"] == "least_squares"
    assert summary["parts"] == 4
    said = (folder / "out" / "fusion.yaml").read_text("utf-8")
    for words in ("align: false", "Co: 2.0", "seed: 5", "standard_error: hessian"):
        assert words in said


def test_what_is_given_overrides_the_plan(files, folder, capsys):
    text = "haadf: haadf.tif\nmaps: {Co: co.tif, S: s.tif}\nstrength: 9\nstandard_error: none\n"
    (folder / "plan.yaml").write_text(text)
    assert fuse("--plan", "plan.yaml", *FIXED, "--json", "-q") == 0
    assert json.loads(capsys.readouterr().out)["summary"]["strength"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no HAADF image given"),
        (["haadf.tif", "--map", "co.tif"], "give ELEMENT=FILE"),
        (["haadf.tif", "--map", "Qq=co.tif"], "'Qq' is no element"),
        (["haadf.tif", *MAPS, "--element", "Co"], "leave them out"),
        (["haadf.tif", *MAPS, "--prior", "hope"], "'composition'"),
        (["haadf.tif", *MAPS, "--strength", "-1"], "strength"),
        (["haadf.tif", *MAPS, "--gamma", "7"], "gamma"),
        (["haadf.tif", *MAPS, "--format", "bmp"], "format"),
        (["haadf.tif", *MAPS, "--sensitivity", "Co=much"], "sensitivity"),
        (["haadf.tif", *MAPS, "--sensitivity", "O=2"], "--sensitivity O: there is no map of it"),
        (["haadf.tif", *MAPS, "--tile", "64"], "--tile 129 at least, better 512"),
        (["--plan", "none.yaml"], "none.yaml cannot be read"),
        (["haadf.tif", *MAPS, "--standard-error", "much"], "--standard-error"),
    ],
)
def test_wrong_use(files, arguments, words, capsys):
    assert fuse(*arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values * 0, "map of S is empty"),
        (lambda values: np.where(np.eye(48) > 0, np.nan, values), "map of S has 48 pixels that"),
        (lambda values: values[:40], "Co 48 × 48, S 40 × 48"),
    ],
)
def test_maps_that_cannot_be_used(files, folder, change, words, capsys):
    values = change(files.maps.sel(element="S").values)
    io.write(folder / "s.tif", calibrated_image(values.astype(np.float32), 0.213), overwrite=True)
    assert fuse("haadf.tif", *MAPS, *FIXED, "-q") == 1
    said = capsys.readouterr().err
    assert words in said
    assert said.startswith("crewe: ")
    assert not (folder / "haadf_fused").exists()


def test_negative_counts_are_told(files, folder, capsys):
    values = files.maps.sel(element="S").values - 1
    io.write(folder / "s.tif", calibrated_image(values.astype(np.float32), 0.213), overwrite=True)
    assert fuse("haadf.tif", *MAPS, *FIXED, "--likelihood", "poisson", "-q") == 1
    assert "negative pixels, which counts cannot have" in capsys.readouterr().err


def test_haadf_that_is_none(files, folder, capsys):
    dark = files.haadf.max() - files.haadf
    io.write(folder / "haadf.tif", dark.astype(np.float32), overwrite=True)
    assert fuse("haadf.tif", *MAPS, *FIXED, "-q") == 1
    assert "inverted" in capsys.readouterr().err
    io.write(folder / "haadf.tif", (0 * dark + 3).astype(np.float32), overwrite=True)
    assert fuse("haadf.tif", *MAPS, *FIXED, "-q") == 1
    assert "haadf.tif" in capsys.readouterr().err
    (folder / "haadf.tif").write_bytes(b"")
    assert fuse("haadf.tif", *MAPS, *FIXED, "-q") == 1
    assert "haadf.tif" in capsys.readouterr().err


def test_a_file_without_maps_says_what_it_holds(files, folder, capsys):
    assert fuse("haadf.tif", "-q") == 1
    said = capsys.readouterr().err
    assert "no element map" in said
    assert said.count("\n") == 1
