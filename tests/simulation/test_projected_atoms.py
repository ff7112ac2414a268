import numpy as np
import pytest

from crewe.physics.optics import Optics, probe_intensity
from crewe.simulation import projected_atoms as images
from crewe.simulation.linear import linear_image_of
from crewe.specimens.cloud import AtomCloud

SIZE, PIXEL = 48, 0.25
OPTICS = Optics(200, 24, defocus_angstrom=30, c21_angstrom=300, phi21_deg=40,
                source_fwhm_angstrom=0.6)  # fmt: skip


def projected(places, numbers=None, pixel=PIXEL, exponent=2.0):
    positions = np.array([[x, y, 0.0] for y, x in places])
    numbers = np.full(len(positions), 10) if numbers is None else np.asarray(numbers)
    cloud = AtomCloud(numbers.astype(np.uint8), positions, (12.0, 12.0, 1.0))
    return images.project(cloud, exponent, SIZE, pixel)


def centroid(image, pixel):
    at = np.arange(len(image)) * pixel
    return np.array([image.sum(1) @ at, image.sum(0) @ at]) / image.sum()


@pytest.mark.parametrize("place", [(6.0, 6.0), (5.93, 6.11), (6.126, 5.374)])
def test_a_gaussian_atom_is_the_gaussian_itself_at_any_sub_pixel_place(place):
    atoms = projected([place])
    made = images.image(atoms, images.gaussian_transfer(atoms, 0.4))
    at = np.arange(SIZE) * PIXEL
    gaussian = np.exp(-((at[:, None] - place[0]) ** 2 + (at - place[1]) ** 2) / (2 * 0.4**2))
    assert np.allclose(made, 100 * PIXEL**2 / (2 * np.pi * 0.4**2) * gaussian, atol=2e-3)
    assert np.abs(centroid(made, PIXEL) - place).max() < 1e-3 * PIXEL


def test_the_integral_is_the_sum_of_powers_of_the_atomic_numbers():
    atoms = projected([(5, 5), (7, 6.3)], [8, 38], exponent=1.7)
    made = images.image(atoms, images.gaussian_transfer(atoms, 0.5))
    assert made.sum() == pytest.approx(8**1.7 + 38**1.7, rel=1e-4)


def test_fine_pixels_cover_the_coarse_ones():
    place = (5.71, 6.4)
    atoms = projected([place])
    transfer = images.gaussian_transfer(atoms, 0.5)
    fine = images.fine_image(atoms, transfer)
    assert fine.shape == (2 * SIZE, 2 * SIZE)
    assert centroid(fine, PIXEL / 2) - PIXEL / 4 == pytest.approx(place, abs=1e-4)
    binned = fine.reshape(SIZE, 2, SIZE, 2).mean(axis=(1, 3))
    coarse = images.image(atoms, transfer)
    assert np.abs(binned - coarse).max() < 0.04 * coarse.max()


@pytest.mark.parametrize("pixel", [0.25, 0.08])
def test_the_quick_probe_is_the_slow_one(pixel):
    atoms = projected([(4, 4)], pixel=pixel)
    slow = probe_intensity(OPTICS, atoms.grid.shape, atoms.grid.pitch_angstrom)
    wanted = np.fft.rfft2(np.fft.ifftshift(slow))
    quick = images.probe_transfer(atoms, OPTICS).values
    assert quick[0, 0] == pytest.approx(1, abs=1e-5)
    # They differ by the shift that brings the maximum onto the atom, and nothing else.
    assert np.abs(np.abs(quick) - np.abs(wanted)).max() < 0.01


def test_atoms_beyond_the_rim_shine_in_but_none_wraps_round():
    atoms = projected([(-0.5, 6.0)])
    made = images.image(atoms, images.gaussian_transfer(atoms, 0.5))
    assert made[0].max() > 100 * made[-3:].max()
    assert 0.1 < made.sum() / 100 < 0.5


def test_the_full_width_of_a_gaussian():
    atoms = projected([(6, 6)], pixel=0.2)
    width = images.full_width(images.gaussian_transfer(atoms, 0.45))
    assert width == pytest.approx(2 * np.sqrt(2 * np.log(2)) * 0.45, rel=0.01)


def test_the_core_stands_on_the_atom_whatever_the_coma():
    place = (2.13, 2.77)
    atoms = projected([place], pixel=0.1)
    shown = images.image(atoms, images.probe_transfer(atoms, OPTICS))
    row, column = np.unravel_index(shown.argmax(), shown.shape)
    assert np.hypot(row * 0.1 - place[0], column * 0.1 - place[1]) < 0.09


def test_without_odd_aberrations_it_is_the_linear_image():
    optics = Optics(300, 24, defocus_angstrom=20, source_fwhm_angstrom=0.7)
    numbers, positions = [38, 22], [[5.1, 6.2, 0.0], [8.4, 7.3, 0.0]]
    cloud = AtomCloud(np.array(numbers, np.uint8), np.array(positions), (12.0, 12.0, 1.0))
    atoms = images.project(cloud, 1.7, SIZE, PIXEL)
    made = images.image(atoms, images.probe_transfer(atoms, optics))
    wanted = linear_image_of(numbers, positions, (SIZE, SIZE), PIXEL, probe=optics) * PIXEL**2
    assert np.abs(made - wanted).max() < 0.01 * wanted.max()


def test_a_rim_shows_more_of_the_same_image():
    cloud = AtomCloud(np.array([30], np.uint8), np.array([[0.3, 5.0, 0.0]]), (12.0, 12.0, 1.0))
    atoms = images.project(cloud, 2.0, SIZE, PIXEL, rim_px=5)
    transfer = images.gaussian_transfer(atoms, 0.5)
    wide = images.image(atoms, transfer, rim_px=5)
    assert wide.shape == (SIZE + 10, SIZE + 10)
    assert np.array_equal(wide[5:-5, 5:-5], images.image(atoms, transfer))
    assert wide[:, :5].max() > 0.1 * wide.max()
