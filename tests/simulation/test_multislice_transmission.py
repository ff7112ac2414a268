import numpy as np
import pytest
from ase import Atoms

from crewe.physics.electron import interaction_constant, wavelength_angstrom
from crewe.simulation.field import Field
from crewe.simulation.multislice_potential import displaced_potential
from crewe.simulation.multislice_slab import make_slab
from crewe.simulation.multislice_transmission import transmission_functions

WAVELENGTH = wavelength_angstrom(200)


def slab(numbers, places, step=0.06, length=5.0):
    cell = (length, 0.9 * length, 4)
    atoms = Atoms(numbers, places, cell=cell, pbc=True)
    return make_slab(atoms, Field((0.0, 0.0), (5, 5), True), ((0, 1), (0, 1)), step, 2.0, None)


def functions(held, vibration=0.0, seed=0):
    return transmission_functions(held, vibration, 200.0, np.random.default_rng(seed))


def scattered(held, inner=50, outer=150):
    """Part of a plane wave that the first slice sends into a ring."""
    spectrum = np.abs(np.fft.fft2(functions(held)[0])) ** 2 / np.prod(held.points) ** 2
    kx, ky = (np.fft.fftfreq(n, s) for n, s in zip(held.points, held.steps, strict=True))
    angle = np.hypot(kx[:, None], ky[None, :]) * WAVELENGTH * 1e3
    return spectrum[(angle >= inner) & (angle < outer)].sum()


def test_a_light_atom_is_exp_of_its_potential():
    held = slab([3, 6], [(1.3, 2.2, 1), (3.1, 1.0, 3)], step=0.05)
    phase = interaction_constant(200) * displaced_potential(held, 0.0, np.random.default_rng(0))
    found = functions(held)
    assert np.abs(found - np.exp(1j * phase)).max() < 0.06 * np.abs(phase).max()
    assert np.abs(found.mean(axis=(1, 2)) - np.exp(1j * phase).mean(axis=(1, 2))).max() < 2e-5


def test_a_heavy_atom_scatters_as_much_whatever_the_grid_of_the_waves():
    found = [scattered(slab([79], [(2, 2, 1)], step)) for step in (0.053, 0.04, 0.03)]
    assert found == pytest.approx([found[0]] * 3, rel=0.01)


def test_a_heavy_atom_scatters_what_it_does_on_a_grid_that_resolves_its_core():
    held, fine = slab([79], [(2, 2, 1)], 0.053), slab([79], [(2, 2, 1)], 0.0068)
    potential = displaced_potential(fine, 0.0, np.random.default_rng(0))[0]
    spectrum = np.fft.fft2(np.exp(1j * interaction_constant(200) * potential))
    kx, ky = (np.fft.fftfreq(n, s) for n, s in zip(fine.points, fine.steps, strict=True))
    angle = np.hypot(kx[:, None], ky[None, :]) * WAVELENGTH * 1e3
    ring = (angle >= 50) & (angle < 150)
    expected = np.sum(np.abs(spectrum[ring]) ** 2) / np.prod(fine.points) ** 2
    assert scattered(held) == pytest.approx(expected, rel=0.01)


def test_slices_without_atoms_are_vacuum_and_frequencies_beyond_the_kept_are_none():
    held = slab([79], [(2, 2, 3)])
    found = functions(held)
    assert np.array_equal(found[0], np.ones(held.points))
    kx, ky = (np.fft.fftfreq(n, s) for n, s in zip(held.points, held.steps, strict=True))
    beyond = np.hypot(kx[:, None], ky[None, :]) > 1.001 / (3 * held.step_angstrom)
    spectrum = np.abs(np.fft.fft2(found[1]))
    assert spectrum[beyond].max() < 1e-5 * spectrum.max()


def test_displacements_are_those_of_the_potential():
    held = slab([6], [(2.5, 2.2, 1)], 0.05)
    tops = [
        np.unravel_index(image.argmax(), image.shape)
        for image in (
            displaced_potential(held, 0.3, np.random.default_rng(4))[0],
            np.angle(functions(held, 0.3, 4)[0]),
        )
    ]
    assert tops[0] == tops[1]
    still = functions(held)[0]
    assert np.unravel_index(np.angle(still).argmax(), still.shape) != tops[0]
