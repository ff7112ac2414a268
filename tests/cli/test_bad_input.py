"""Each bad input gets one clear line that says what to do, and a non-zero exit."""

import numpy as np
import pytest
from PIL import Image

from crewe import io
from crewe.axes import calibrated_image
from crewe.cli.main import main


def refused(capsys, *arguments, code=1):
    """Run a command that must fail, and return its one line."""
    assert main(list(arguments)) == code
    said = capsys.readouterr()
    assert said.out == ""
    lines = [line for line in said.err.splitlines() if line.startswith("crewe: ")]
    assert len(lines) == 1
    assert "Traceback" not in said.err
    return lines[0]


@pytest.mark.parametrize(
    ("pixels", "word"),
    [
        (np.full((32, 32), 7.0), "equal"),
        (np.where(np.eye(32) > 0, np.nan, 1.0), "NaN"),
        (np.where(np.eye(32) > 0, np.inf, 1.0), "infinite"),
    ],
)
def test_pixels_without_information(folder, capsys, pixels, word):
    io.write(folder / "bad.tif", calibrated_image(pixels, 0.2))
    line = refused(capsys, "quantify", "bad.tif")
    assert word in line
    assert "bad.tif" in line
    assert [path.name for path in folder.iterdir()] == ["bad.tif"]


def test_no_calibration_says_how_to_give_one(image, folder, capsys):
    grey = np.uint8(np.clip(io.read_image(image).values, 0, 255))
    Image.fromarray(grey).save(folder / "gold.png")
    assert "--sampling 0.12" in refused(capsys, "quantify", "gold.png")
    assert main(["quantify", "gold.png", "--sampling", "pixel", "-q"]) == 0
    table = io.read_table(folder / "gold_quantified" / "columns.parquet")
    assert table.attrs["units"]["x"] == "px"
    assert table["x"].max() > 60


def test_colour_picture(folder, capsys):
    colours = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(colours).save(folder / "rgb.png")
    assert "colour" in refused(capsys, "quantify", "rgb.png", "--sampling", "0.1")


def test_truncated_file(image, folder, capsys):
    (folder / "cut.tif").write_bytes(image.read_bytes()[:300])
    assert "cut.tif" in refused(capsys, "quantify", "cut.tif")


def test_wrong_extension(folder, capsys):
    (folder / "notes.dm4").write_text("not a micrograph")
    assert "notes.dm4" in refused(capsys, "quantify", "notes.dm4")


def test_missing_file_and_empty_pattern(folder, capsys):
    assert "none.dm4" in refused(capsys, "quantify", "none.dm4")
    assert "*.dm4" in refused(capsys, "quantify", "*.dm4")


def test_dry_run_of_a_missing_file(image, folder, capsys):
    assert "none.dm4" in refused(capsys, "quantify", "gold.tif", "none.dm4", "--dry-run")
    flags = ["--detector-map", "map.dm4", "--dry-run"]
    assert "map.dm4" in refused(capsys, "quantify", "gold.tif", *flags)


def test_output_is_tried_before_the_image_is_read(folder, capsys):
    (folder / "gold.tif").write_bytes(b"no image")
    name = "x" * 250
    assert "cannot be made" in refused(capsys, "quantify", "gold.tif", "-o", f"out/{name}")
    assert [path.name for path in folder.iterdir()] == ["gold.tif"]


def test_no_columns(folder, capsys):
    noise = np.random.default_rng(1).normal(100, 5, (64, 64))
    io.write(folder / "noise.tif", calibrated_image(noise, 0.2))
    assert "noise.tif" in refused(capsys, "quantify", "noise.tif")


def test_output_below_a_file(image, folder, capsys):
    (folder / "taken").write_text("")
    assert "taken" in refused(capsys, "quantify", "gold.tif", "-o", "taken")
    assert "is a file" in refused(capsys, "quantify", "gold.tif", "-o", "taken/out")


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--sampling", "-1"], "greater than 0"),
        (["--sampling", "big"], "'pixel'"),
        (["--vacuum", "3"], "vacuum and detector"),
        (["--beam-current", "20", "--dwell-time", "10"], "detector"),
        (["--counts", "--electrons-per-unit", "2"], "more than once"),
        (["--peak", "round"], "lorentzian"),
        (["--noise", "counts"], "--electrons-per-unit"),
        (["--workers", "2", "--scheduler", "tcp://localhost:1"], "not both"),
        (["--colour"], "No such option"),
    ],
)
def test_wrong_use(image, capsys, flags, word):
    assert word in refused(capsys, "quantify", "gold.tif", *flags, code=2)


def test_unknown_key_of_a_plan_names_the_nearest(image, folder, capsys):
    (folder / "plan.yaml").write_text("image: gold.tif\nsamplin: 0.1\n")
    line = refused(capsys, "quantify", "--plan", "plan.yaml", code=2)
    assert "did you mean 'sampling'" in line


def test_images_that_would_share_a_folder(image, folder, capsys):
    (folder / "gold.png").write_bytes(b"")
    assert "one by one" in refused(capsys, "quantify", "gold.tif", "gold.png", code=2)


def test_no_image_at_all(folder, capsys):
    assert "no image given" in refused(capsys, "quantify", code=2)


def test_rerun_of_something_else(folder, capsys):
    assert "no result of crewe quantify" in refused(capsys, "rerun", ".", code=2)
