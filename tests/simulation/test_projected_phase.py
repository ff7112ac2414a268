import numpy as np
import pytest

from crewe.errors import SpecimenError
from crewe.physics.electron import lorentz_factor, wavelength_angstrom
from crewe.physics.scattering import electron_scattering_factor
from crewe.simulation.projected_phase import projected_phase

SHAPE, PIXEL = (160, 128), 0.1


def test_the_integral_is_the_forward_scattering_of_all_atoms():
    phase = projected_phase([8, 14], [(3.0, 4.0, 1.0), (6.13, 9.77, 2.0)], SHAPE, PIXEL, 200)
    forward = sum(float(electron_scattering_factor(z, 0.0)) for z in (8, 14))
    strength = lorentz_factor(200) * wavelength_angstrom(200)
    assert phase.sum() * PIXEL**2 == pytest.approx(strength * forward)


def test_the_phase_is_sigma_times_the_potential():
    # σ of 300 keV is 6.526e-4 rad/(V Å); a transform of f in Å is 47.878 V Å² each.
    phase = projected_phase([79], [(5.0, 5.0)], SHAPE, PIXEL, 300)
    volts = 47.87801 * float(electron_scattering_factor(79, 0.0))
    assert phase.sum() * PIXEL**2 / volts == pytest.approx(6.526e-4, rel=1e-3)


def test_an_atom_is_round_peaks_at_its_place_and_falls():
    phase = projected_phase([6], [(6.4, 8.0)], SHAPE, PIXEL, 200, 0.1)
    assert np.unravel_index(phase.argmax(), SHAPE) == (80, 64)
    assert phase[80 + 7, 64] == pytest.approx(phase[80, 64 - 7], rel=1e-3)
    assert np.all(np.diff(phase[80, 64:90]) < 0)


def test_atoms_between_pixels_move_exactly_and_the_field_repeats():
    still = projected_phase([8], [(5.0, 5.0)], SHAPE, PIXEL, 200, 0.2)
    moved = projected_phase([8], [(5.0 + 12.8, 5.3 - 16.0)], SHAPE, PIXEL, 200, 0.2)
    assert np.abs(np.roll(still, 3, axis=0) - moved).max() < 1e-9 * still.max()


def test_vibration_lowers_the_peak_and_keeps_the_integral():
    sharp, blurred = (projected_phase([8], [(5, 5)], SHAPE, PIXEL, 200, u) for u in (0.0, 0.15))
    assert blurred.sum() == pytest.approx(sharp.sum())
    assert blurred.max() < 0.8 * sharp.max()


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(SpecimenError, match="belong together"):
        projected_phase([8, 8], [(1.0, 2.0)], SHAPE, PIXEL, 200)
