import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.errors import ImageError
from crewe.restoration.frames import frame_of, frames_of


def noise(shape=(24, 20)):
    return np.random.default_rng(0).standard_normal(shape)


@given(st.floats(-5e5, 5e5), st.floats(-25, 25))
def test_a_frame_and_its_mean_are_the_image(offset, exponent):
    unit = 10.0**exponent
    values = unit * (noise() + offset)
    frame = frame_of(values)
    assert abs(frame.image.mean(dtype=float)) < 1e-6 * unit
    np.testing.assert_allclose(frame.image, unit * (noise() - noise().mean()), atol=1e-6 * unit)
    # Two roundings to float32, of the contrast and of the result.
    back = frame.with_mean(frame.image)
    np.testing.assert_allclose(back, values, rtol=1.2e-7, atol=5e-7 * unit)


def test_what_was_not_measured_counts_for_nothing():
    values = noise()
    values[2, 3], values[4:8, 5] = np.inf, np.nan
    frame = frame_of(values)
    np.testing.assert_array_equal(np.isnan(frame.image), ~np.isfinite(values))
    assert frame.mean == pytest.approx(values[np.isfinite(values)].mean())
    assert np.isnan(frame_of(np.full((4, 5), np.inf)).image).all()
    assert not np.isfinite(values[2, 3])


@pytest.mark.parametrize("value", [0, -3.7, 1e9, 0.1, True, 2**40])
def test_constants_are_known_as_such(value):
    frame = frame_of(np.full((9, 9), value))
    assert frame.constant
    assert not frame.image.any()
    np.testing.assert_array_equal(frame.with_mean(frame.image), np.float32(value))
    assert not frame_of(np.arange(9).reshape(3, 3)).constant


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        (noise() + 1e8, "subtract the constant"),
        (noise() * 1e39, "larger unit"),
        (np.full((5, 5), -1e300), "larger unit"),
        (noise() * 1e-40, "smaller unit"),
    ],
)
def test_what_a_result_cannot_hold_is_refused(values, advice):
    with pytest.raises(ImageError, match=advice):
        frames_of(np.stack([noise(), values]) if values.shape == noise().shape else values)
