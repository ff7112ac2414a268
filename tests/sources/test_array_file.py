import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr
from dm4_files import write_dm4

from crewe import io
from crewe.axes import Axis, calibrated_array
from crewe.errors import CreweError, PlanError, ReadError
from crewe.physics.electron import wavelength_angstrom
from crewe.sources import Scan
from crewe.sources.array_file import calibrated_source, open_array_file
from crewe.sources.file_array import FileArray

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "4dstem"
real = pytest.mark.skipif(not DATA.is_dir(), reason="real files are not part of the repository")
SHAPE = (3, 4, 6, 5)
AXES = (Axis("y", 0.2, 0, "Å"), Axis("x", 0.3, 0, "Å"), Axis("ky", 0.01, 0, "1/Å"))
AXES = (*AXES, Axis("kx", 0.02, 0, "1/Å"))


@pytest.fixture
def patterns():
    return np.random.default_rng(2).integers(0, 2**12, SHAPE, dtype=np.uint16)


@pytest.fixture
def calibrated(patterns):
    return calibrated_array(patterns, AXES, "scan", {"beam_energy_kev": 200.0})


def everything(source):
    result = np.zeros((source.scan.size, *source.detector_shape))
    with source:
        for batch in source.batches():
            result[batch.positions] = batch.patterns
    return result.reshape(*source.scan.shape, *source.detector_shape)


@pytest.mark.parametrize("suffix", ["npy", "npz", "hspy", "h5", "zarr"])
def test_written_sets_come_back_with_their_calibration(suffix, calibrated, tmp_path):
    path = tmp_path / f"set.{suffix}"
    io.write(path, calibrated)
    source = open_array_file(path)
    assert (everything(source) == calibrated.values).all()
    if suffix == "npy":
        assert source.scan.step_angstrom is None
        return
    assert source.scan.step_angstrom == pytest.approx((0.2, 0.3))
    assert source.known.detector_sampling_inverse_angstrom == pytest.approx((0.01, 0.02))
    assert source.known.beam_energy_kev == 200


def test_files_are_read_part_by_part(tmp_path):
    shape, chunks = (40, 32, 128, 256), (2, 4, 128, 256)
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint16))
    zarr.create_array(tmp_path / "a.zarr", shape=shape, chunks=chunks, dtype="u2")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", shape, "u2", chunks=chunks)
    for name in ("a.npy", "a.zarr", "a.h5"):
        with open_array_file(tmp_path / name) as source:
            assert next(source.batches()).patterns.nbytes <= 2**23
            assert len(list(source.parts())) > 10


def hspy_without_names(path, patterns):
    with h5py.File(path, "w") as file:
        group = file.create_group("Experiments/gold")
        group["data"] = patterns
        for place, (scale, units) in enumerate(((2, "nm"), (2, "nm"), (4, "mrad"), (4, "mrad"))):
            axis = group.create_group(f"axis-{place}")
            axis.attrs.update(name="<undefined>", scale=scale, offset=0, units=units)
        beam = group.create_group("metadata/Acquisition_instrument/TEM")
        beam.attrs.update(beam_energy=300.0, convergence_angle=21.5)


def test_mrad_become_inverse_angstrom_with_the_beam_energy(patterns, tmp_path):
    hspy_without_names(tmp_path / "gold.hspy", patterns)
    source = open_array_file(tmp_path / "gold.hspy")
    pixel = 4e-3 / wavelength_angstrom(300)
    assert source.known.detector_sampling_inverse_angstrom == pytest.approx((pixel, pixel))
    assert source.known.convergence_semi_angle_mrad == 21.5
    assert source.scan.step_angstrom == (20, 20)
    other = open_array_file(tmp_path / "gold.hspy", beam_energy_kev=60).known
    assert other.detector_sampling_inverse_angstrom[0] < pixel
    assert (everything(source) == patterns).all()


