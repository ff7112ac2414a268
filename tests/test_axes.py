import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from crewe.axes import (
    Axis,
    calibrated_array,
    calibrated_image,
    check_image,
    crop,
    from_hyperspy,
    from_signal_dictionary,
    length_unit,
    normalise_unit,
    plain_value,
    sampling,
    signal_dictionary,
    to_hyperspy,
    with_sampling,
)
from crewe.errors import CalibrationError, ImageError
from crewe.testing.phantoms import asymmetric_phantom


def image(shape=(20, 30), step=(0.5, 0.25), unit="Å"):
    values = np.random.default_rng(1).normal(size=shape)
    return calibrated_image(values, step, unit, attrs={"beam_energy_kev": 300.0})


@pytest.mark.parametrize(
    ("spelling", "factor", "unit"),
    [
        ("nm", 10, "Å"),
        ("1/nm", 0.1, "1/Å"),
        ("1 / nm", 0.1, "1/Å"),
        ("nm^-1", 0.1, "1/Å"),
        ("nm⁻¹", 0.1, "1/Å"),
        ("µm", 1e4, "Å"),
        ("μm", 1e4, "Å"),
        ("um", 1e4, "Å"),
        ("microns", 1e4, "Å"),
        ("micron", 1e4, "Å"),
        ("\\u00B5m", 1e4, "Å"),
        ("ƒÊm", 1e4, "Å"),
        ("A^-1", 1, "1/Å"),
        ("Å", 1, "Å"),
        ("\u212b", 1, "Å"),
        ("A", 1, "Å"),
        ("Angstrom", 1, "Å"),
        ("pm", 0.01, "Å"),
        ("m", 1e10, "Å"),
        ("cm", 1e8, "Å"),
        ("keV", 1000, "eV"),
        ("eV", 1, "eV"),
        ("mrad", 1, "mrad"),
        ("rad", 1000, "mrad"),
        ("µs", 1e-6, "s"),
        ("", 1, "px"),
        (None, 1, "px"),
        ("<undefined>", 1, "px"),
        ("px", 1, "px"),
        ("pixels", 1, "px"),
        ("furlong", 1, "furlong"),
    ],
)
def test_every_spelling_of_a_unit_becomes_ours(spelling, factor, unit):
    found, name = normalise_unit(spelling)
    assert (name, found) == (unit, pytest.approx(factor))


@given(st.text(max_size=12))
def test_any_text_is_a_unit(text):
    factor, unit = normalise_unit(text)
    assert factor > 0
    assert isinstance(unit, str)


@given(
    st.floats(1e-3, 1e5),
    st.floats(1e-3, 1e5),
    st.integers(2, 50),
    st.integers(2, 50),
)
def test_sampling_returns_what_was_given(step_y, step_x, rows, columns):
    array = calibrated_image(np.zeros((rows, columns)), (step_y, step_x))
    assert sampling(array) == pytest.approx((step_y, step_x), rel=1e-12)


def test_nanometres_are_converted_and_reciprocals_too():
    assert sampling(image(step=0.05, unit="nm")) == pytest.approx((0.5, 0.5))
    assert length_unit(image(unit="1/nm")) == "1/Å"
    assert sampling(image(step=1.0, unit="1/nm")) == pytest.approx((0.1, 0.1))


def test_a_falling_axis_keeps_data_and_has_positive_sampling():
    axes = [Axis("y", -2.0, 10.0, "nm"), Axis("x", 1.0, 0.0, "nm")]
    array = calibrated_array(np.arange(6.0).reshape(2, 3), axes)
    assert array.y.values.tolist() == [100.0, 80.0]
    assert array.values[0].tolist() == [0, 1, 2]
    assert sampling(array) == pytest.approx((20.0, 10.0))


def test_a_single_row_knows_its_pixel_size():
    assert sampling(calibrated_image(np.zeros((1, 5)), (0.3, 0.2))) == pytest.approx((0.3, 0.2))


@pytest.mark.parametrize("step", [0.0, math.nan, math.inf])
def test_a_void_step_counts_as_uncalibrated(step):
    array = calibrated_array(np.zeros((4, 4)), [Axis("y", step, 0, "nm"), Axis("x", step, 0, "nm")])
    assert length_unit(array) == "px"
    assert sampling(array) == (1.0, 1.0)


def test_sampling_refuses_missing_and_uneven_axes():
    with pytest.raises(CalibrationError, match="has no coordinate"):
        sampling(xr.DataArray(np.zeros((3, 3)), dims=("y", "x")))
    uneven = image().assign_coords(x=np.arange(30.0) ** 2)
    with pytest.raises(CalibrationError, match="not evenly spaced"):
        sampling(uneven)


def test_length_unit_refuses_a_mixture():
    mixed = image().assign_coords(x=image(unit="px").x)
    with pytest.raises(CalibrationError, match="y is in Å but x in px"):
        length_unit(mixed)


@pytest.mark.parametrize("step", [0, -1, math.nan, math.inf])
def test_a_pixel_size_must_be_positive(step):
    with pytest.raises(CalibrationError, match="positive"):
        calibrated_image(np.zeros((9, 9)), step)


def test_with_sampling_replaces_and_moves_to_the_origin():
    moved = with_sampling(image(step=1.0, unit="px"), (0.02, 0.01), "nm")
    assert sampling(moved) == pytest.approx((0.2, 0.1))
    assert float(moved.y[0]) == 0.0
    assert moved.attrs == {"beam_energy_kev": 300.0}


