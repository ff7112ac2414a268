import shutil

import numpy as np
import pytest
import yaml
from small_networks import matched_filter

from crewe import io
from crewe.axes import calibrated_array, calibrated_image
from crewe.axes.arrays import Axis
from crewe.errors import PlanError, ReadError, WriteError
from crewe.workflows import rerun
from crewe.workflows.observer import Recorder
from crewe.workflows.restore import restore_plan, run_restoration

pytest.importorskip("onnxruntime")


def counts(seed=0, shape=(64, 72)):
    y, x = np.indices(shape)
    wave = 1.5 + np.cos(2 * np.pi * y / 16) * np.cos(2 * np.pi * x / 16)
    return np.random.default_rng(seed).poisson(40 * wave).astype(np.uint16)


@pytest.fixture
def plan(tmp_path):
    """The plan of a result that is there: image, network and result each in its own folder."""
    for name in ("images", "networks"):
        (tmp_path / name).mkdir()
    model = tmp_path / "networks" / "smoothing.onnx"
    matched_filter(model, output="intensity", task="restoration")
    io.write(tmp_path / "images" / "gold.tif", calibrated_image(counts(), 0.2))
    places = {"image": tmp_path / "images" / "gold.tif", "output": tmp_path / "out"}
    plan = restore_plan({**places, "model": str(model), "threads": 1})
    run_restoration(plan)
    return plan


def change_note(plan, changes):
    """Change a note, without the entries that become None; what it said comes back."""
    note = yaml.safe_load(plan.note.read_text("utf-8"))
    kept = {key: value for key, value in (note | changes).items() if value is not None}
    plan.note.write_text(yaml.safe_dump(kept))
    return note


def test_image_and_trust_come_out_the_same_bit_for_bit(plan):
    for given in (plan.output, plan.note):
        found = rerun(given)
        assert found.identical
        assert found.of_each == {"restored": 0, "trust": 0}


def test_other_seeds_change_the_trust_alone(plan):
    note = yaml.safe_load(plan.note.read_text("utf-8"))
    change_note(plan, {"plan": {**note["plan"], "seed": 1}})
    found = rerun(plan.note)
    assert not found.equal
    assert found.of_each["restored"] == 0
    assert found.of_each["trust"] > 1e-3


def test_rounding_is_told_apart_from_a_difference(plan):
    restored = io.read(plan.path("restored"))
    io.write(plan.path("restored"), restored * np.float32(1 + 1e-6), overwrite=True)
    found = rerun(plan.note)
    assert (found.equal, found.identical) == (True, False)
    assert found.text.startswith("equal to rounding")
    assert found.of_each["trust"] == 0


def test_everything_may_move_together(plan, tmp_path):
    (tmp_path / "archive").mkdir()
    for name in ("images", "networks", "out"):
        (tmp_path / name).rename(tmp_path / "archive" / name)
    assert rerun(tmp_path / "archive" / "out").identical


def test_a_note_without_places_finds_image_and_network_beside(plan, tmp_path):
    paths = change_note(plan, {"paths": None})["paths"]
    assert paths == {"image": "../images/gold.tif", "model": "../networks/smoothing.onnx"}
    with pytest.raises(ReadError, match=r"gold.tif is no longer there.*--image"):
        rerun(plan.note)
    with pytest.raises(ReadError, match=r"smoothing.onnx is no longer there.*with its card"):
        rerun(plan.note, image=plan.image)
    for suffix in (".onnx", ".yaml"):
        shutil.copy(tmp_path / "networks" / f"smoothing{suffix}", tmp_path)
    assert rerun(plan.note, image=plan.image).identical


def test_another_image_is_refused_by_its_checksum(plan):
    io.write(plan.image, calibrated_image(counts(1), 0.2), overwrite=True)
    with pytest.raises(ReadError, match=r"gold.tif has changed since: its checksum is"):
        rerun(plan.note)


@pytest.mark.parametrize("kind", ["restored", "trust"])
def test_a_missing_file_leaves_nothing_to_compare(plan, kind):
    plan.path(kind).unlink()
    with pytest.raises(ReadError, match=rf"gold_{kind}.tif is missing"):
        rerun(plan.note)


def test_another_network_of_that_name_is_told_and_differs(plan, tmp_path):
    model = tmp_path / "networks" / "smoothing.onnx"
    matched_filter(model, output="intensity", task="restoration", gain=0.5)
    heard = Recorder()
    assert not rerun(plan.note, heard).equal
    assert any("another one" in text for kind, text in heard.heard if kind == "warning")


def test_an_output_keeps_the_new_result_and_overwrites_nothing(plan, tmp_path):
    assert rerun(plan.note, output=tmp_path / "again").identical
    assert rerun(tmp_path / "again" / "gold_restored.yaml").identical
    with pytest.raises(WriteError, match="--overwrite"):
        rerun(plan.note, output=plan.output)
    assert rerun(plan.note, output=plan.output, overwrite=True).identical


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"plan": None}, "says no 'plan'"),
        ({"plan": {"image": "gold.tif"}}, "says no 'model'"),
        ({"plan": {"model": "hrstem"}}, "says no 'image'"),
        (
            {"plan": {"image": "gold.tif", "model": "hrstem", "seed": "x"}},
            "damaged, or of another version: .*seed",
        ),
        ({"image_sha256": None}, "says no 'image_sha256'"),
        ({"network": None}, "says no 'network'"),
    ],
)
def test_notes_that_cannot_be_repeated(changes, said, plan):
    change_note(plan, changes)
    with pytest.raises(PlanError, match=said):
        rerun(plan.note)


def test_stacks_without_trust(plan):
    stack = np.stack([counts(n) for n in range(3)])
    axes = (Axis("z", 0.5, 0.0, "s"), Axis("y", 0.2, 0, "Å"), Axis("x", 0.2, 0, "Å"))
    io.write(plan.image, calibrated_array(stack, axes), overwrite=True)
    run_restoration(plan.model_copy(update={"trust": False}), overwrite=True)
    assert rerun(plan.note).of_each == {"restored": 0}
