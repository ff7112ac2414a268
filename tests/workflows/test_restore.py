import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from small_networks import matched_filter

from crewe import io
from crewe.axes import calibrated_array, calibrated_image, sampling
from crewe.axes.arrays import Axis
from crewe.errors import ImageError, PlanError, ReadError, WriteError
from crewe.restoration import restore
from crewe.workflows.observer import Recorder, Silent
from crewe.workflows.restore import restore_plan, restore_unless_finished, run_restoration

pytest.importorskip("onnxruntime")


def counts(seed=0, shape=(64, 72)):
    y, x = np.indices(shape)
    wave = 1.5 + np.cos(2 * np.pi * y / 16) * np.cos(2 * np.pi * x / 16)
    return np.random.default_rng(seed).poisson(40 * wave).astype(np.uint16)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "smoothing.onnx"
    return matched_filter(path, output="intensity", task="restoration")


@pytest.fixture
def plan(tmp_path, model):
    image = calibrated_image(counts(), 0.2, name="HAADF", attrs={"beam_energy_kev": 300})
    io.write(tmp_path / "gold.tif", image)
    settings = {"image": tmp_path / "gold.tif", "output": tmp_path / "out" / "deep"}
    return restore_plan({**settings, "model": str(model), "threads": 1})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_becomes_image_trust_picture_and_note(plan, model):
    done = run_restoration(plan)
    wanted = ["gold_restored.png", "gold_restored.tif", "gold_restored.yaml", "gold_trust.tif"]
    assert names(plan.output) == wanted
    restored, trust = (io.read(plan.path(kind)) for kind in ("restored", "trust"))
    np.testing.assert_array_equal(restored.values, restore(counts(), 0.2, model).image)
    np.testing.assert_array_equal(trust.values, done.restored.trust.values)
    assert sampling(restored) == pytest.approx((0.2, 0.2))
    assert restored.attrs["beam_energy_kev"] == 300
    assert plan.path("restored", "png").read_bytes().startswith(b"\x89PNG")


def test_the_note_says_with_what_it_was_made(plan):
    done = run_restoration(plan)
    note = yaml.safe_load(plan.note.read_text("utf-8"))
    network = note["network"]
    assert (network["name"], network["sha256"]) == ("smoothing", done.restored.card.sha256)
    card = Path(plan.model).with_suffix(".yaml").read_bytes()
    assert network["card_sha256"] == hashlib.sha256(card).hexdigest()
    assert note["image_sha256"] == hashlib.sha256(plan.image.read_bytes()).hexdigest()
    assert {"crewe", "onnxruntime"} <= set(note["versions"])
    assert note["plan"]["seed"] == 0
    assert note["result"] == done.summary
    assert json.loads(io.read(plan.path("restored")).attrs["restoration"]) == note


def test_a_result_that_is_there_is_kept_and_another_not_overwritten(plan):
    first = restore_unless_finished(plan, Silent())
    before = plan.path("restored").stat().st_mtime_ns
    again = restore_unless_finished(plan, Silent())
    assert (first.skipped, again.skipped) == (False, True)
    assert again.summary == first.summary
    assert plan.path("restored").stat().st_mtime_ns == before
    other = plan.model_copy(update={"seed": 1})
    with pytest.raises(WriteError, match="--overwrite"):
        restore_unless_finished(other, Silent())
    assert not restore_unless_finished(other, Silent(), overwrite=True).skipped


def test_another_image_is_no_reason_to_skip(plan):
    restore_unless_finished(plan, Silent())
    io.write(plan.image, calibrated_image(counts(1), 0.2), overwrite=True)
    with pytest.raises(WriteError, match="another image"):
        restore_unless_finished(plan, Silent())


def test_an_edited_card_is_no_reason_to_skip(plan, model, tmp_path):
    copies = [tmp_path / f"copy{suffix}" for suffix in (".onnx", ".yaml")]
    for copy in copies:
        shutil.copy(model.with_suffix(copy.suffix), copy)
    chosen = plan.model_copy(update={"model": str(copies[0])})
    restore_unless_finished(chosen, Silent())
    assert restore_unless_finished(chosen, Silent()).skipped
    copies[1].write_text(copies[1].read_text().replace("One convolution", "Two convolutions"))
    with pytest.raises(WriteError, match="other settings"):
        restore_unless_finished(chosen, Silent())


