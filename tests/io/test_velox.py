"""Spectrum images that Velox wrote, with their element maps and HAADF images."""

import zipfile
from pathlib import Path

import dask.array as da
import numpy as np
import pytest

from crewe.io import list_signals, read
from crewe.io.velox import (
    corrected_velox,
    holds_spectrum_image,
    scanned_shape,
    spectrum_image_bytes,
)

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "chem"
real = pytest.mark.skipif(not DATA.is_dir(), reason="real files are not part of the repository")


def metadata(shape, frames=1, size=(128, 128)):
    top, left = 16, 32
    area = {
        "top": top / size[0],
        "bottom": (top + shape[0]) / size[0],
        "left": left / size[1],
        "right": (left + shape[1]) / size[1],
    }
    scan = {"ScanSize": {"height": str(size[0]), "width": str(size[1])}, "ScanArea": area}
    return {"Scan": scan, "ImportedDataParameter": {"Number_of_frames": frames}}


def spectra(data, frames=1, shape=(6, 5)):
    names = ("y", "x", "X-ray energy")
    axes = [{"name": name, "scale": 1.0, "offset": 0.0, "units": "nm"} for name in names]
    return {"data": data, "axes": axes, "original_metadata": metadata(shape, frames)}


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("frames", [1, 3])
def test_spectra_on_the_grid_of_a_survey_go_back_where_they_were_recorded(lazy, frames):
    recorded = np.random.default_rng(0).poisson(1.0, (frames, 6, 5, 7)).astype(np.uint16)
    wrong = np.zeros((20, 16, 7), np.uint16)
    wrong.reshape(-1, 7)[: frames * 30] = recorded.reshape(-1, 7)
    data = da.from_array(wrong) if lazy else wrong
    found = corrected_velox(spectra(data, frames))
    assert found["data"].dtype == np.uint16
    assert np.array_equal(np.asarray(found["data"]), recorded.sum(axis=0))


def test_spectra_that_wrapped_around_are_left_out():
    assert corrected_velox(spectra(np.zeros((8, 8, 7)), frames=3)) is None


def test_spectra_in_their_place_stay_there():
    data = np.ones((6, 5, 7))
    assert corrected_velox(spectra(data))["data"] is data
    without = {**spectra(data), "original_metadata": {}}
    assert corrected_velox(without)["data"] is data


def test_energies_are_named_energies():
    found = corrected_velox(spectra(np.ones((6, 5, 7))))
    assert [axis["name"] for axis in found["axes"]] == ["y", "x", "Energy"]


def test_frames_of_an_image_are_averaged():
    names = ("Time", "y", "x")
    stack = np.random.default_rng(1).integers(0, 60000, (4, 6, 5)).astype(np.uint16)
    found = corrected_velox({"data": stack, "axes": [{"name": name} for name in names]})
    assert np.allclose(found["data"], stack.mean(axis=0))
    assert [axis["name"] for axis in found["axes"]] == ["y", "x"]
    assert found["frames"] == 4


def test_the_scanned_area_is_read_from_the_metadata():
    assert scanned_shape(metadata((16, 20))) == (16, 20)
    assert scanned_shape({}) is None
    assert scanned_shape({"Scan": {"ScanSize": "128", "ScanArea": None}}) is None
    odd = metadata((16, 20))
    odd["Scan"]["ScanArea"]["bottom"] += 0.004
    assert scanned_shape(odd) is None


def test_a_spectrum_image_is_known_by_its_groups():
    assert holds_spectrum_image(["Data/Image/1/Data", "Data/SpectrumStream/2/Data"])
    assert not holds_spectrum_image(["Data/Image/1/Data", "Data/Spectrum/2/Data"])


def test_a_streams_spectrum_image_is_as_large_as_the_images_beside_it():
    shapes = {"Data/SpectrumStream/1/Data": (5000, 1), "Data/Image/2/Data": (64, 32, 7)}
    assert spectrum_image_bytes(shapes) == 64 * 32 * 4096 * 2
    assert spectrum_image_bytes({"Data/Image/2/Data": (64, 32, 7)}) == 0


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("velox")
    for name in ("velox_EELS_EDS.zip", "velox_emd_version11.zip"):
        with zipfile.ZipFile(DATA / name) as archive:
            archive.extractall(folder)
    return {path.name: path for path in folder.rglob("*.emd")}


@real
def test_maps_image_and_spectra_of_an_edx_file(unpacked):
    path = unpacked["Test SI 16x16 215 kx.emd"]
    names = {info.name: info for info in list_signals(path)}
    assert {"C", "Ca", "O", "Cu", "HAADF"} <= set(names)
    image = read(path)
    assert (image.name, image.dims, image.attrs["frame"]) == ("HAADF", ("y", "x"), "mean of 2")
    found = read(path, names["EDS"].index)
    assert found.dims == ("y", "x", "energy")
    assert found.shape == (16, 16, 4096)
    # What the four detectors' own spectra, stored beside it, hold in all.
    single = [read(path, info.index) for info in list_signals(path) if info.dims == ("energy",)]
    assert len(single) == 4
    assert np.array_equal(found.sum(("y", "x")), sum(spectrum.values for spectrum in single))
    assert float(found.energy[1] - found.energy[0]) == pytest.approx(10.0)


@real
def test_lazy_spectra_are_the_same(unpacked, monkeypatch):
    path = unpacked["Test SI 16x16 215 kx.emd"]
    eager = read(path, 9)
    monkeypatch.setattr("crewe.io.hdf5.spectrum_image_bytes", lambda shapes: 2**40)
    assert np.array_equal(read(path, 9).values, eager.values)
    assert np.array_equal(read(path).values, read(path, "HAADF").values)


@real
def test_spectra_beside_a_survey_image_have_the_shape_of_their_maps(unpacked):
    path = unpacked["example_velox_EELS_EDS.emd"]
    cubes = [info for info in list_signals(path) if len(info.dims) == 3]
    assert {info.shape[:2] for info in cubes} == {(16, 20)}
    assert all(info.dims == ("y", "x", "energy") for info in cubes)
    edx = read(path, cubes[-1].index)
    single = [read(path, info.index) for info in list_signals(path) if info.dims == ("energy",)]
    assert np.array_equal(edx.sum(("y", "x")), sum(spectrum.values for spectrum in single))
    assert np.all(edx.sum("energy") > 0)
