import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.axes import Axis, calibrated_array, calibrated_image
from crewe.chemistry.grids import onto_grid
from crewe.errors import CalibrationError, ImageError


def maps_on(shape, step, origin=(0.0, 0.0), unit="Å"):
    y, x = (Axis(dim, step, start, unit) for dim, start in zip("yx", origin, strict=True))
    return calibrated_array(np.zeros((2, *shape)), (Axis("element"), y, x))


def wave(shape, step, origin=(0.0, 0.0), fields=(64.0, 48.0)):
    """A smooth image of the field that begins at its first pixel's corner."""
    y = (np.arange(shape[0]) + 0.5) * step
    x = (np.arange(shape[1]) + 0.5) * step
    values = 5 + np.cos(2 * np.pi * y / fields[0])[:, None] + np.sin(4 * np.pi * x / fields[1])
    return calibrated_array(
        values, (Axis("y", step, origin[0], "Å"), Axis("x", step, origin[1], "Å"))
    )


def test_the_same_pixels_are_left_alone():
    image = wave((32, 24), 2.0)
    moved = onto_grid(image, maps_on((32, 24), 2.0, origin=(-300.0, 40.0)))
    assert np.array_equal(moved.values, image.values)
    assert moved.y.values[0] == -300.0


def test_images_without_calibration_need_the_same_shape():
    image = xr.DataArray(np.ones((8, 9)), dims=("y", "x"))
    assert onto_grid(image, maps_on((8, 9), 1.0, unit="px")).shape == (8, 9)
    assert onto_grid(image, maps_on((8, 9), 2.0)).shape == (8, 9)
    with pytest.raises(CalibrationError, match="not both are calibrated"):
        onto_grid(image, maps_on((16, 18), 2.0))


def test_coarser_pixels_hold_the_mean_of_what_they_cover():
    rng = np.random.default_rng(0)
    image = calibrated_image(rng.random((24, 36)), 1.0)
    coarse = onto_grid(image, _maps(8, 9, 3, 4))
    naive = image.values.reshape(8, 3, 9, 4).mean(axis=(1, 3))
    assert np.allclose(coarse.values, naive)


def _maps(rows, columns, step_y, step_x):
    axes = (Axis("element"), Axis("y", step_y, 0, "Å"), Axis("x", step_x, 0, "Å"))
    return calibrated_array(np.zeros((1, rows, columns)), axes)


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 40), st.integers(3, 40), st.integers(0, 2**31))
def test_an_average_over_the_same_field_keeps_the_mean(rows, columns, seed):
    values = np.random.default_rng(seed).random((40, 40))
    image = calibrated_image(values, 1.0)
    coarse = onto_grid(image, _maps(rows, columns, 40 / rows, 40 / columns))
    if rows == columns == 40:
        assert np.array_equal(coarse.values, values)
    elif rows < 39 and columns < 39:
        assert coarse.values.mean() == pytest.approx(values.mean())


def test_finer_pixels_interpolate_the_field_corner_on_corner():
    coarse, fine = wave((32, 24), 2.0), wave((96, 72), 2 / 3)
    found = onto_grid(coarse, maps_on((96, 72), 2 / 3))
    assert np.allclose(found.values[6:-6, 6:-6], fine.values[6:-6, 6:-6], atol=2e-3)


def test_going_finer_and_back_returns_the_image():
    image = wave((32, 24), 2.0)
    fine = onto_grid(image, maps_on((128, 96), 0.5))
    back = onto_grid(fine, maps_on((32, 24), 2.0))
    # An average over a pixel keeps sinc(1/12) of a wave of 12 pixels.
    kept = 1 - np.sinc(1 / 12)
    assert np.allclose(back.values[2:-2, 2:-2], image.values[2:-2, 2:-2], atol=1.5 * kept)


def test_a_survey_image_is_cut_by_its_coordinates():
    survey = wave((64, 64), 1.0, fields=(64.0, 64.0))
    part = onto_grid(survey, maps_on((10, 12), 2.0, origin=(8.5, 20.5)))
    naive = survey.values[8:28, 20:44].reshape(10, 2, 12, 2).mean(axis=(1, 3))
    assert np.allclose(part.values, naive)
    assert part.y.values[0] == 8.5


def test_a_falling_axis_is_followed():
    image = wave((32, 24), 2.0)
    turned = image.isel(y=slice(None, None, -1))
    again = onto_grid(turned, maps_on((20, 20), 2.0, origin=(4.0, 4.0)))
    assert np.allclose(again.values, image.values[2:22, 2:22])


def test_maps_outside_the_image_are_refused():
    with pytest.raises(CalibrationError, match="give images of the same area"):
        onto_grid(wave((32, 24), 2.0), maps_on((20, 20), 2.0, origin=(60.0, 4.0)))


def test_what_is_no_image_is_refused():
    image = wave((8, 8), 1.0)
    with pytest.raises(ImageError, match="must end in"):
        onto_grid(image.rename(y="ky", x="kx"), maps_on((8, 8), 1.0))
    with pytest.raises(ImageError):
        onto_grid(maps_on((8, 8), 1.0), image)
