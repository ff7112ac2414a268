"""The phase that atoms give to a fast electron, projected along the beam.

φ = σV with σ = 2πmeλ/h² and V the projected potential of free atoms, whose transform is
h²/(2πm₀e)·f(k): what remains is φ̂(k) = γλ·Σ f(k)·exp(−2πi k·r), γ the relativistic mass over the
rest mass. f: I. Lobato and D. Van Dyck, Acta Cryst. A 70 (2014) 636, doi:10.1107/S205327331401643X.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from crewe.errors import SpecimenError
from crewe.physics.electron import lorentz_factor, wavelength_angstrom
from crewe.physics.fourier import frequency_axes
from crewe.physics.scattering import electron_scattering_factor

Array = NDArray[np.float64]


def projected_phase(
    numbers: Any,
    positions: Any,
    shape: tuple[int, int],
    pixel_size_angstrom: float,
    beam_energy_kev: float,
    vibration_angstrom: float = 0.0,
) -> Array:
    """Return φ (y, x) in rad of atoms in a field that repeats.

    `numbers` (n,) are atomic numbers, `positions` (n, 2 or 3) are (x, y[, z]) in Å from the centre
    of pixel (0, 0). Atoms at any place count exactly; `vibration_angstrom` is their root mean
    square displacement along one axis, averaged over. Cores are as sharp as the pixels let them be.
    Raises SpecimenError for arrays that do not belong together.
    """
    numbers, positions = np.asarray(numbers), np.asarray(positions, float)
    if (
        positions.ndim != 2
        or positions.shape[1] not in (2, 3)
        or numbers.shape != positions.shape[:1]
    ):
        raise SpecimenError(
            f"numbers {numbers.shape} and positions {positions.shape} do not belong together: give "
            "one atomic number and one (x, y[, z]) per atom"
        )
    ky, kx = frequency_axes(shape, pixel_size_angstrom, real=True)
    k = np.hypot(ky, kx)
    spectrum = np.zeros(k.shape, complex)
    for number in np.unique(numbers):
        places = positions[numbers == number]
        along_y = np.exp(-2j * np.pi * ky * places[:, 1])
        along_x = np.exp(-2j * np.pi * places[:, :1] * kx)
        spectrum += electron_scattering_factor(int(number), k) * (along_y @ along_x)
    spectrum *= np.exp(-2 * (np.pi * vibration_angstrom * k) ** 2)
    strength = lorentz_factor(beam_energy_kev) * wavelength_angstrom(beam_energy_kev)
    result: Array = scipy.fft.irfft2(spectrum * (strength / pixel_size_angstrom**2), shape)
    return result
