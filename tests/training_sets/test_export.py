import json
import resource

import numpy as np
import pandas as pd
import pytest
import tifffile

from crewe import io
from crewe.axes import sampling
from crewe.errors import PlanError, WriteError
from crewe.training_sets.export import export_training_set
from crewe.training_sets.store import open_training_set

QUERY = "element=Fe fov<5"


@pytest.fixture
def stored(made_set):
    return open_training_set(made_set)


def indices(stored):
    rows = stored.manifest
    chosen = rows["elements"].eq("Fe,Pt") & (rows["field_of_view_angstrom"] < 5)
    return list(rows["index"][chosen])


def test_tif_files_keep_counts_and_calibration(stored, tmp_path):
    number = export_training_set(stored, tmp_path / "out", "tif", QUERY)
    chosen = indices(stored)
    assert number == len(chosen) > 3
    for name in ("image", "mask", "clean", "fine"):
        files = sorted((tmp_path / "out" / name).iterdir())
        assert [file.name for file in files] == [f"{name}_{i:06d}.tif" for i in chosen]
        for index, file in zip(chosen, files, strict=True):
            image = io.read_image(file)
            np.testing.assert_array_equal(image.values, stored[index].arrays[name])
            pixel = stored.facts(index)["pixel_size_angstrom"] / (2 if name == "fine" else 1)
            assert sampling(image) == pytest.approx((pixel, pixel))
    with tifffile.TiffFile(files[0]) as tif:
        assert tif.imagej_metadata["unit"] == "nm"
        numerator, denominator = tif.pages[0].tags["XResolution"].value
    assert denominator / numerator == pytest.approx(pixel_of(stored, chosen[0]) / 10, rel=1e-6)


def pixel_of(stored, index):
    return stored.facts(index)["pixel_size_angstrom"] / 2


def test_tables_carry_units_and_sample_numbers(stored, tmp_path):
    export_training_set(stored, tmp_path / "out", "npz", QUERY)
    manifest = pd.read_csv(tmp_path / "out" / "manifest.csv")
    assert list(manifest["index"]) == indices(stored)
    assert "dose_e_per_angstrom2" in manifest
    atoms = pd.read_csv(tmp_path / "out" / "positions.csv")
    assert list(atoms.columns) == ["sample", "x_angstrom", "y_angstrom", "element"]
    for index in indices(stored):
        of_sample = atoms[atoms["sample"] == index]
        np.testing.assert_array_equal(of_sample["x_angstrom"], stored.positions(index)["x"])


def test_npz_files_hold_arrays_facts_and_tables(stored, tmp_path):
    export_training_set(stored, tmp_path / "out", "npz", QUERY)
    index = indices(stored)[1]
    with np.load(tmp_path / "out" / f"sample_{index:06d}.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["fine"], stored[index].arrays["fine"])
        assert json.loads(str(file["facts"])) == stored.facts(index)
        assert list(file["positions_element"]) == list(stored.positions(index)["element"])


def test_refusals(stored, tmp_path):
    with pytest.raises(PlanError, match="no sample fits"):
        export_training_set(stored, tmp_path / "out", "tif", "fov>1e6")
    with pytest.raises(PlanError, match="choose tif"):
        export_training_set(stored, tmp_path / "out", "mat")
    (tmp_path / "out").mkdir()
    with pytest.raises(WriteError, match="exists"):
        export_training_set(stored, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@pytest.mark.parametrize("form", ["tif", "npz"])
def test_a_disk_that_refuses_is_told_in_one_line(stored, tmp_path, form):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(WriteError, match=r"^cannot write ") as told:
            export_training_set(stored, tmp_path / "out", form)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "\n" not in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_set_leaves_no_half_export(copied_set, tmp_path):
    (copied_set / "clean/c/1/0/0").write_bytes(b"")
    with pytest.raises(Exception, match="damaged"):
        export_training_set(open_training_set(copied_set), tmp_path / "out", "npz")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))
