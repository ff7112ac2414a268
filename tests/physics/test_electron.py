import pytest

from crewe.errors import CalibrationError
from crewe.physics.electron import interaction_constant, lorentz_factor, wavelength_angstrom


@pytest.mark.parametrize(
    ("energy", "picometres"), [(100, 3.701), (200, 2.508), (300, 1.969), (60, 4.866)]
)
def test_wavelengths_are_those_of_the_textbooks(energy, picometres):
    assert 100 * wavelength_angstrom(energy) == pytest.approx(picometres, abs=1e-3)


def test_a_beam_of_its_rest_energy_is_twice_as_heavy():
    assert lorentz_factor(510.99895) == 2


@pytest.mark.parametrize(
    ("energy", "per_kilovolt_angstrom"), [(100, 0.9244), (200, 0.7288), (300, 0.6526)]
)
def test_interaction_constants_are_those_of_the_textbooks(energy, per_kilovolt_angstrom):
    assert 1000 * interaction_constant(energy) == pytest.approx(per_kilovolt_angstrom, abs=1e-4)


def test_slow_electrons_follow_de_broglie():
    assert wavelength_angstrom(0.1) == pytest.approx(12.2643 / 100**0.5, rel=1e-3)


@pytest.mark.parametrize("energy", [0.0, -1.0, float("nan"), float("inf")])
def test_beams_without_energy_are_refused(energy):
    for function in (wavelength_angstrom, lorentz_factor, interaction_constant):
        with pytest.raises(CalibrationError, match="beam energy"):
            function(energy)
