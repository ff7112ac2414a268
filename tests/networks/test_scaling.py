import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from crewe.errors import ImageError
from crewe.networks.scaling import Scale, scale_of


def counts(seed=0, shape=(61, 47)):
    return np.random.default_rng(seed).poisson(20.0, shape).astype(np.float64)


def test_scaled_image_has_mean_zero_and_spread_one():
    scaled = scale_of(counts()).apply(counts())
    assert scaled.dtype == np.float32
    assert abs(scaled.mean()) < 0.01
    assert abs(scaled.std() - 1) < 0.01


@pytest.mark.parametrize("factor", [2.0**-40, 0.1, 3.7, 1e30, 1e-30])
def test_scale_follows_the_unit(factor):
    one, other = scale_of(counts()), scale_of(factor * counts())
    assert other.mean == pytest.approx(factor * one.mean, rel=1e-13)
    assert other.spread == pytest.approx(factor * one.spread, rel=1e-13)
    np.testing.assert_allclose(
        other.apply(factor * counts()), one.apply(counts()), rtol=1e-6, atol=1e-6
    )


def test_added_constant_moves_the_mean_alone():
    one, other = scale_of(counts()), scale_of(counts() + 512)
    assert other.mean == pytest.approx(one.mean + 512, rel=1e-13)
    assert other.spread == pytest.approx(one.spread, rel=1e-12)


def test_outliers_and_missing_pixels_do_not_count():
    clean = scale_of(counts())
    image = counts()
    image[3, 4], image[0, 0], image[5, 5] = 1e9, np.inf, np.nan
    dirty = scale_of(image)
    assert dirty.mean == pytest.approx(clean.mean, rel=0.01)
    assert dirty.spread == pytest.approx(clean.spread, rel=0.02)


def test_sparse_image_keeps_its_few_counts():
    image = np.zeros((200, 200), dtype=np.uint16)
    image[::50, ::50] = 1
    assert scale_of(image).spread == pytest.approx(image.std())


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e-300])
def test_constant_image_has_spread_one(value):
    assert scale_of(np.full((7, 9), value)) == Scale(value, 1.0)


def test_no_finite_pixel_is_refused():
    with pytest.raises(ImageError, match="no finite pixel"):
        scale_of(np.full((4, 4), np.nan))


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(
    -1e6, 1e6, width=32)))  # fmt: skip
def test_undo_returns_what_was_applied(image):
    scale = scale_of(image)
    assert scale.spread > 0
    room = 1e-6 * max(np.abs(image).max(), abs(scale.mean), scale.spread)
    np.testing.assert_allclose(scale.undo(scale.apply(image)), image, rtol=1e-6, atol=room)
