"""Radial peak shapes of an atomic column and their derivatives, for the compiled loops."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

GAUSSIAN = 0
LORENTZIAN = 1

PEAK_CODES = {"gaussian": GAUSSIAN, "lorentzian": LORENTZIAN}

# Beyond this many widths a column is not drawn: the Gaussian has fallen to 3e-4 of its height
# there, the Lorentzian to 3e-4 only at 15 widths because it falls with the third power.
CUTOFF_WIDTHS = {"gaussian": 4.0, "lorentzian": 15.0}


@njit(cache=True, inline="always")
def peak_value(shape: int, r2: float, width: float) -> float:
    """Peak of height 1 at squared radius `r2`."""
    if shape == GAUSSIAN:
        return math.exp(-0.5 * r2 / (width * width))
    q = 1.0 + r2 / (width * width)
    return 1.0 / (q * math.sqrt(q))


@njit(cache=True, inline="always")
def peak_slopes(shape: int, r2: float, width: float) -> tuple[float, float, float]:
    """Value g, s = −g'/r and t = −s'/r, which give every first and second derivative.

    With d the vector from the column to the pixel and ρ the width:
    ∂g/∂x = s·dx, ∂g/∂ρ = s·r²/ρ, ∂²g/∂x² = t·dx² − s, ∂²g/∂x∂y = t·dx·dy,
    ∂²g/∂x∂ρ = dx·(t·r² − 2s)/ρ, ∂²g/∂ρ² = (t·r² − 3s)·r²/ρ².
    """
    w2 = width * width
    if shape == GAUSSIAN:
        g = math.exp(-0.5 * r2 / w2)
        s = g / w2
        return g, s, s / w2
    q = 1.0 + r2 / w2
    g = 1.0 / (q * math.sqrt(q))
    s = 3.0 * g / (q * w2)
    return g, s, 5.0 * s / (q * w2)


@njit(cache=True)
def axis_factors(
    shape: int, first: int, last: int, step: float, centre: float, width: float
) -> NDArray[np.float64]:
    """Factor of each pixel along one axis; a Gaussian is the product of two such factors."""
    factors = np.ones(max(0, last - first + 1))
    if shape == GAUSSIAN:
        for k in range(len(factors)):
            distance = (first + k) * step - centre
            factors[k] = math.exp(-0.5 * distance * distance / (width * width))
    return factors


@njit(cache=True, inline="always")
def factored_slopes(
    shape: int, factor_y: float, factor_x: float, r2: float, width: float
) -> tuple[float, float, float]:
    """`peak_slopes` from the factors along the axes, which spares an exponential per pixel."""
    if shape == GAUSSIAN:
        w2 = width * width
        g = factor_y * factor_x
        return g, g / w2, g / (w2 * w2)
    return peak_slopes(shape, r2, width)
