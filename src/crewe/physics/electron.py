"""Fast electrons: how relativity changes their mass and wavelength."""

from __future__ import annotations

import math

from crewe.errors import CalibrationError

REST_ENERGY_KEV = 510.99895
# h·c in keV·Å.
PLANCK_TIMES_LIGHT_KEV_ANGSTROM = 12.398419843


def wavelength_angstrom(beam_energy_kev: float) -> float:
    """Relativistic wavelength in Å, hc/√(E(E + 2mc²)), of a beam of energy E in keV.

    Raises CalibrationError for an energy that is not positive and finite.
    """
    energy = _checked(beam_energy_kev)
    return PLANCK_TIMES_LIGHT_KEV_ANGSTROM / math.sqrt(energy * (energy + 2 * REST_ENERGY_KEV))


def lorentz_factor(beam_energy_kev: float) -> float:
    """Relativistic mass over rest mass, 1 + E/mc², of a beam of energy E in keV.

    Raises CalibrationError for an energy that is not positive and finite.
    """
    return 1 + _checked(beam_energy_kev) / REST_ENERGY_KEV


def interaction_constant(beam_energy_kev: float) -> float:
    """Return σ in rad/(V·Å): a projected potential V in V·Å turns the phase by σV.

    σ = 2π/(λE) · (mc² + E)/(2mc² + E), E in V. Raises CalibrationError for an energy that is not
    positive and finite. Source: Kirkland 2020, eq. 5.6, doi:10.1007/978-3-030-33260-0.
    """
    energy = _checked(beam_energy_kev)
    relativity = (REST_ENERGY_KEV + energy) / (2 * REST_ENERGY_KEV + energy)
    return 2 * math.pi / (wavelength_angstrom(energy) * 1000 * energy) * relativity


def _checked(beam_energy_kev: float) -> float:
    if not (math.isfinite(beam_energy_kev) and beam_energy_kev > 0):
        raise CalibrationError(
            f"beam energy must be positive and finite, got {beam_energy_kev} keV"
        )
    return float(beam_energy_kev)
