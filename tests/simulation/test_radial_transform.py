import numpy as np
import pytest
from scipy.special import j0

from crewe.errors import CreweError
from crewe.simulation.radial_transform import (
    butterworth_integral,
    butterworth_transform,
    exponential_transform,
    gaussian_transform,
)

RADIUS = np.linspace(0, 40, 400_001)


def hankel(values, q):
    """The transform integrated numerically."""
    return 2 * np.pi * np.trapezoid(RADIUS * values * j0(2 * np.pi * q * RADIUS), RADIUS)


@pytest.mark.parametrize("q", [0.0, 0.11, 0.5, 1.7])
def test_gaussian_and_exponential_equal_their_integrals(q):
    assert gaussian_transform(q) == pytest.approx(hankel(np.exp(-(RADIUS**2) / 2), q), abs=1e-6)
    assert exponential_transform(q) == pytest.approx(hankel(np.exp(-RADIUS), q), abs=1e-6)


@pytest.mark.parametrize("order", [3.0, 4.0, 7.3, 16.0, 31.0])
@pytest.mark.parametrize("q", [0.0, 0.2, 0.777, 2.31, 6.05])
def test_butterworth_equals_its_integral(order, q):
    expected = hankel(1 / (1 + RADIUS ** (2 * order)), q)
    assert butterworth_transform(q, order) == pytest.approx(expected, abs=3e-4 * np.pi)


@pytest.mark.parametrize("order", [3.0, 4.0, 16.0])
def test_butterworth_integral_is_its_transform_at_zero(order):
    assert butterworth_transform(0.0, order) == pytest.approx(butterworth_integral(order), rel=1e-4)


def test_a_steep_butterworth_is_a_disc():
    assert butterworth_integral(1000.0) == pytest.approx(np.pi, rel=1e-5)


@pytest.mark.parametrize("order", [2.9, 33.0, np.nan])
def test_orders_beyond_the_table_are_refused(order):
    with pytest.raises(CreweError, match=r"3…32"):
        butterworth_transform(0.1, order)
