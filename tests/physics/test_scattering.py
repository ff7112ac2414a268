import numpy as np
import pytest
from ase.data import atomic_numbers
from scipy.integrate import quad
from scipy.special import k0, k1

from crewe.errors import CreweError
from crewe.physics.scattering import (
    _coefficients,
    electron_scattering_factor,
    projected_radius,
    transformed_radii,
)

BOHR = 0.529177
# f in Å at k = 0, 0.5, 1 and 2 1/Å from another fit to other calculations: E. J. Kirkland,
# Advanced Computing in Electron Microscopy (2010), appendix C.
KIRKLAND = {
    "C": (2.5114, 1.1700, 0.4127, 0.1168),
    "Si": (5.8143, 1.9658, 0.7423, 0.2702),
    "Fe": (7.1632, 2.9274, 1.3879, 0.4658),
    "Sr": (13.0552, 3.8989, 1.7284, 0.6502),
    "Au": (10.5534, 6.0346, 3.0708, 1.2082),
}


def projected_potential(number, r):
    """Analytic projection of the potential, up to a constant: Eq. (21) is a ratio."""
    a, b = _coefficients()[:, number - 1]
    x = 2 * np.pi * r / np.sqrt(b)
    return np.sum(a * b**-1.5 * np.sqrt(b) * (2 * k0(x) + x * k1(x)))


@pytest.mark.parametrize("symbol", KIRKLAND)
def test_scattering_factors_agree_with_another_parametrisation(symbol):
    found = electron_scattering_factor(atomic_numbers[symbol], [0.0, 0.5, 1.0, 2.0])
    assert found == pytest.approx(KIRKLAND[symbol], rel=0.015)


@pytest.mark.parametrize("number", [6, 38, 79])
def test_fast_electrons_see_the_bare_nucleus_at_high_angles(number):
    k = 11.0
    rutherford = number / (2 * np.pi**2 * BOHR * k**2)
    assert electron_scattering_factor(number, k) == pytest.approx(rutherford, rel=0.06)


@pytest.mark.parametrize("number", [1, 8, 26, 55, 79, 103])
def test_the_projected_radius_equals_the_integral_of_eq_21(number):
    moment = [
        quad(lambda r, p=p: r**p * projected_potential(number, r), 1e-9, 40, limit=400)[0]
        for p in (1, 3)
    ]
    assert projected_radius(number) == pytest.approx(np.sqrt(moment[1] / moment[0]), rel=1e-5)


def test_alkali_metals_are_the_largest_and_noble_gases_the_smallest_of_their_rows():
    radius = dict(zip(range(1, 104), projected_radius(np.arange(1, 104)), strict=True))
    for first, last in ((3, 10), (11, 18), (37, 54)):
        row = {z: radius[z] for z in range(first, last + 1)}
        assert max(row, key=row.get) == first
        assert row[last] < 0.5 * row[first]


@pytest.mark.parametrize("alpha", [0.75, 1.0, 1.25])
def test_transformed_radii_keep_mean_spread_and_order(alpha):
    elements = np.arange(1, 104)
    plain, found = projected_radius(elements), transformed_radii(elements, alpha)
    assert found.mean() == pytest.approx(plain.mean())
    assert found.std() == pytest.approx(plain.std())
    assert np.array_equal(np.argsort(found), np.argsort(plain))
    assert found.min() > 0.25
    assert np.allclose(found, plain) == (alpha == 1)


@pytest.mark.parametrize("number", [0, 104, -3])
def test_unknown_elements_are_refused(number):
    with pytest.raises(CreweError, match="1…103"):
        electron_scattering_factor(number, 0.1)
    with pytest.raises(CreweError, match="1…103"):
        transformed_radii([6, number], 1.1)
