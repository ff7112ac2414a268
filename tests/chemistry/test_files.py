import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from crewe.axes import calibrated_image
from crewe.chemistry.files import open_fusion_inputs
from crewe.chemistry.spectra import element_maps
from crewe.errors import CalibrationError, PlanError, ReadError
from crewe.io import write
from crewe.testing.spectrum_images import edx, eels

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "chem"
real = pytest.mark.skipif(not DATA.is_dir(), reason="real files are not part of the repository")
AMOUNTS = {"Fe_Ka": 4.0, "O_Ka": 2.0}


def hdf5(path, **datasets):
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = np.asarray(values)
    return path


def hspy(path, *signals):
    """Several signals in one of HyperSpy's files."""
    with h5py.File(path, "w") as file:
        for index, signal in enumerate(signals):
            single = path.with_name(f"single{index}.hspy")
            write(single, signal)
            with h5py.File(single) as source:
                for key, value in source.attrs.items():
                    file.attrs[key] = value
                group = next(iter(source["Experiments"].values()))
                source.copy(group, file.require_group("Experiments"), name=f"{index}")
    return path


def haadf(shape=(24, 20), step=2.0):
    values = np.random.default_rng(5).poisson(100, shape).astype(np.float32)
    return calibrated_image(values, step, name="HAADF")


def test_stored_maps_are_known_by_their_symbols(tmp_path):
    rng = np.random.default_rng(0)
    layers = {name: rng.poisson(3.0, (16, 12)) for name in ("Co", "Mn", "O")}
    path = hdf5(tmp_path / "set.h5", HAADF=rng.random((16, 12)), notes=np.arange(5), **layers)
    found = open_fusion_inputs(path)
    assert set(found.maps) == {"Co", "Mn", "O"}
    assert all(np.array_equal(found.maps[name].values, layers[name]) for name in layers)
    assert found.are_counts
    assert found.background is None
    assert "HAADF is signal" in found.remarks[0]
    assert set(open_fusion_inputs(path, ["O", "Co"]).maps) == {"O", "Co"}


def test_maps_that_are_no_whole_numbers_are_no_counts(tmp_path):
    path = hdf5(tmp_path / "set.h5", HAADF=np.eye(9), Co=np.full((9, 9), 0.3))
    assert not open_fusion_inputs(path).are_counts


def test_counts_are_taken_from_the_spectra(tmp_path):
    spectra = edx(AMOUNTS)
    path = hspy(tmp_path / "set.hspy", haadf(), spectra)
    found = open_fusion_inputs(path, ["Fe", "O"])
    assert found.are_counts
    direct = element_maps(spectra, ["Fe", "O"])
    for symbol in ("Fe", "O"):
        assert np.array_equal(found.maps[symbol].values, direct.maps.sel(element=symbol).values)
        below = direct.background.sel(element=symbol).values
        assert np.allclose(found.background[symbol].values, below)
    assert any("counts of Fe Ka, O Ka" in remark for remark in found.remarks)


def test_elements_are_those_that_the_file_names(tmp_path):
    named = calibrated_image(np.ones((24, 20)), 2.0, name="Fe")
    path = hspy(tmp_path / "set.hspy", haadf(), edx(AMOUNTS), named)
    found = open_fusion_inputs(path)
    assert list(found.maps) == ["Fe"]
    assert found.maps["Fe"].values.max() > 1
    stored = open_fusion_inputs(path, source="maps")
    assert np.all(stored.maps["Fe"].values == 1)


def test_a_larger_image_is_brought_onto_the_maps(tmp_path):
    path = hspy(tmp_path / "set.hspy", haadf((96, 80), 0.5), edx(AMOUNTS))
    found = open_fusion_inputs(path, ["Fe"])
    assert found.haadf.shape == (24, 20)
    naive = haadf((96, 80)).values.reshape(24, 4, 20, 4).mean(axis=(1, 3))
    assert np.allclose(found.haadf.values, naive)
    assert "(96, 80) pixels brought to (24, 20)" in found.remarks[0]


