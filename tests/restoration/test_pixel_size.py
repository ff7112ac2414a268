import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.errors import PlanError
from crewe.restoration.pixel_size import (
    LARGEST_FACTOR,
    Resampling,
    choose_resampling,
    one_pixel_size,
)

TRAINED = (0.1, 0.3)


def wave(shape=(48, 60), period=24.0):
    y, x = np.indices(shape)
    return np.cos(2 * np.pi * y / period) + np.sin(2 * np.pi * x / period)


@pytest.mark.parametrize("pixel", [0.1, 0.2, 0.3, 0.0995, 0.3005])
def test_trained_pixels_are_left_alone(pixel):
    assert choose_resampling(pixel, TRAINED) == (Resampling(), None)


@given(st.floats(0.1 / LARGEST_FACTOR, 0.3 * LARGEST_FACTOR))
def test_other_pixels_come_into_the_range(pixel):
    change, warning = choose_resampling(pixel, TRAINED)
    now = pixel * change.binned / change.parts
    assert 0.1 / 1.01 <= now <= 0.3 * 1.01
    assert (warning is None) == (0.1 / 1.01 <= pixel <= 0.3 * 1.01)


@pytest.mark.parametrize(("pixel", "binned", "parts"), [(0.04, 3, 1), (0.07, 2, 1), (0.7, 1, 3)])
def test_the_smallest_sufficient_change_is_made_and_said(pixel, binned, parts):
    change, warning = choose_resampling(pixel, TRAINED)
    assert change == Resampling(binned, parts)
    assert f"{pixel * binned / parts:.4g} Å" in warning
    assert ("finer" if binned > 1 else "coarser") in warning


def test_a_narrow_range_is_only_approached():
    change, warning = choose_resampling(0.09, (0.1, 0.1))
    assert change == Resampling()
    assert "as it is" in warning


@pytest.mark.parametrize("pixel", [0.02, 1.3])
def test_pixels_far_off_are_refused_with_the_reason(pixel):
    with pytest.raises(PlanError, match=r"too far from the 0.1 to 0.3 Å"):
        choose_resampling(pixel, TRAINED)


@pytest.mark.parametrize("pixel", [0.0, -1.0, float("nan"), float("inf")])
def test_sizes_that_are_none_are_refused(pixel):
    with pytest.raises(PlanError, match="pixel size"):
        choose_resampling(pixel, TRAINED)


@pytest.mark.parametrize("change", [Resampling(binned=2), Resampling(3), Resampling(parts=2)])
def test_smooth_images_come_back_where_they_were(change):
    image = wave()
    back = change.back(change.there(image), image.shape)
    inside = (slice(6, -6), slice(6, -6))
    # Block means lower a wave of 24 px by sinc(n/24) along its axis: 2.5 % for n = 3.
    assert np.abs(back - image)[inside].max() < 0.06
    # No shift: a displacement of a tenth of a pixel would leave such a slope.
    assert abs(np.sum((back - image) * np.gradient(image)[1])) < 0.01 * np.sum(
        np.gradient(image)[1] ** 2
    )


@pytest.mark.parametrize("change", [Resampling(binned=2), Resampling(4), Resampling(parts=3)])
@pytest.mark.parametrize("shape", [(17, 23), (1, 5), (8, 8)])
def test_any_shape_comes_back_and_constants_stay(change, shape):
    there = change.there(np.full(shape, 7.0))
    back = change.back(there, shape)
    assert back.shape == shape
    np.testing.assert_allclose(back, 7.0, rtol=1e-6)
    for side, now in zip(shape, there.shape, strict=True):
        assert now == -(-side // change.binned) * change.parts


def test_blocks_average_noise_as_independent_pixels_do():
    noise = np.random.default_rng(0).standard_normal((300, 300))
    assert Resampling(3).there(noise).var() == pytest.approx(1 / 9, rel=0.05)


@given(st.floats(0.01, 1.0), st.floats(1.0, 2.0))
def test_one_size_keeps_the_area_and_its_shape_is_told(side, ratio):
    for y, x in ((side, side * ratio), (side * ratio, side)):
        if ratio > 1.5001:
            with pytest.raises(PlanError, match="square"):
                one_pixel_size(y, x)
        elif ratio < 1.4999:
            size, warning = one_pixel_size(y, x)
            assert size**2 == pytest.approx(y * x)
            assert (warning is None) == (ratio < 1.02) or abs(ratio - 1.02) < 1e-9
