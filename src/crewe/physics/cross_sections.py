"""How much of the beam a single atom sends to an annular detector."""

from __future__ import annotations

import numpy as np

from crewe.errors import CalibrationError
from crewe.physics.electron import lorentz_factor, wavelength_angstrom
from crewe.physics.scattering import electron_scattering_factor


def annular_cross_section(
    atomic_number: int, beam_energy_kev: float, inner_angle_mrad: float, outer_angle_mrad: float
) -> float:
    """Scattering cross-section in Å² of a free atom into an annular detector.

    σ = γ² ∫ f(k)² dΩ over the detector with dΩ = λ² d²k, first Born approximation, small
    angles, no channelling: what a dose is estimated with, not what columns are counted with.
    Raises CalibrationError unless 0 ≤ inner < outer.
    """
    if not 0 <= inner_angle_mrad < outer_angle_mrad < 1000:
        raise CalibrationError(
            f"collection angles {inner_angle_mrad} to {outer_angle_mrad} mrad: "
            "give 0 ≤ inner < outer < 1000"
        )
    wavelength = wavelength_angstrom(beam_energy_kev)
    k = np.linspace(inner_angle_mrad, outer_angle_mrad, 513) * 1e-3 / wavelength
    integrand = electron_scattering_factor(atomic_number, k) ** 2 * 2 * np.pi * k
    scale = (lorentz_factor(beam_energy_kev) * wavelength) ** 2
    return scale * float(np.trapezoid(integrand, k))