def emd(path, root, patterns, names, units, prismatic=False):
    with h5py.File(path, "w") as file:
        group = file.create_group(root)
        group.create_dataset("data", data=patterns, chunks=(1, 2, 3, 4))
        first = 0 if "datacube_root" in root else 1
        for place, (name, unit) in enumerate(zip(names, units, strict=True)):
            dim = group.create_dataset(f"dim{first + place}", data=[0, 0.5 + place])
            dim.attrs.update(name=name, units=unit)


@pytest.mark.parametrize("underscore", ["", "_"])
def test_py4dstem_keeps_its_rows_as_rows(underscore, patterns, tmp_path):
    names = [f"{kind}{underscore}{one}" for kind in "RQ" for one in "xy"]
    emd(tmp_path / "a.h5", "datacube_root/datacube", patterns, names, ["A", "A", "A^-1", "A^-1"])
    source = open_array_file(tmp_path / "a.h5")
    assert (everything(source) == patterns).all()
    assert source.scan.step_angstrom == (0.5, 1.5)
    assert source.known.detector_sampling_inverse_angstrom == (2.5, 3.5)


def test_axes_in_another_order_are_put_in_ours(patterns, tmp_path):
    units = ["[n_m^-1]", "[n_m^-1]", "[n_m]", "[n_m]"]
    emd(tmp_path / "a.emd", "data/a", patterns.transpose(2, 3, 0, 1), "abcd", units)
    source = open_array_file(tmp_path / "a.emd", Scan((3, 4)))
    assert (everything(source) == patterns).all()
    assert source.known.detector_sampling_inverse_angstrom == pytest.approx((0.05, 0.15))


def test_plain_zarr_arrays_and_stacks(patterns, tmp_path):
    zarr.create_array(tmp_path / "plain.zarr", data=patterns, chunks=(2, 2, 3, 5))
    assert (everything(open_array_file(tmp_path / "plain.zarr")) == patterns).all()
    np.save(tmp_path / "stack.npy", patterns.reshape(12, 6, 5))
    assert (everything(open_array_file(tmp_path / "stack.npy", Scan((3, 4)))) == patterns).all()
    with pytest.raises(PlanError, match=r"stack.npy: a stack of 12 frames .*--scan 3x4"):
        open_array_file(tmp_path / "stack.npy")
    with pytest.raises(PlanError, match=r"12 frames are no whole number .*--scan 3x4"):
        open_array_file(tmp_path / "stack.npy", Scan((2, 5)))


def test_fortran_order_on_disk(tmp_path):
    large = np.arange(64 * 32 * 144 * 128, dtype=np.uint16).reshape(64, 32, 144, 128)
    np.save(tmp_path / "f.npy", np.asfortranarray(large))
    assert (everything(open_array_file(tmp_path / "f.npy")) == large).all()


def test_the_wanted_dataset_is_taken(patterns, tmp_path):
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["one/data"], file["two/data"] = patterns, patterns[:2] + 1
        file["adf"] = patterns[..., 0, 0]
    path = tmp_path / "two.h5"
    assert (everything(open_array_file(path)) == patterns).all()
    for dataset in ("two", "two/data", 2):
        assert (everything(open_array_file(path, dataset=dataset)) == patterns[:2] + 1).all()
    with pytest.raises(ReadError, match="several datasets are called 'data'"):
        open_array_file(path, dataset="data")
    with pytest.raises(ReadError, match="'adf' is no 4D data"):
        open_array_file(path, dataset="adf")


def test_calibrated_arrays_are_sources_too(calibrated):
    source = calibrated_source(calibrated.transpose("kx", "x", "ky", "y"))
    assert (everything(source) == calibrated.values).all()
    assert source.scan.step_angstrom == pytest.approx((0.2, 0.3))


def test_what_holds_no_4d_data_is_refused(tmp_path, calibrated):
    image = calibrated_array(np.ones((5, 6), np.float32), AXES[:2])
    series = calibrated_array(np.ones((4, 5, 6), np.float32), (Axis("frame"), *AXES[:2]))
    for name, array in (("image.tif", image), ("series.hspy", series)):
        io.write(tmp_path / name, array)
        with pytest.raises(ReadError, match=rf"{name}: holds no 4D data: 0 .* 5 × 6"):
            open_array_file(tmp_path / name)


