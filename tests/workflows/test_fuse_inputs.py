import numpy as np
import pytest
from fuse_data import ELEMENTS, measured, stack_of, write_field, write_stack

from crewe import io
from crewe.axes import calibrated_array, calibrated_image, length_unit, sampling
from crewe.axes.arrays import Axis
from crewe.errors import CreweError, ImageError, ReadError
from crewe.workflows.fuse_inputs import open_inputs
from crewe.workflows.fuse_plan import fuse_plan


@pytest.fixture(scope="module")
def made():
    return measured()


def opened(settings, **more):
    return open_inputs(fuse_plan({**settings, "align": False, **more}))


@pytest.mark.parametrize("suffix", ["tif", "zarr", "npz"])
def test_windows_are_read_where_they_lie(tmp_path, made, suffix):
    inputs = opened(write_field(tmp_path, made, suffix))
    assert inputs.elements == ELEMENTS
    assert (inputs.frames, inputs.shape) == (1, (48, 48))
    field = inputs.field(0, (slice(4, 20), slice(10, 40)))
    np.testing.assert_array_equal(field.maps.values, made.maps.values[:, 4:20, 10:40])
    np.testing.assert_allclose(field.haadf.values, made.haadf.values[4:20, 10:40])
    assert field.maps.values.dtype == field.haadf.values.dtype == np.float32
    assert float(field.haadf["y"][0]) == pytest.approx(4 * 0.213)
    assert sampling(field.maps) == pytest.approx((0.213, 0.213))


def test_frames_of_a_stack_stay_together(tmp_path):
    fields = [measured(seed=seed) for seed in range(3)]
    inputs = opened(write_stack(tmp_path, fields))
    assert (inputs.frames, inputs.shape) == (3, (48, 48))
    field = inputs.field(2)
    np.testing.assert_array_equal(field.maps.values, fields[2].maps.values)
    np.testing.assert_allclose(field.haadf.values, fields[2].haadf.values)
    stacked = inputs.like("S", np.zeros((3, 48, 48), np.float32))
    assert stacked.dims == ("z", "y", "x")
    assert (stacked.name, stacked.attrs["units"]) == ("S", "counts")


def test_other_numbers_of_frames_are_refused(tmp_path, made):
    settings = write_field(tmp_path, made)
    io.write(settings["maps"]["S"], stack_of([made.haadf] * 2), overwrite=True)
    with pytest.raises(ImageError, match="map of S has 2 frames and HAADF has 1"):
        opened(settings)


def test_maps_of_different_fields_are_refused(tmp_path, made):
    settings = write_field(tmp_path, made)
    io.write(settings["maps"]["O"], calibrated_image(np.ones((40, 48)), 0.213), overwrite=True)
    with pytest.raises(ImageError, match="Co 48 × 48, S 48 × 48, O 40 × 48"):
        opened(settings)


def test_a_spectrum_image_is_no_map(tmp_path, made):
    settings = write_field(tmp_path, made)
    axes = (Axis("y", 0.2, 0, "Å"), Axis("x", 0.2, 0, "Å"), Axis("energy", 10, 0, "eV"))
    cube = calibrated_array(np.ones((48, 48, 9), np.uint8), axes)
    io.write(tmp_path / "cube.hspy", cube)
    settings["maps"]["O"] = tmp_path / "cube.hspy"
    with pytest.raises(ImageError, match="map of O must be an image"):
        opened(settings)
    settings["maps"]["O"] = tmp_path / "none.tif"
    with pytest.raises(ReadError, match=r"none\.tif"):
        opened(settings)


def test_maps_without_pixel_size_take_that_of_haadf(tmp_path, made):
    settings = write_field(tmp_path, made)
    for element in ("Co", "S"):
        values = made.maps.sel(element=element).values.astype(np.uint16)
        io.write(settings["maps"][element], calibrated_image(values, 1, "px"), overwrite=True)
    inputs = opened(settings)
    assert inputs.remarks == ("Co, S without a pixel size: that of HAADF was taken",)
    assert {length_unit(one) for one in inputs.maps.values()} == {"Å"}


def test_a_signal_named_by_the_element_is_taken(tmp_path, made):
    settings = write_field(tmp_path, made)
    planes = {name: made.maps.sel(element=name).values for name in ELEMENTS}
    np.savez(tmp_path / "all.npz", **planes)
    settings["maps"] = dict.fromkeys(ELEMENTS, tmp_path / "all.npz")
    np.testing.assert_array_equal(opened(settings).field().maps.values, made.maps.values)


def test_one_file_may_hold_both(tmp_path, made):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "both.h5", "w") as file:
        file["HAADF"] = made.haadf.values
        for name in ELEMENTS:
            file[name] = made.maps.sel(element=name).values
    inputs = opened({"haadf": tmp_path / "both.h5"})
    assert set(inputs.elements) == set(ELEMENTS)
    assert any("HAADF" in remark for remark in inputs.remarks)
    two = opened({"haadf": tmp_path / "both.h5", "elements": ("S", "Co")})
    assert set(two.elements) == {"S", "Co"}
    expected = made.maps.sel(element=list(two.elements)).values
    np.testing.assert_array_equal(two.field().maps.values, expected)
    with pytest.raises(CreweError, match="Pt"):
        opened({"haadf": tmp_path / "both.h5", "elements": ("Pt",)})


def test_what_a_file_lacks_is_told_by_the_options_that_help(tmp_path, made):
    np.savez(tmp_path / "maps.npz", Co=made.maps.sel(element="Co").values, S=made.haadf.values)
    with pytest.raises(ReadError, match="--signal continuum"):
        opened({"haadf": tmp_path / "maps.npz"})


def test_a_background_is_cut_as_the_maps_are(tmp_path, made):
    inputs = opened(write_field(tmp_path, made))
    ramp = made.haadf.copy(data=np.arange(48.0 * 48).reshape(48, 48))
    dark = type(inputs)(inputs.haadf, inputs.maps, dict.fromkeys(ELEMENTS, ramp), aligned=False)
    field = dark.field(0, (slice(3, 9), slice(0, 5)))
    np.testing.assert_array_equal(field.background.values[1], ramp.values[3:9, :5])
    assert field.signal.min() == 0