@pytest.mark.parametrize("fails", [io.write, yaml.safe_dump])
def test_no_old_note_vouches_for_a_new_image_that_was_cut_off(plan, monkeypatch, fails):
    restore_unless_finished(plan, Silent())
    original, calls = fails, []

    def cut_off(*given, **more):
        calls.append(given)
        if len(calls) == (2 if fails is io.write else 1):
            raise KeyboardInterrupt
        return original(*given, **more)

    other = plan.model_copy(update={"seed": 1})
    with monkeypatch.context() as patch:
        patch.setattr(io if fails is io.write else yaml, fails.__name__, cut_off)
        with pytest.raises(KeyboardInterrupt):
            restore_unless_finished(other, Silent(), overwrite=True)
    assert not plan.note.exists()
    for one in (plan, other):
        with pytest.raises(WriteError, match="--overwrite"):
            restore_unless_finished(one, Silent())


def test_replacing_leaves_nothing_of_the_former_result_and_all_else(plan):
    run_restoration(plan.model_copy(update={"format": "zarr"}))
    others = [plan.output / name for name in ("gold_trusted.tif", "gold2_trust.npy", "gold.zarr")]
    for other in others:
        other.write_text("precious")
    run_restoration(plan, overwrite=True)
    made = {path.name for path in plan.files}
    assert set(names(plan.output)) == made | {other.name for other in others}
    run_restoration(plan.model_copy(update={"trust": False}), overwrite=True)
    assert not plan.path("trust").exists()
    assert all(other.read_text() == "precious" for other in others)


def test_a_folder_that_takes_no_files_is_told_before_the_work(plan, tmp_path):
    (tmp_path / "file").write_text("")
    heard = Recorder()
    with pytest.raises(WriteError, match="is a file"):
        run_restoration(plan.model_copy(update={"output": tmp_path / "file" / "below"}), heard)
    assert [kind for kind, _ in heard.heard] == ["started"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind")
def test_a_folder_without_permission_is_told(plan, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(WriteError, match="-o"):
        run_restoration(plan.model_copy(update={"output": tmp_path / "locked" / "below"}))


@pytest.mark.parametrize("suffix", ["hspy", "zarr", "npz"])
def test_other_formats(plan, suffix):
    chosen = plan.model_copy(update={"format": suffix})
    run_restoration(chosen)
    restored = io.read(chosen.path("restored"))
    assert restored.shape == (64, 72)
    assert sampling(restored) == pytest.approx((0.2, 0.2))


def test_without_trust_there_is_no_map(plan):
    chosen = plan.model_copy(update={"trust": False})
    assert run_restoration(chosen).summary["trusted_share"] is None
    assert names(plan.output) == ["gold_restored.png", "gold_restored.tif", "gold_restored.yaml"]
    assert restore_unless_finished(chosen, Silent()).skipped


def test_stacks_keep_their_frames_and_axes(plan):
    stack = np.stack([counts(n) for n in range(3)])
    axes = (Axis("z", 0.5, 0.0, "s"), Axis("y", 0.2, 0, "Å"), Axis("x", 0.2, 0, "Å"))
    io.write(plan.image, calibrated_array(stack, axes), overwrite=True)
    run_restoration(plan)
    restored = io.read(plan.path("restored"))
    assert restored.shape == (3, 64, 72)
    assert float(restored["z"][2]) == 1.0
    one = plan.model_copy(update={"frame": 1, "output": plan.output / "one"})
    run_restoration(one)
    alone = io.read(one.path("restored")).values
    np.testing.assert_array_equal(alone, restored.values[1])


def test_a_given_pixel_size_is_the_one_of_the_result(plan):
    chosen = plan.model_copy(update={"pixel_size_angstrom": 0.06})
    heard = Recorder()
    run_restoration(chosen, heard)
    assert sampling(io.read(chosen.path("restored"))) == pytest.approx((0.06, 0.06))
    assert any("finer" in text for kind, text in heard.heard if kind == "warning")


def test_the_observer_hears_the_figures(plan):
    heard = Recorder()
    run_restoration(plan, heard)
    kinds = [kind for kind, _ in heard.heard]
    assert (kinds[0], kinds[-1]) == ("started", "finished")
    assert "the data support" in heard.heard[-1][1]


def test_nothing_is_written_of_what_fails(plan):
    plan.image.write_bytes(b"nothing")
    with pytest.raises(ReadError):
        run_restoration(plan)
    io.write(plan.image, calibrated_image(np.zeros((5, 5)), 9.0), overwrite=True)
    with pytest.raises(PlanError, match="too far"):
        run_restoration(plan)
    assert not plan.output.exists()


def test_pictures_with_colours_are_refused(plan):
    np.save(plan.image.with_suffix(".npy"), np.zeros((40, 40, 3)))
    with pytest.raises(ImageError, match="RGB"):
        run_restoration(plan.model_copy(update={"image": plan.image.with_suffix(".npy")}))


def test_wrong_settings_are_named(plan):
    with pytest.raises(PlanError, match=r"pixel_size_angstrom = -1.*") as caught:
        restore_plan({"image": plan.image, "pixel_size_angstrom": -1, "format": "bmp"})
    assert "format = 'bmp'" in str(caught.value)