@pytest.mark.parametrize("suffix", ["npy", "hspy", "npz"])
def test_truncated_files_are_told(suffix, calibrated, tmp_path):
    path = tmp_path / f"set.{suffix}"
    io.write(path, calibrated)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(CreweError, match=path.name):
        everything(open_array_file(path))


def arina(folder, frames, mask, parts=(5, 4)):
    starts = np.cumsum([0, *parts])
    with h5py.File(folder / "a_master.h5", "w") as file:
        data = file.create_group("entry/data")
        settings = file.create_group("entry/instrument/detector/detectorSpecific")
        settings["pixel_mask"], settings["photon_energy"] = mask, 300e3
        for number, start in enumerate(starts[:-1]):
            name = f"data_{number + 1:06d}"
            with h5py.File(folder / f"a_{name}.h5", "w") as other:
                piece = frames[start : starts[number + 1]]
                other.create_dataset("entry/data/data", data=piece, chunks=(2, 6, 5))
            data[name] = h5py.ExternalLink(f"a_{name}.h5", "/entry/data/data")


def test_arina_joins_its_files_and_blanks_its_mask(tmp_path):
    frames = np.random.default_rng(3).integers(0, 99, (9, 6, 5), dtype=np.uint32)
    mask = np.zeros((6, 5), np.uint32)
    mask[1, 2], frames[:, 1, 2] = 1, 2**32 - 1
    arina(tmp_path, frames, mask)
    source = open_array_file(tmp_path / "a_master.h5", Scan((3, 3)))
    read = everything(source).reshape(frames.shape)
    assert (read == np.where(mask, 0, frames)).all()
    assert source.known.beam_energy_kev == 300
    (tmp_path / "a_data_000002.h5").unlink()
    with pytest.raises(ReadError, match=r"lie in a_data_000002.h5"):
        open_array_file(tmp_path / "a_master.h5", Scan((3, 3)))


@real
def test_block_file():
    source = open_array_file(DATA / "blockfile_test1.blo")
    assert (everything(source) == io.read(DATA / "blockfile_test1.blo").values).all()
    assert (source.scan.shape, source.scan.step_angstrom) == ((3, 2), (128.0, 128.0))


@real
def test_prismatic_exit_surface_is_taken():
    source = open_array_file(DATA / "prismatic_Si100_4D.emd")
    both = io.read(DATA / "prismatic_Si100_4D.emd")
    assert (everything(source) == both[-1].values).all()
    assert source.known.beam_energy_kev == 100
    assert source.known.detector_sampling_inverse_angstrom[0] == pytest.approx(0.18416, rel=1e-4)
    first = open_array_file(DATA / "prismatic_Si100_4D.emd", dataset="CBED_array_depth0000")
    assert (everything(first) == both[0].values).all()


@real
def test_real_arina(tmp_path):
    shutil.copy(DATA / "arina_test_00_master.h5", tmp_path / "test_00_master.h5")
    shutil.copy(DATA / "arina_test_00_data_000001.h5", tmp_path / "test_00_data_000001.h5")
    try:
        import hdf5plugin  # noqa: F401
    except ImportError:
        with pytest.raises(ReadError, match=r"bitshuffle.*install hdf5plugin"):
            open_array_file(tmp_path / "test_00_master.h5", Scan((4, 4)))
        return
    source = open_array_file(tmp_path / "test_00_master.h5", Scan((4, 4)))
    assert everything(source).shape == (4, 4, 192, 192)


@real
@pytest.mark.parametrize(
    "name", ["tia_4D_16x16-diffraction_5x5x256x256.ser", "prismatic_Si100_DPC.emd"]
)
def test_real_files_without_patterns(name):
    with pytest.raises(ReadError, match="holds no 4D data"):
        open_array_file(DATA / name)


