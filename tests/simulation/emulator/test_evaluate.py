import numpy as np
import pytest
from scipy import ndimage

from crewe.errors import CalibrationError, ImageError
from crewe.simulation.emulator.evaluate import Polynomial
from crewe.simulation.emulator.monomials import monomials
from crewe.simulation.emulator.neighbourhood import Neighbourhood
from crewe.simulation.emulator.smoothed import Smoothed
from crewe.simulation.emulator.terms import Terms


def _polynomial(features, degree=2, interactions=True, size=1.0):
    terms = Terms(features, degree, interactions)
    rng = np.random.default_rng(terms.count)
    means, deviations = rng.normal(size=features), rng.uniform(0.5, 2, features)
    return Polynomial(terms, size * rng.normal(size=terms.count), means, deviations)


def _naive(polynomial, planes):
    flat = planes.reshape(len(planes), -1).astype(np.float64)
    z = (flat - polynomial.means[:, None]) / polynomial.deviations[:, None]
    return (polynomial.coefficients @ monomials(z, polynomial.terms)).reshape(planes.shape[1:])


def _image(shape=(37, 41)):
    image = np.random.default_rng(1).uniform(0, 1, shape)
    image = ndimage.gaussian_filter(image, 2)
    return ((image - image.min()) / image.std()).astype(np.float32)


@pytest.mark.parametrize("interactions", [True, False])
@pytest.mark.parametrize("degree", [1, 2, 3, 4])
@pytest.mark.parametrize("features", [1, 2, 5, 13])
def test_horner_is_the_naive_sum(features, degree, interactions):
    """Numbers of pixels below, at and above a multiple of the block."""
    polynomial = _polynomial(features, degree, interactions)
    rng = np.random.default_rng(features)
    for shape in [(1, 1), (16, 16), (3, 171)]:
        planes = rng.normal(size=(features, *shape)).astype(np.float32)
        expected = _naive(polynomial, planes)
        found = polynomial.of_planes(planes)
        assert found.shape == shape
        assert found.dtype == np.float32
        assert np.allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("shape", [(37, 41), (1, 9), (9, 1), (2, 600)])
def test_a_neighbourhood_read_in_place_is_that_of_its_planes(size, log, shape):
    features = Neighbourhood(size, log)
    polynomial = _polynomial(len(features.names))
    image = np.random.default_rng(3).uniform(0, 3, shape).astype(np.float32)
    expected = polynomial.of_planes(features.planes(image))
    assert np.array_equal(polynomial.image(features, image), expected)


def test_other_features_go_by_their_planes():
    features = Smoothed(("intensity", "log", "smooth 2", "shear 3"))
    polynomial = _polynomial(4, degree=3)
    expected = _naive(polynomial, features.planes(_image()))
    found = polynomial.image(features, _image())
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_large_coefficients_that_cancel_leave_an_exact_image():
    """Fitted to neighbours that are nearly equal, coefficients are hundreds of the deviation.

    Here they take the fourth difference of five pixels, and of their products with the centre:
    single precision loses it, as the naive sum shows.
    """
    features = Neighbourhood(5, log=True)
    terms = Terms(26, 2, True)
    coefficients = np.zeros(378)
    for pixel, weight in zip(range(10, 15), (1, -4, 6, -4, 1), strict=True):
        for product in ((pixel,), (pixel, 12)):
            powers = np.bincount(product, minlength=26)
            coefficients[(terms.exponents == powers).all(axis=1)] += weight
    polynomial = Polynomial(terms, coefficients, np.full(26, 1.7), np.full(26, 1.1))
    image = ndimage.gaussian_filter(_image(), 6)
    planes = features.planes(image / image.std())
    expected = _naive(polynomial, planes)
    close = 1e-5 * expected.std()
    assert np.abs(polynomial.of_planes(planes) - expected).max() < close
    z = ((planes.reshape(26, -1) - 1.7) / 1.1).astype(np.float32)
    single = coefficients.astype(np.float32) @ monomials(z, terms).astype(np.float32)
    assert np.abs(single - expected.ravel()).max() > 10 * close


def test_nan_in_a_plane_stays_at_its_pixel():
    planes = np.random.default_rng(5).normal(size=(3, 20, 30)).astype(np.float32)
    polynomial = _polynomial(3)
    whole = polynomial.of_planes(planes)
    planes[1, 4, 7] = np.nan
    found = polynomial.of_planes(planes)
    assert np.isnan(found[4, 7])
    found[4, 7] = whole[4, 7]
    assert np.array_equal(found, whole)


def test_moved_images_give_moved_results():
    features = Neighbourhood(3, log=True)
    polynomial = _polynomial(10)
    whole = polynomial.image(features, _image())
    part = polynomial.image(features, _image()[5:, 8:])
    assert np.array_equal(part[1:, 1:], whole[6:, 9:])


def test_what_does_not_fit_the_terms_is_refused():
    terms = Terms(3, 2, True)
    good = np.ones(10), np.zeros(3), np.ones(3)
    with pytest.raises(CalibrationError, match="10 finite coefficients"):
        Polynomial(terms, np.ones(9), *good[1:])
    with pytest.raises(CalibrationError, match="3 finite means"):
        Polynomial(terms, good[0], np.array([0, 0, np.nan]), good[2])
    with pytest.raises(CalibrationError, match="deviation must be positive"):
        Polynomial(terms, good[0], good[1], np.array([1.0, 0, 1]))
    polynomial = Polynomial(terms, *good)
    with pytest.raises(CalibrationError, match="of 3 features, got 9"):
        polynomial.image(Neighbourhood(3, log=False), _image())
    with pytest.raises(ImageError, match=r"\(feature, y, x\)"):
        polynomial.of_planes(np.zeros((3, 5)))
    with pytest.raises(ImageError, match="NaN"):
        _polynomial(9).image(Neighbourhood(3, log=False), np.full((4, 4), np.nan))
