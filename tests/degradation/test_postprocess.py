import numpy as np
import pytest

from crewe.degradation import postprocess

RNG = np.random.default_rng(0)
Y, X = np.mgrid[:60, :60] - 29.5


def spots(y, x):
    return np.exp(-((y - 6) ** 2 + (x + 9) ** 2) / 30) + np.exp(-((y + 5) ** 2 + x**2) / 20)


@pytest.mark.parametrize(("interpolation", "error"), [("linear", 0.03), ("cubic", 0.004)])
def test_the_map_is_applied_about_the_centre(interpolation, error):
    parameters = postprocess.LinearTransform(20, 1.1, 0.95, 0.04, interpolation)
    moved = postprocess.linear_transform(spots(Y, X), parameters, RNG)
    (a, b), (c, d) = postprocess.transform_matrix(parameters)
    assert np.abs(moved - spots(a * Y + b * X, c * Y + d * X)).max() < error


def test_a_quarter_turn_and_magnification_are_what_they_say():
    image = np.random.default_rng(1).uniform(size=(40, 40)).astype(np.float32)
    turned = postprocess.linear_transform(image, postprocess.LinearTransform(90), RNG)
    # np.rot90 turns anticlockwise as displayed with y down.
    assert np.allclose(turned, np.rot90(image), atol=1e-5)
    wide = postprocess.LinearTransform(magnification_x=2)
    assert postprocess.transform_matrix(wide) == pytest.approx(np.diag([1, 0.5]))


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (33, 20)])
def test_the_identity_and_flat_images_stay(shape):
    image = np.random.default_rng(2).uniform(size=shape).astype(np.float32)
    same = postprocess.linear_transform(image, postprocess.LinearTransform(), RNG)
    assert np.allclose(same, image, atol=1e-6)
    turned = postprocess.LinearTransform(33, 1.3, 0.8, 0.2)
    flat = postprocess.linear_transform(np.full(shape, 2.0), turned, RNG)
    assert np.allclose(flat, 2, atol=1e-5)


def test_interpolation_smooths_noise():
    noise = np.random.default_rng(3).normal(size=(200, 200))
    turned = postprocess.linear_transform(noise, postprocess.LinearTransform(7), RNG)
    assert 0.6 < turned.std() < 0.95


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.5])
def test_blur_is_a_gaussian_that_adds_up_to_one(sigma):
    point = np.zeros((41, 41))
    point[20, 20] = 1
    spread = postprocess.gaussian_blur(point, postprocess.GaussianBlur(sigma), RNG)
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    expected = np.exp(-0.5 * (np.arange(-2, 3) / sigma) ** 2)
    assert spread[20, 18:23] / spread[20, 20] == pytest.approx(expected, rel=1e-3)


def test_a_blur_of_nothing_is_none():
    image = np.random.default_rng(4).normal(size=(9, 9)).astype(np.float32)
    for sigma in (0.0, 0.19):
        blurred = postprocess.gaussian_blur(image, postprocess.GaussianBlur(sigma), RNG)
        assert np.array_equal(blurred, image)
