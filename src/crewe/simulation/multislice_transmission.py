"""What slices do to a wave: exp(iσV), with the cores of atoms resolved.

The phase σV of a heavy atom passes many radians within a hundredth of an Å of its nucleus. On a
grid just fine enough for a detector such a core is blunt and scatters a fifth too much to high
angles (platinum, 50–150 mrad, 200 kV). But what reaches the detector is given by the low
frequencies of exp(iσV) alone: they are found on a fine grid, once, and the waves stay on theirs.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.fft
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.physics.electron import interaction_constant
from crewe.physics.scattering import electron_scattering_factor
from crewe.simulation.multislice_potential import VOLT_ANGSTROM_SQUARED
from crewe.simulation.multislice_settings import KEPT
from crewe.simulation.multislice_slab import Slab

Array = NDArray[np.float64]
# With this step, and the part of its frequencies that a phase may have so that exp(i·phase) hardly
# aliases, a gold atom scatters to 50–150 mrad at 200 kV what it does on a grid of 0.002 Å to 0.2 %.
CORE_STEP_ANGSTROM = 0.018
CORE_KEPT = 0.8


def transmission_functions(
    slab: Slab, vibration_angstrom: float, beam_energy_kev: float, rng: Generator
) -> NDArray[np.complex64]:
    """Transmission function (slice, x, y) of atoms displaced at random along x and y.

    The displacements are those of `displaced_potential`. Frequencies beyond two thirds of the
    grid's are left out, so that its product with a wave as limited does not alias.
    """
    places = slab.atoms.positions[:, :2]
    places = places + vibration_angstrom * rng.standard_normal(places.shape)
    layer = np.floor(slab.atoms.positions[:, 2] / slab.slice_angstrom).astype(int)
    numbers = np.asarray(slab.atoms.numbers)
    fine = _fine_points(slab)
    factors = _phase_factors(slab, fine, np.unique(numbers), beam_energy_kev)
    result = np.ones((slab.slices, *slab.points), dtype=np.complex64)
    for n in range(slab.slices):
        if np.any(layer == n):
            held = {z: places[(layer == n) & (numbers == z)] for z in factors}
            result[n] = _limited(_phase(slab, fine, factors, held), slab)
    return result


def _fine_points(slab: Slab) -> tuple[int, int]:
    lengths = slab.steps * slab.points
    x, y = (
        max(points, scipy.fft.next_fast_len(math.ceil(length / CORE_STEP_ANGSTROM), real=True))
        for length, points in zip(lengths, slab.points, strict=True)
    )
    return int(x), int(y)


def _frequencies(slab: Slab, points: tuple[int, int]) -> tuple[Array, Array]:
    """Frequencies in 1/Å along x, all of them, and along y, the half that a real image needs."""
    lengths = slab.steps * slab.points
    kx = scipy.fft.fftfreq(points[0], float(lengths[0]) / points[0])
    return kx, scipy.fft.rfftfreq(points[1], float(lengths[1]) / points[1])


def _phase_factors(
    slab: Slab, points: tuple[int, int], numbers: NDArray[np.int64], beam_energy_kev: float
) -> dict[int, NDArray[np.float32]]:
    """Transform of σV of an atom of each element, over the area of a fine pixel."""
    kx, ky = _frequencies(slab, points)
    k = np.hypot(kx[:, None], ky[None, :])
    area = float(np.prod(slab.steps * slab.points / points))
    strength = interaction_constant(beam_energy_kev) * VOLT_ANGSTROM_SQUARED / area
    kept = k <= CORE_KEPT * min(kx.max(), ky.max())
    return {
        int(z): np.where(kept, strength * electron_scattering_factor(int(z), k), 0).astype("f4")
        for z in numbers
    }


def _phase(
    slab: Slab,
    points: tuple[int, int],
    factors: dict[int, NDArray[np.float32]],
    held: dict[int, Array],
) -> NDArray[np.float32]:
    """σV (x, y) on the fine grid: Σ exp(−2πi k·r) over atoms is a product of two matrices."""
    kx, ky = _frequencies(slab, points)
    spectrum = np.zeros((len(kx), len(ky)), np.complex64)
    for z, places in held.items():
        along_x = np.exp(-2j * np.pi * np.outer(kx, places[:, 0])).astype(np.complex64)
        along_y = np.exp(-2j * np.pi * np.outer(places[:, 1], ky)).astype(np.complex64)
        spectrum += factors[z] * (along_x @ along_y)
    result: NDArray[np.float32] = scipy.fft.irfft2(spectrum, points, overwrite_x=True)
    return result


def _limited(phase: NDArray[np.float32], slab: Slab) -> NDArray[np.complex64]:
    """exp(i·phase) on the slab's own grid, with the frequencies it keeps."""
    spectrum = scipy.fft.fft2(np.exp(np.complex64(1j) * phase), overwrite_x=True)
    indices = [scipy.fft.fftfreq(n, 1 / n).astype(int) for n in slab.points]
    part = spectrum[indices[0][:, None], indices[1][None, :]]
    lengths = slab.steps * slab.points
    k = np.hypot(indices[0][:, None] / lengths[0], indices[1][None, :] / lengths[1])
    part[k > KEPT * 0.5 / slab.step_angstrom] = 0
    scale = np.float32(np.prod(slab.points) / phase.size)
    result: NDArray[np.complex64] = scipy.fft.ifft2(part * scale, overwrite_x=True)
    return result
