"""The lines of docs/conventions.md that concern arrays, origin, units and intensities."""

import numpy as np
import pytest

from crewe.axes import Axis, calibrated_array, calibrated_image, from_signal_dictionary, sampling
from crewe.io import read_image, write
from crewe.physics.intensity import dose_per_area
from crewe.testing.phantoms import asymmetric_phantom


def test_arrays_are_in_c_order_slowest_first():
    assert asymmetric_phantom((7, 11)).dims == ("y", "x")
    assert asymmetric_phantom((5, 7, 11)).dims == ("frame", "y", "x")
    assert asymmetric_phantom().dims == ("y", "x", "ky", "kx")
    assert asymmetric_phantom().values.flags.c_contiguous


def test_spectrum_images_and_element_maps_have_the_order_of_the_table():
    def order(*names):
        axes = [{"name": name, "scale": 1.0, "units": ""} for name in names]
        data = np.zeros(tuple(range(2, 2 + len(names))))
        return from_signal_dictionary({"data": data, "axes": axes}).dims

    assert order("Energy", "y", "x") == ("y", "x", "energy")
    assert order("x", "y", "element") == ("element", "y", "x")


def test_origin_is_the_centre_of_the_top_left_pixel_y_down_x_right(tmp_path):
    away = [Axis("y", -0.2, 5.0, "nm"), Axis("x", 0.1, -3.0, "nm")]
    data = np.arange(80.0).reshape(8, 10)
    write(tmp_path / "away.hspy", calibrated_array(data, away))
    image = read_image(tmp_path / "away.hspy")
    assert float(image.y[0]) == float(image.x[0]) == 0.0
    assert np.all(np.diff(image.y) > 0)
    assert np.all(np.diff(image.x) > 0)
    assert np.array_equal(image.values, data)
    assert image.attrs["file_origin"] == pytest.approx([50.0, -30.0])


@pytest.mark.parametrize(("unit", "factor"), [("nm", 10), ("pm", 0.01), ("µm", 1e4), ("m", 1e10)])
def test_lengths_are_in_angstrom(unit, factor):
    image = calibrated_image(np.zeros((3, 4)), 2.0, unit)
    assert image.y.attrs["units"] == "Å"
    assert sampling(image) == pytest.approx((2 * factor, 2 * factor))


def test_reciprocal_lengths_are_in_one_over_angstrom_without_two_pi():
    pattern = calibrated_array(
        np.zeros((3, 4)), [Axis("ky", 1, 0, "1/nm"), Axis("kx", 1, 0, "1/nm")]
    )
    assert pattern.ky.attrs["units"] == "1/Å"
    assert float(pattern.ky[1]) == pytest.approx(0.1)


def test_spectra_are_in_electronvolt_and_doses_per_square_angstrom():
    spectrum = calibrated_array(np.zeros(5), [Axis("energy", 0.01, 0.5, "keV")])
    assert spectrum.energy.values[:2] == pytest.approx([500.0, 510.0])
    assert dose_per_area(1, 1, 1.0) == pytest.approx(4 * dose_per_area(1, 1, 2.0))


def test_intensities_are_never_rescaled(tmp_path):
    counts = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) + 60_000
    write(tmp_path / "counts.tif", calibrated_image(counts, 0.1))
    assert np.array_equal(read_image(tmp_path / "counts.tif").values, counts)


def test_missing_is_nan_and_survives_files(tmp_path):
    data = np.arange(80.0).reshape(8, 10)
    data[2, 3] = np.nan
    for suffix in (".tif", ".hspy", ".npz", ".zarr"):
        write(tmp_path / f"gap{suffix}", calibrated_image(data, 0.1))
        back = read_image(tmp_path / f"gap{suffix}").values
        assert np.array_equal(back, data, equal_nan=True)