def test_each_edge_comes_from_the_spectra_that_hold_it(tmp_path):
    image = eels({532.0: 300.0, 779.0: 100.0})
    low, high = image.isel(energy=slice(0, 250)), image.isel(energy=slice(330, 650))
    path = hspy(tmp_path / "set.hspy", haadf(), low.rename("EELS low"), high.rename("EELS high"))
    found = open_fusion_inputs(path, ["O", "Co"])
    assert not found.are_counts
    assert found.maps["O"].values == pytest.approx(300, rel=0.02)
    assert found.maps["Co"].values == pytest.approx(100, rel=0.02)
    assert any("Co L3 from signal 2" in remark for remark in found.remarks)
    with pytest.raises(ReadError, match="no spectrum image holds an edge of Sr"):
        open_fusion_inputs(path, ["Sr"])


def test_the_continuum_stands_in_for_a_missing_image(tmp_path):
    path = hspy(tmp_path / "set.hspy", edx(AMOUNTS))
    with pytest.raises(ReadError, match="haadf='continuum'"):
        open_fusion_inputs(path, ["Fe"])
    found = open_fusion_inputs(path, ["Fe"], haadf="continuum")
    assert found.haadf.dims == ("y", "x")
    assert float(found.haadf.sum()) > float(found.maps["Fe"].sum())


def test_what_is_missing_is_told(tmp_path):
    empty = hdf5(tmp_path / "images.h5", HAADF=np.eye(9), BF=np.eye(9))
    with pytest.raises(ReadError, match="no element map among 'BF', 'HAADF'"):
        open_fusion_inputs(empty)
    one = hdf5(tmp_path / "one.h5", HAADF=np.eye(9), Co=np.eye(9))
    with pytest.raises(ReadError, match="no map of Mn"):
        open_fusion_inputs(one, ["Co", "Mn"])
    with pytest.raises(ReadError, match="no spectrum image"):
        open_fusion_inputs(one, ["Co"], source="spectra")
    with pytest.raises(PlanError, match="no element"):
        open_fusion_inputs(one, ["Kryptonite"])
    with pytest.raises(ReadError, match="no elastic image"):
        open_fusion_inputs(hdf5(tmp_path / "maps.h5", Co=np.eye(9), Mn=np.eye(9)))
    with pytest.raises(ReadError, match="different pixels"):
        open_fusion_inputs(hdf5(tmp_path / "two.h5", HAADF=np.eye(9), Co=np.eye(9), O=np.eye(8)))
    with pytest.raises(CalibrationError, match="not both are calibrated"):
        open_fusion_inputs(hdf5(tmp_path / "sizes.h5", HAADF=np.eye(18), Co=np.eye(9)))


@real
def test_the_cobalt_manganese_oxide_set():
    found = open_fusion_inputs(DATA / "Co3O4_Mn3O4.h5")
    assert set(found.maps) == {"Co", "Mn", "O"}
    assert found.haadf.shape == found.maps["O"].shape == (400, 400)
    assert not found.are_counts


@real
def test_a_bruker_file_gives_counts_of_what_it_names():
    found = open_fusion_inputs(DATA / "bcf_test_TEM.bcf")
    assert set(found.maps) == {"Cu", "O", "Pd", "Ti"}
    assert found.are_counts
    assert float(found.maps["Ti"].sum()) > 10 * float(found.background["Ti"].sum())


@real
def test_velox_files_give_counts_or_the_stored_maps(tmp_path):
    for name in ("velox_EELS_EDS.zip", "velox_emd_version11.zip"):
        with zipfile.ZipFile(DATA / name) as archive:
            archive.extractall(tmp_path)
    paths = {path.name: path for path in tmp_path.rglob("*.emd")}
    counted = open_fusion_inputs(paths["Test SI 16x16 215 kx.emd"])
    assert counted.are_counts
    assert list(counted.maps) == ["C", "Ca", "O", "Cu"]
    assert "mean of 2 frames" in counted.remarks[0]
    pruned = open_fusion_inputs(paths["Test SI 16x16 ReducedData 215 kx.emd"])
    assert not pruned.are_counts
    # No X-rays of these elements were counted, but core loss was mapped.
    losses = open_fusion_inputs(paths["example_velox_EELS_EDS.emd"])
    assert {name: layer.shape for name, layer in losses.maps.items()} == {
        "Fe": (16, 20),
        "Co": (16, 20),
        "O": (16, 20),
    }
    assert float(losses.maps["Fe"].sum()) > 0
    assert "DF-S" in losses.remarks[0]
