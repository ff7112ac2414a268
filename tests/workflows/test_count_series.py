import json

import numpy as np
import pandas as pd
import pytest
from analysis_data import ELECTRONS, LIBRARY, thicknesses, write_crystal, write_library

from crewe.cli.main import main
from crewe.errors import CalibrationError, WriteError
from crewe.workflows import plan_from, run
from crewe.workflows.count_series import SERIES_FILES, SeriesPlan, run_series
from crewe.workflows.observer import Silent

SCALE = {"vacuum": 0, "detector": 1, "electrons_per_unit": ELECTRONS}


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """Three frames of one crystal, quantified."""
    place = tmp_path_factory.mktemp("frames")
    folders = []
    for number in range(3):
        image = write_crystal(place / f"frame_{number}.tif", seed=number)
        folders.append(place / f"frame_{number}_quantified")
        run(plan_from({"image": image, "intensity": SCALE, "output": folders[-1]}))
    return folders


def test_frames_are_counted_together_from_the_command_line(frames, folder, capsys):
    write_library(folder / "po.txt", scale=1.03)
    command = ["count", *map(str, frames), "--series", "--library", "po.txt", "-o", "counted"]
    assert main([*command, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert summary["scale"] == pytest.approx(1 / 1.03, abs=0.01)
    assert {path.name for path in (folder / "counted").iterdir()} == set(SERIES_FILES)
    table = pd.read_csv(folder / "counted" / "counts.csv")
    assert len(table) == 3 * 64
    per_frame = table.groupby("frame")["count"].sum()
    assert per_frame.tolist() == [int(thicknesses().sum())] * 3
    assert main([*command, "-q"]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "-q", "--overwrite"]) == 0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan_of(frames, output):
    library = {"scs": LIBRARY.tolist()}
    return SeriesPlan(results=tuple(frames), library=library, output=output)


def test_frames_of_other_intensities_are_refused(frames, tmp_path):
    image = write_crystal(tmp_path / "raw.tif")
    run(plan_from({"image": image, "output": tmp_path / "raw"}))
    with pytest.raises(CalibrationError, match="same intensity calibration"):
        run_series(plan_of([*frames, tmp_path / "raw"], tmp_path / "out"), Silent())


def test_files_of_others_are_never_replaced(frames, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "columns.csv").write_text("mine")
    with pytest.raises(WriteError, match=r"columns\.csv"):
        run_series(plan_of(frames, tmp_path / "out"), Silent(), overwrite=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--library", "po.txt"], "-o FOLDER"),
        (["-o", "out"], "--library FILE"),
        (["-o", "out", "--library", "po.txt", "--by", "curve"], "--series takes no by"),
    ],
)
def test_wrong_use_is_one_clear_line(frames, folder, capsys, options, said):
    write_library(folder / "po.txt")
    assert main(["count", *map(str, frames), "--series", "-q", *options]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1


def test_one_frame_is_no_series(frames, folder, capsys):
    write_library(folder / "po.txt")
    command = ["count", str(frames[0]), "--series", "-q", "--library", "po.txt", "-o", "out"]
    assert main(command) == 2
    assert "at least 2" in capsys.readouterr().err


def test_the_noted_drift_is_none(frames, tmp_path):
    run_series(plan_of(frames, tmp_path / "out"), Silent())
    note = json.loads((tmp_path / "out" / "series.json").read_text("utf-8"))
    assert np.abs(note["drift_angstrom"]).max() < 0.01
    assert len(note["columns_sha256"]) == 3
