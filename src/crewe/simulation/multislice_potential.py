"""Projected potentials of the slices of a slab, exact for any place of an atom.

Superposition of free atoms, I. Lobato and D. Van Dyck, Acta Cryst. A 70 (2014) 636,
doi:10.1107/S205327331401643X. abTEM's own superposition spreads an atom over the four pixels around
it, so that on a grid just fine enough for a detector the atom's signal there varies by a tenth with
its place in a pixel. Here each Fourier coefficient is the sum over the atoms themselves.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.physics.scattering import electron_scattering_factor
from crewe.simulation.multislice_settings import KEPT
from crewe.simulation.multislice_slab import Slab

Array = NDArray[np.float64]
# h²/(2π m e): from a scattering factor in Å to the transform of a projected potential in V Å³.
VOLT_ANGSTROM_SQUARED = 47.87801


def displaced_potential(
    slab: Slab, vibration_angstrom: float, rng: Generator
) -> NDArray[np.float32]:
    """Projected potential (slice, x, y) in V Å of atoms displaced at random along x and y.

    The displacements are normal, of the given root mean square along each axis. Frequencies beyond
    two thirds of the grid's are left out, as abTEM does, so that exp(iσV) does not alias.
    """
    moved = slab.atoms.positions[:, :2]
    moved = moved + vibration_angstrom * rng.standard_normal(moved.shape)
    layer = np.floor(slab.atoms.positions[:, 2] / slab.slice_angstrom).astype(int)
    numbers = np.asarray(slab.atoms.numbers)
    kx, ky = _frequencies(slab)
    k = np.hypot(kx[:, None], ky[None, :])
    area = float(np.prod(slab.steps))
    result = np.zeros((slab.slices, *slab.points), dtype=np.float32)
    kept = k <= KEPT * 0.5 / slab.step_angstrom
    for number in np.unique(numbers):
        volts = electron_scattering_factor(int(number), k) * (VOLT_ANGSTROM_SQUARED / area)
        factor = np.where(kept, volts, 0).astype(np.float32)
        for n in range(slab.slices):
            places = moved[(layer == n) & (numbers == number)]
            if len(places):
                result[n] += _superposed(places, kx, ky, factor, slab.points)
    return result


def _frequencies(slab: Slab) -> tuple[Array, Array]:
    """Frequencies in 1/Å along x, all of them, and along y, the half that a real image needs."""
    kx = scipy.fft.fftfreq(slab.points[0], float(slab.steps[0]))
    ky = scipy.fft.rfftfreq(slab.points[1], float(slab.steps[1]))
    return kx, ky


def _superposed(
    places: Array, kx: Array, ky: Array, factor: NDArray[np.float32], points: tuple[int, int]
) -> NDArray[np.float32]:
    """Sum over atoms at places (x, y): Σ exp(−2πi k·r) is a product of two matrices."""
    along_x = np.exp(-2j * np.pi * np.outer(kx, places[:, 0])).astype(np.complex64)
    along_y = np.exp(-2j * np.pi * np.outer(places[:, 1], ky)).astype(np.complex64)
    result: NDArray[np.float32] = scipy.fft.irfft2(factor * (along_x @ along_y), points)
    return result
