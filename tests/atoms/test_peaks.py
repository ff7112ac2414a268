import numpy as np
import pytest

from crewe.atoms.peaks import PEAK_CODES, peak_slopes, peak_value

SHAPES = sorted(PEAK_CODES.values())


def value(shape, x, y, width):
    return peak_value(shape, x * x + y * y, width)


@pytest.mark.parametrize("shape", SHAPES)
def test_first_derivatives_are_those_of_the_value(shape):
    x, y, width, h = 0.3, -0.2, 0.45, 1e-5
    g, s, _ = peak_slopes(shape, x * x + y * y, width)
    by_x = (value(shape, x + h, y, width) - value(shape, x - h, y, width)) / (2 * h)
    by_width = (value(shape, x, y, width + h) - value(shape, x, y, width - h)) / (2 * h)
    assert g == pytest.approx(value(shape, x, y, width))
    # x is pixel minus column, so the derivative by the column's place has the other sign
    assert s * x == pytest.approx(-by_x, rel=1e-7)
    assert s * (x * x + y * y) / width == pytest.approx(by_width, rel=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_second_derivatives_are_those_of_the_value(shape):
    x, y, width, h = 0.3, -0.2, 0.45, 1e-4
    _, s, t = peak_slopes(shape, x * x + y * y, width)
    centre = value(shape, x, y, width)
    by_xx = (value(shape, x + h, y, width) - 2 * centre + value(shape, x - h, y, width)) / h**2
    corners = [value(shape, x + a * h, y + b * h, width) * a * b for a in (-1, 1) for b in (-1, 1)]
    assert t * x * x - s == pytest.approx(by_xx, rel=1e-5)
    assert t * x * y == pytest.approx(sum(corners) / (4 * h * h), rel=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_volume_is_two_pi_width_squared(shape):
    """Both profiles of height 1 integrate to 2πρ², which makes one formula for the SCS."""
    width = 0.4
    radius = np.linspace(0, 400 * width, 2_000_001)
    profile = np.array([peak_value(shape, r * r, width) for r in radius[::20]])
    integral = np.trapezoid(2 * np.pi * radius[::20] * profile, radius[::20])
    assert integral == pytest.approx(2 * np.pi * width**2, rel=5e-3)