def test_crop_takes_lengths_and_keeps_coordinates():
    part = crop(image(), y=slice(2.0, 5.0), x=slice(1.0, None))
    assert part.y.values.tolist() == [2.0, 2.5, 3.0, 3.5, 4.0, 4.5]
    assert part.x.values[0] == 1.0
    assert part.attrs == image().attrs
    assert part.y.attrs["units"] == "Å"


def test_crops_tile_without_overlap():
    whole = image(step=0.1)
    parts = [crop(whole, y=slice(a / 10, (a + 3) / 10)).sizes["y"] for a in range(0, 18, 3)]
    assert parts == [3] * 6


def test_an_empty_crop_says_so():
    with pytest.raises(ImageError, match="leaves no pixel"):
        crop(image(), y=slice(100, 200))


def spoiled(value):
    bad = image()
    bad[2, 3] = value
    return bad


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((9, 9)), "calibrated_image"),
        (xr.DataArray(np.zeros((9, 9, 3)), dims=("y", "x", "c")), "RGB"),
        (xr.DataArray(np.zeros((4, 9, 9)), dims=("frame", "y", "x")), "choose one frame"),
        (xr.DataArray(np.zeros((9, 9)), dims=("x", "y")), "transpose"),
        (image().astype(complex), "amplitude"),
        (image((7, 30)), "too few"),
        (image() * 0, "all pixels equal 0"),
        (spoiled(np.nan), "1 pixels are NaN"),
        (spoiled(np.inf), "1 pixels are NaN or infinite"),
    ],
)
def test_check_image_says_in_one_line_what_to_do(bad, message):
    with pytest.raises(ImageError, match=message) as caught:
        check_image(bad)
    assert "\n" not in str(caught.value)


def test_check_image_returns_a_good_image():
    good = image()
    assert check_image(good) is good


@pytest.mark.parametrize("shape", [(7, 11), (5, 7, 11), (3, 5, 7, 11)])
def test_signal_dictionary_round_trip(shape):
    phantom = asymmetric_phantom(shape)
    xr.testing.assert_identical(from_signal_dictionary(signal_dictionary(phantom)), phantom)


def test_uneven_axes_survive_the_signal_dictionary():
    phantom = asymmetric_phantom((5, 7, 11)).assign_coords(frame=np.array([0.0, 1, 3, 7, 20]))
    back = from_signal_dictionary(signal_dictionary(phantom))
    assert back.frame.values.tolist() == [0, 1, 3, 7, 20]


def test_axes_are_renamed_and_brought_into_the_order_of_the_conventions():
    axes = [
        {"name": "Energy loss", "scale": 1.0, "offset": 0.0, "units": "keV"},
        {"name": "height", "scale": 0.1, "offset": 0.0, "units": "nm"},
        {"name": "width", "scale": 0.2, "offset": 0.0, "units": "nm"},
    ]
    data = np.arange(24.0).reshape(4, 2, 3)
    array = from_signal_dictionary({"data": data, "axes": axes})
    assert array.dims == ("y", "x", "energy")
    assert float(array[1, 2, 3]) == data[3, 1, 2]
    assert sampling(array) == pytest.approx((1.0, 2.0))
    assert array.energy.values[1] == 1000.0


def test_a_scale_without_a_unit_calibrates_nothing():
    axes = [{"name": "y", "scale": 0.1, "units": ""}, {"name": "x", "scale": 0.1, "units": None}]
    array = from_signal_dictionary({"data": np.zeros((4, 4)), "axes": axes})
    assert (length_unit(array), sampling(array)) == ("px", (1.0, 1.0))


def test_metadata_become_plain_values():
    messy = {"a": np.float32(1.5), "b": b"x", "c": [np.int8(2)], "d": {3: math.nan}, "e": object}
    plain = plain_value(messy)
    assert plain["a"] == 1.5
    assert (plain["b"], plain["c"], plain["d"]) == ("x", [2], {"3": None})
    nest: dict = {}
    nest["self"] = nest
    assert "dict" in str(plain_value(nest))


@pytest.mark.parametrize("shape", [(7, 11), (5, 7, 11), (3, 5, 7, 11)])
def test_hyperspy_round_trip(shape):
    pytest.importorskip("hyperspy", reason="hyperspy is optional")
    phantom = asymmetric_phantom(shape)
    xr.testing.assert_identical(from_hyperspy(to_hyperspy(phantom)), phantom)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (lambda a: a * 2, (0.5, 0.25)),
        (lambda a: np.sqrt(abs(a)), (0.5, 0.25)),
        (lambda a: a.isel(y=slice(3, 9)), (0.5, 0.25)),
        (lambda a: a.isel(x=slice(None, None, 2)), (0.5, 0.5)),
        (lambda a: a[::-1, ::-1], (0.5, 0.25)),
        (lambda a: a.coarsen(y=2, x=2).mean(), (1.0, 0.5)),
        (lambda a: a.transpose("x", "y"), (0.5, 0.25)),
        (lambda a: a.where(a > 0), (0.5, 0.25)),
    ],
)
def test_calibration_survives_what_the_decision_record_says(operation, expected):
    result = operation(image())
    assert sampling(result) == pytest.approx(expected)
    assert length_unit(result) == "Å"


def test_bare_coordinates_lose_their_unit_and_padding_its_spacing():
    assert image().assign_coords(x=np.arange(30.0)).x.attrs == {}
    with pytest.raises(CalibrationError, match="not evenly spaced"):
        sampling(image().pad(y=1))


def test_sums_drop_pixels_that_do_not_meet():
    whole = image()
    assert (whole + crop(whole, y=slice(5, None))).sizes["y"] == 10
