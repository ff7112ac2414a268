import numpy as np
import pytest
import yaml

from crewe import io
from crewe.errors import PlanError, ReadError, WriteError
from crewe.workflows import rerun
from crewe.workflows.observer import Recorder, Silent
from crewe.workflows.phase import phase_unless_finished, run_phase
from crewe.workflows.phase_plan import phase_plan

METHODS = ("com", "adf", "total")


@pytest.fixture
def data(tmp_path):
    """Noisy patterns of 10 × 12 probe positions, in a folder of their own."""
    rng = np.random.default_rng(3)
    ky, kx = np.mgrid[:16, :18]
    disk = 20.0 * (np.hypot(ky - 7.5, kx - 8.5) < 5) + 0.5
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "gold.npy", rng.poisson(disk, (10, 12, 16, 18)).astype(np.uint16))
    return tmp_path / "data" / "gold.npy"


@pytest.fixture
def out(data, tmp_path):
    """The folder of a result."""
    disk = {"centre": (7.5, 8.5), "radius_px": 5.0, "rotation_degrees": -12.0}
    settings = {"data": data, "output": tmp_path / "out", "methods": METHODS, "threads": 1}
    run_phase(phase_plan({**settings, **disk, "detectors": {"ring": {"inner": 0.5, "outer": 1}}}))
    return tmp_path / "out"


def change_note(out, changes):
    """Change a note, without the entries that become None; what it said comes back."""
    note = yaml.safe_load((out / "phase.yaml").read_text("utf-8"))
    kept = {key: value for key, value in (note | changes).items() if value is not None}
    (out / "phase.yaml").write_text(yaml.safe_dump(kept))
    return note


def test_a_result_comes_out_the_same_bit_for_bit(out):
    for given in (out, out / "phase.yaml"):
        found = rerun(given)
        assert found.identical
        assert found.of_each.keys() == {"com_y", "com_x", "adf", "total", "ring"}


def test_a_changed_stored_image_is_noticed(out):
    adf = io.read(out / "adf.tif")
    deviation = float(adf.std())
    adf[3, 4] += 0.5 * deviation
    io.write(out / "adf.tif", adf, overwrite=True)
    found = rerun(out)
    assert not found.equal
    assert found.of_each["adf"] == pytest.approx(0.5, rel=0.05)
    assert found.of_each["com_y"] == 0
    assert found.text.startswith("different")


def test_data_and_result_may_move_together_or_apart(out, data, tmp_path):
    (tmp_path / "archive").mkdir()
    for folder in (data.parent, out):
        folder.rename(tmp_path / "archive" / folder.name)
    out = tmp_path / "archive" / "out"
    assert rerun(out).identical
    moved = (tmp_path / "archive" / "data" / "gold.npy").rename(tmp_path / "renamed.npy")
    with pytest.raises(ReadError, match=r"gold.npy is no longer there.*--image"):
        rerun(out)
    assert rerun(out, image=moved).identical


def test_a_note_without_the_place_of_its_data_finds_them_beside(out, data):
    assert change_note(out, {"paths": None})["paths"] == {"data": "../data/gold.npy"}
    with pytest.raises(ReadError, match=r"gold.npy is no longer there.*--image"):
        rerun(out)
    assert rerun(out, image=data).identical
    data.rename(out.parent / "gold.npy")
    assert rerun(out).identical


def test_where_the_data_lie_decides_nothing(data, tmp_path):
    plan = phase_plan({"data": data, "methods": ("total",), "output": tmp_path / "out"})
    first = phase_unless_finished(plan, Silent())
    moved = plan.model_copy(update={"data": data.rename(tmp_path / "gold.npy")})
    again = phase_unless_finished(moved, Silent())
    assert again.skipped
    assert again.summary.keys() - first.summary.keys() == {"files"}


def test_other_data_are_refused_by_their_checksum(out, data):
    patterns = np.load(data)
    patterns[2, 3] += 1
    np.save(data, patterns)
    with pytest.raises(ReadError, match=r"gold.npy has changed since: its checksum is"):
        rerun(out)


def test_a_missing_image_leaves_nothing_to_compare(out):
    (out / "adf.tif").unlink()
    with pytest.raises(ReadError, match=r"adf.tif is missing"):
        rerun(out)


def test_an_output_keeps_the_new_result_and_overwrites_nothing(out, tmp_path):
    assert rerun(out, output=tmp_path / "again").identical
    assert rerun(tmp_path / "again").identical
    for there in (out, tmp_path / "again"):
        with pytest.raises(WriteError, match="--overwrite"):
            rerun(out, output=there)
    assert rerun(out, output=tmp_path / "again", overwrite=True).identical


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"plan": None}, "says no 'plan'"),
        ({"plan": {}}, "says no 'data'"),
        ({"plan": {"data": "gold.npy", "kernel": 60}}, "damaged, or of another version: .*odd"),
        ({"plan": {"data": "gold.npy", "colour": "red"}}, "damaged, or of another.*colour"),
        ({"data": None}, "says no 'data'"),
        ({"data": {"bytes": 3}}, "says no 'sha256_of_ends'"),
        ({"files": None}, "says no 'files'"),
        ({"files": ["../../precious.tif"]}, "names no image"),
        ({"plan": {"address": "merlin://host"}}, "of crewe live.*crewe phase"),
    ],
)
def test_notes_that_cannot_be_repeated(changes, said, out):
    change_note(out, changes)
    with pytest.raises(PlanError, match=said):
        rerun(out)


def test_another_version_is_told(out):
    change_note(out, {"versions": {"numpy": "1.0"}})
    heard = Recorder()
    assert rerun(out, heard).equal
    assert any("made with 1.0" in text for kind, text in heard.heard if kind == "warning")


@pytest.mark.parametrize("suffix", ["hspy", "zarr", "npz", "npy"])
def test_results_of_other_formats(suffix, data, tmp_path):
    settings = {"data": data, "methods": ("total", "bf"), "radius_px": 5.0, "format": suffix}
    run_phase(phase_plan({**settings, "output": tmp_path / "out", "threads": 1}))
    assert rerun(tmp_path / "out").identical
