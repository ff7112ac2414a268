import numpy as np
import pytest

from crewe.errors import CalibrationError
from crewe.physics.cross_sections import annular_cross_section
from crewe.physics.electron import lorentz_factor, wavelength_angstrom

BOHR_RADIUS = 0.529177


def test_far_out_it_is_rutherfords():
    """f → Z / (2π² a0 k²), hence σ = γ² λ² π (Z / 2π² a0)² (1/k1² − 1/k2²)."""
    energy, inner, outer = 300, 120, 200
    wavelength = wavelength_angstrom(energy)
    k1, k2 = inner * 1e-3 / wavelength, outer * 1e-3 / wavelength
    scale = np.pi * (lorentz_factor(energy) * wavelength) ** 2
    for element in (6, 14):
        bare = scale * (element / (2 * np.pi**2 * BOHR_RADIUS)) ** 2 * (k1**-2 - k2**-2)
        assert annular_cross_section(element, energy, inner, outer) == pytest.approx(bare, rel=0.1)


def test_rings_add_up():
    whole = annular_cross_section(78, 200, 60, 200)
    parts = annular_cross_section(78, 200, 60, 100) + annular_cross_section(78, 200, 100, 200)
    assert whole == pytest.approx(parts, rel=1e-4)


def test_the_exponent_of_z_lies_where_dark_field_images_have_it():
    light, heavy = (annular_cross_section(element, 200, 60, 200) for element in (14, 79))
    assert 1.5 < np.log(heavy / light) / np.log(79 / 14) < 2.0


def test_a_platinum_atom_sends_some_hundredths_of_a_square_angstrom():
    assert 0.01 < annular_cross_section(78, 300, 50, 200) < 0.05


@pytest.mark.parametrize(("inner", "outer"), [(60, 60), (80, 60), (-1, 50), (10, 2000)])
def test_impossible_angles_are_refused(inner, outer):
    with pytest.raises(CalibrationError, match="inner < outer"):
        annular_cross_section(78, 200, inner, outer)
