import numpy as np
import pytest
from ase import Atoms

from crewe.physics.scattering import electron_scattering_factor
from crewe.simulation.field import Field
from crewe.simulation.multislice_potential import VOLT_ANGSTROM_SQUARED, displaced_potential
from crewe.simulation.multislice_slab import make_slab


def slab(atoms):
    return make_slab(atoms, Field((0.0, 0.0), (5, 5), True), ((0, 1), (0, 1)), 0.08, 2.0, None)


def potential(atoms, vibration=0.0, seed=0):
    return displaced_potential(slab(atoms), vibration, np.random.default_rng(seed))


def atoms_at(numbers, places):
    return Atoms(numbers, places, cell=(8, 6, 4), pbc=True)


def test_each_coefficient_is_the_sum_over_the_atoms():
    numbers, places = [79, 6, 6], np.array([[1.23, 4.56, 1], [3.3, 0.7, 0.5], [7.9, 5.9, 1.9]])
    held = slab(atoms_at(numbers, places))
    found = np.fft.fft2(potential(atoms_at(numbers, places))[0]) * np.prod(held.steps)
    for i, j in ((0, 0), (3, 1), (-4, 7), (10, -9)):
        k = np.array([i / 8, j / 6])
        factors = np.array([float(electron_scattering_factor(n, np.hypot(*k))) for n in numbers])
        expected = np.sum(factors * np.exp(-2j * np.pi * places[:, :2] @ k))
        assert found[i, j] == pytest.approx(VOLT_ANGSTROM_SQUARED * expected, rel=1e-4)


def test_atoms_appear_in_their_slice_only_and_nothing_beyond_the_kept_frequencies():
    found = potential(atoms_at([14], [(2, 2, 3.0)]))
    assert found.shape[0] == 2
    assert not found[0].any()
    held = slab(atoms_at([14], [(2, 2, 3.0)]))
    spectrum = np.abs(np.fft.fft2(found[1]))
    kx = np.fft.fftfreq(found.shape[1], held.steps[0])[:, None]
    ky = np.fft.fftfreq(found.shape[2], held.steps[1])[None, :]
    beyond = np.hypot(kx, ky) > 1.001 / (3 * held.step_angstrom)
    assert spectrum[beyond].max() < 1e-5 * spectrum.max()


def test_it_is_abtems_where_both_are_exact():
    abtem = pytest.importorskip("abtem")
    atoms = atoms_at([79, 6], [(1.1, 2.3, 1.0), (4.2, 3.3, 1.0)])
    ours = np.fft.rfft2(potential(atoms)[0])
    fine = abtem.Potential(
        atoms, gpts=tuple(8 * n for n in slab(atoms).points), slice_thickness=2.0, device="cpu"
    ).build(lazy=False)
    theirs = np.fft.rfft2(np.asarray(fine.array)[0]) / 64
    assert np.abs(ours[:20, :20] - theirs[:20, :20]).max() < 1e-3 * np.abs(ours).max()


def test_displacements_follow_the_generator_and_have_the_wanted_size():
    atoms = atoms_at([79], [(4, 3, 1.0)])
    assert np.array_equal(potential(atoms, 0.1, 3), potential(atoms, 0.1, 3))
    held, rng = slab(atoms), np.random.default_rng(5)
    tops = [
        np.unravel_index(displaced_potential(held, 0.5, rng)[0].argmax(), held.points)
        for _ in range(200)
    ]
    spread = np.std(tops * held.steps, axis=0)
    assert spread == pytest.approx([0.5, 0.5], rel=0.15)