def test_beam_of_our_own_hspy_is_read(calibrated, tmp_path):
    angle = calibrated.assign_attrs(convergence_semi_angle_mrad=20.0)
    io.write(tmp_path / "a.hspy", angle)
    assert open_array_file(tmp_path / "a.hspy").known.convergence_semi_angle_mrad == 20
    with h5py.File(tmp_path / "a.hspy", "r+") as file:
        (name,) = file["Experiments"]
        own = file[f"Experiments/{name}/metadata/crewe"].attrs
        own["attrs"] = json.dumps(["no", "mapping"])
    assert open_array_file(tmp_path / "a.hspy").known.convergence_semi_angle_mrad is None


def as_hyperspy_writes(path, patterns):
    """The layout of HyperSpy's own writer, file format 3.3."""
    axes = (("y", 0.02, "nm"), ("x", 0.03, "nm"), ("ky", 0.1, "nm^-1"), ("kx", 0.2, "nm^-1"))
    with h5py.File(path, "w") as file:
        file.attrs.update(file_format="HyperSpy", file_format_version="3.3")
        group = file.create_group("Experiments/__unnamed__")
        group.create_dataset("data", data=patterns, chunks=(1, 2, 6, 5), compression="gzip")
        for place, (name, scale, unit) in enumerate(axes):
            axis = group.create_group(f"axis-{place}")
            axis.attrs.update(_type="UniformDataAxis", name=name, units=unit, navigate=place < 2)
            axis.attrs.update(scale=scale, offset=0.0, size=patterns.shape[place], is_binned=False)
        group.create_group("metadata/Signal").attrs["signal_type"] = "electron_diffraction"
        beam = group.create_group("metadata/Acquisition_instrument/TEM")
        beam.attrs["beam_energy"] = 200.0


def test_hspy_is_the_same_from_us_and_from_hyperspy(calibrated, patterns, tmp_path):
    io.write(tmp_path / "ours.hspy", calibrated)
    as_hyperspy_writes(tmp_path / "theirs.hspy", patterns)
    ours, theirs = (open_array_file(tmp_path / f"{name}.hspy") for name in ("ours", "theirs"))
    assert ours.scan.shape == theirs.scan.shape == patterns.shape[:2]
    assert ours.scan.step_angstrom == pytest.approx(theirs.scan.step_angstrom)
    assert ours.known.beam_energy_kev == theirs.known.beam_energy_kev == 200
    pixel = ours.known.detector_sampling_inverse_angstrom
    assert theirs.known.detector_sampling_inverse_angstrom == pytest.approx(pixel)
    assert (everything(ours) == patterns).all()
    assert (everything(theirs) == patterns).all()


NM = ((2.0, "nm"), (3.0, "nm"), (0.1, "1/nm"), (0.2, "1/nm"))


def test_dm4_keeps_its_axes_and_calibration(patterns, tmp_path):
    write_dm4(tmp_path / "a.dm4", patterns.shape, NM, patterns)
    source = open_array_file(tmp_path / "a.dm4")
    assert (everything(source) == patterns).all()
    assert source.scan.step_angstrom == pytest.approx((20, 30))
    assert source.known.detector_sampling_inverse_angstrom == pytest.approx((0.01, 0.02))


def test_a_large_dm4_is_read_at_its_place_and_not_in_the_chunks_of_a_map(tmp_path):
    patterns = np.zeros((16, 20, 384, 384), np.uint16)
    patterns[..., 5] = np.arange(320 * 384).reshape(16, 20, 384) % 65521
    write_dm4(tmp_path / "a.dm4", patterns.shape, NM, patterns)
    with open_array_file(tmp_path / "a.dm4") as source:
        assert isinstance(source._data, FileArray)
        for batch in source.batches():
            same = batch.patterns == patterns.reshape(-1, 384, 384)[batch.positions]
            assert same.all()
        assert source.counters.used == 320
