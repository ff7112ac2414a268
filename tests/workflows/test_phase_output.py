import numpy as np
import pytest
import yaml

from crewe.axes import calibrated_image
from crewe.errors import WriteError
from crewe.sources import Counters, Scan
from crewe.workflows.phase_output import (
    counters_note,
    noted_files,
    read_note,
    scan_note,
    write_phase_result,
)


def images(*names):
    return {name: calibrated_image(np.eye(5), 0.2, name=name) for name in names}


def test_the_note_names_its_files_and_comes_last(tmp_path):
    write_phase_result(tmp_path / "out", images("adf", "bf"), {"plan": {"kernel": 3}}, b"png")
    note = read_note(tmp_path / "out")
    assert note == {"plan": {"kernel": 3}, "files": ["adf.tif", "bf.tif"]}
    assert all(path.is_file() for path in noted_files(tmp_path / "out", note))


def test_what_is_replaced_goes_and_what_is_foreign_stays(tmp_path):
    (tmp_path / "mine.tif").write_bytes(b"mine")
    write_phase_result(tmp_path, images("adf", "bf"), {}, b"png", suffix="zarr")
    with pytest.raises(WriteError, match="--overwrite"):
        write_phase_result(tmp_path, images("adf"), {}, b"png")
    write_phase_result(tmp_path, images("adf"), {}, b"png", overwrite=True)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"mine.tif", "adf.tif", "overview.png", "phase.yaml"}


def test_a_note_cannot_name_files_elsewhere(tmp_path):
    (tmp_path / "precious.tif").touch()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "phase.yaml").write_text("files: [../precious.tif, 3, /etc/passwd]")
    write_phase_result(tmp_path / "out", images("adf"), {}, b"png", overwrite=True)
    assert (tmp_path / "precious.tif").exists()


def test_an_image_that_cannot_be_written_leaves_no_note(tmp_path):
    write_phase_result(tmp_path, images("adf"), {}, b"png")
    with pytest.raises(WriteError):
        write_phase_result(tmp_path, images("adf"), {}, b"png", suffix="bmp", overwrite=True)
    assert read_note(tmp_path) is None


def test_notes_are_plain():
    counters = Counters(received=3, used=2, late=1)
    counters.fault("stall", "2 s", times=2)
    plain = {"scan": scan_note(Scan((3, 4), step_angstrom=(0.2, 0.3)))}
    plain["counters"] = counters_note(counters)
    assert yaml.safe_load(yaml.safe_dump(plain)) == plain
    assert plain["counters"]["faults"] == {"stall": 2}
    assert plain["scan"]["shape"] == [3, 4]


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "\x00"])
def test_notes_that_are_none(text, tmp_path):
    (tmp_path / "phase.yaml").write_text(text)
    assert read_note(tmp_path) is None
