import hashlib

import numpy as np
import pytest
import yaml
from scipy.spatial import cKDTree
from small_networks import matched_filter

from crewe import axes, io, plots
from crewe.errors import CalibrationError, NoColumnsError, PlanError, WriteError
from crewe.testing.lattices import count_electrons, square_lattice
from crewe.workflows.map_atoms import (
    MapAtomsPlan,
    check_names,
    files_of,
    map_atoms_of,
    run_map_atoms,
)
from crewe.workflows.observer import Recorder

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A counted lattice in a file, and two networks."""
    folder = tmp_path_factory.mktemp("mapped")
    phantom = square_lattice((96, 96))
    counted = count_electrons(phantom.image, 1e5 * 0.15**2, seed=1).assign_attrs(units="e")
    io.write(folder / "gold.tif", counted)
    matched_filter(folder / "blobs.onnx")
    matched_filter(folder / "smooth.onnx", output="intensity")
    return folder, phantom.truth


def plan_for(place, output, model="blobs", **more):
    folder, _ = place
    return MapAtomsPlan(
        image=folder / "gold.tif", model=str(folder / f"{model}.onnx"), output=output, **more
    )


def test_a_mask_gives_map_picture_and_fitted_columns(place, tmp_path):
    plan, heard = plan_for(place, tmp_path), Recorder()
    summary = run_map_atoms(plan, heard).summary
    names = {"gold_blobs.tif", "gold_blobs.png", "gold_columns.csv", "gold_blobs.yaml"}
    assert {path.name for path in tmp_path.iterdir()} == names
    table = io.read_table(tmp_path / "gold_columns.csv")
    truth = place[1]
    assert len(table) == len(truth) == summary["columns"]
    assert {"x_std", "scs_std", "flag", "certainty"} <= set(table)
    x, y = (next(name for name in table if name.split("_")[0] == axis) for axis in "xy")
    distance, _ = cKDTree(table[[y, x]]).query(truth[["y", "x"]])
    assert np.sqrt(np.mean(distance**2)) < 0.03
    marked = io.read_image(tmp_path / "gold_blobs.tif")
    assert marked.shape == (96, 96)
    assert axes.sampling(marked) == pytest.approx((0.15, 0.15))
    assert 0 <= float(marked.min()) <= float(marked.max()) <= 1
    assert (tmp_path / "gold_blobs.png").read_bytes().startswith(b"\x89PNG")
    assert ("finished", f"{len(table)} columns" in heard.heard[-1][1]) == ("finished", True)


def test_without_the_fit_columns_stand_where_the_map_has_them(place, tmp_path):
    mapped = map_atoms_of(plan_for(place, tmp_path, fit=False), Recorder())
    assert "x_std" not in mapped.columns
    fitted = map_atoms_of(plan_for(place, tmp_path), Recorder()).columns
    near, _ = cKDTree(fitted[["y", "x"]]).query(mapped.columns[["y", "x"]])
    assert 0 < np.median(near) < 0.1
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_intensities_gives_an_image_and_no_table(place, tmp_path):
    summary = run_map_atoms(plan_for(place, tmp_path, "smooth"), Recorder()).summary
    names = {f"gold_smooth.{suffix}" for suffix in ("tif", "png", "yaml")}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert run_map_atoms(plan_for(place, tmp_path, "smooth"), Recorder()).skipped
    assert "columns" not in summary
    made, given = io.read_image(tmp_path / "gold_smooth.tif"), io.read_image(place[0] / "gold.tif")
    inside = {"y": slice(10, -10), "x": slice(10, -10)}
    assert float(made.isel(inside).mean()) == pytest.approx(
        float(given.isel(inside).mean()), rel=0.05
    )


def test_what_is_there_is_not_replaced_unasked(place, tmp_path):
    plan = plan_for(place, tmp_path, fit=False)
    files_of(plan)["columns"].write_text("precious")
    with pytest.raises(WriteError, match=r"gold_columns\.csv"):
        run_map_atoms(plan, Recorder())
    assert files_of(plan)["columns"].read_text() == "precious"
    run_map_atoms(plan, Recorder(), overwrite=True)
    assert "x_angstrom" in files_of(plan)["columns"].read_text()


def test_the_very_same_result_is_kept_and_no_other(place, tmp_path):
    plan = plan_for(place, tmp_path, fit=False)
    first, again = (run_map_atoms(plan, Recorder()) for _ in range(2))
    assert (first.skipped, again.skipped) == (False, True)
    assert again.summary == first.summary
    note = yaml.safe_load(files_of(plan)["note"].read_text("utf-8"))
    assert note["image_sha256"] == hashlib.sha256(plan.image.read_bytes()).hexdigest()
    assert note["plan"]["fit"] is False
    assert {"crewe", "onnxruntime"} <= set(note["versions"])
    assert run_map_atoms(plan.model_copy(update={"threads": 1}), Recorder()).skipped
    for change in ({"threshold": 0.2}, {"fit": True}, {"model": str(place[0] / "smooth.onnx")}):
        with pytest.raises(WriteError, match="--overwrite"):
            run_map_atoms(plan.model_copy(update=change), Recorder())
    table = files_of(plan)["columns"]
    table.write_text(table.read_text() + "1,2,3\n")
    with pytest.raises(WriteError, match="--overwrite"):
        run_map_atoms(plan, Recorder())


def test_no_old_note_vouches_for_what_was_cut_off(place, tmp_path, monkeypatch):
    plan = plan_for(place, tmp_path, fit=False)
    run_map_atoms(plan, Recorder())

    def cut_off(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(plots, "save_png", cut_off)
        with pytest.raises(KeyboardInterrupt):
            run_map_atoms(plan, Recorder(), overwrite=True)
    assert not files_of(plan)["note"].exists()
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_cannot_be_made_is_told(place, tmp_path):
    (tmp_path / "file").write_text("")
    heard = Recorder()
    with pytest.raises(WriteError, match="-o"):
        run_map_atoms(plan_for(place, tmp_path / "file", fit=False), heard)
    assert [kind for kind, _ in heard.heard] == ["started"]


def test_columns_beside_a_hole_are_flagged(place, tmp_path):
    image = io.read_image(place[0] / "gold.tif").astype(float)
    image[40:60, 40:60] = np.nan
    io.write(tmp_path / "hole.npz", image)
    plan = plan_for(place, tmp_path / "out").model_copy(update={"image": tmp_path / "hole.npz"})
    summary = run_map_atoms(plan, Recorder()).summary
    assert 0 < summary["columns"] < len(place[1])
    assert np.isnan(io.read_image(files_of(plan)["map"]).values[40:60, 40:60]).all()
    table = map_atoms_of(plan, Recorder()).columns
    beside = table["flag"].str.contains("unmeasured")
    off = np.abs(table[["x", "y"]] - 50 * 0.15).max(axis=1) - 10 * 0.15
    assert 0 < beside.sum() < len(table)
    assert off[beside].max() < 1.0
    assert off[~beside].min() > 0.5


def test_images_of_one_name_do_not_share_files(place, tmp_path):
    plan = plan_for(place, tmp_path)
    other = plan.model_copy(update={"image": tmp_path / "gold.dm4"})
    check_names([plan, plan])
    with pytest.raises(PlanError, match="own -o"):
        check_names([plan, other])


def test_pixels_without_a_size_and_empty_masks_are_told(place, tmp_path):
    io.write(tmp_path / "bare.npy", io.read_image(place[0] / "gold.tif"))
    plan = plan_for(place, tmp_path).model_copy(update={"image": tmp_path / "bare.npy"})
    with pytest.raises(CalibrationError, match="--sampling"):
        map_atoms_of(plan, Recorder())
    map_atoms_of(plan.model_copy(update={"sampling": 0.15}), Recorder())
    with pytest.raises(NoColumnsError, match="threshold"):
        map_atoms_of(plan_for(place, tmp_path, threshold=1.5), Recorder())
