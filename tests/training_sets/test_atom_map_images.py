import numpy as np
import pytest

from crewe.physics.optics import Optics, probe_intensity
from crewe.specimens.cloud import AtomCloud
from crewe.training_sets import atom_map_images as images

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
    slow = probe_intensity(OPTICS, atoms.grid, atoms.pitch_angstrom)
    wanted = np.fft.rfft2(np.fft.ifftshift(slow))
    quick = images.probe_transfer(atoms, OPTICS)
    assert quick[0, 0] == pytest.approx(1, abs=1e-5)
    assert np.abs(quick - wanted).max() < 0.01


def test_atoms_beyond_the_rim_shine_in_but_none_wraps_round():
    atoms = projected([(-0.5, 6.0)])
    made = images.image(atoms, images.gaussian_transfer(atoms, 0.5))
    assert made[0].max() > 100 * made[-3:].max()
    assert 0.1 < made.sum() / 100 < 0.5


def test_the_full_width_of_a_gaussian():
    atoms = projected([(6, 6)], pixel=0.2)
    width = images.full_width(atoms, images.gaussian_transfer(atoms, 0.45))
    assert width == pytest.approx(2 * np.sqrt(2 * np.log(2)) * 0.45, rel=0.01)
