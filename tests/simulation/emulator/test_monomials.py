import numpy as np
import pytest

from crewe.errors import CalibrationError
from crewe.simulation.emulator.monomials import monomials
from crewe.simulation.emulator.terms import Terms


@pytest.mark.parametrize("terms", [Terms(4, 3, True), Terms(4, 3, False), Terms(1, 1, True)])
def test_each_row_is_the_product_of_its_powers(terms):
    planes = np.random.default_rng(5).normal(size=(terms.features, 17)).astype(np.float32)
    found = monomials(planes, terms)
    assert found.dtype == np.float64
    wide = planes.astype(np.float64)
    for row, powers in zip(found, terms.exponents, strict=True):
        expected = np.prod(wide ** powers[:, None], axis=0)
        assert np.allclose(row, expected, rtol=1e-14, atol=0)


def test_nan_stays_with_the_terms_that_hold_its_feature():
    terms = Terms(2, 2, True)
    found = monomials([[1.0, np.nan], [2.0, 3.0]], terms)
    held = terms.exponents[:, 0] > 0
    assert np.array_equal(np.isnan(found[:, 1]), held)
    assert np.isfinite(found[:, 0]).all()


def test_no_pixels_give_no_columns():
    assert monomials(np.zeros((3, 0)), Terms(3, 2, True)).shape == (10, 0)


@pytest.mark.parametrize("shape", [(2, 5), (3,), (3, 2, 2)])
def test_planes_of_other_features_are_refused(shape):
    with pytest.raises(CalibrationError, match="3 features"):
        monomials(np.zeros(shape), Terms(3, 2, True))
