import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111

from crewe.axes import sampling
from crewe.errors import CalibrationError, ImageError
from crewe.physics.optics import Optics, probe_intensity
from crewe.simulation.linear import linear_image, linear_image_of

CORRECTED = Optics(300, 21.1, 88.74, 0.04, 10.0, source_fwhm_angstrom=0.7)


def gaussian(r2, sigma):
    return np.exp(-r2 / (2 * sigma**2)) / (2 * np.pi * sigma**2)


def naive_image(numbers, positions, shape, pixel_size, sigma, exponent=1.7):
    y, x = np.indices(shape) * pixel_size
    image = np.zeros(shape)
    for z, (px, py, _) in zip(numbers, positions, strict=True):
        image += z**exponent * gaussian((x - px) ** 2 + (y - py) ** 2, sigma)
    return image


def centroid(image):
    y, x = np.indices(image.shape)
    return np.array([(y * image).sum(), (x * image).sum()]) / image.sum()


@pytest.mark.parametrize("pixel_size", [0.03, 0.11, 0.3, 0.7, 1.1])
def test_fine_and_coarse_pixels_equal_the_sum_of_gaussians(pixel_size):
    rng = np.random.default_rng(1)
    positions = rng.uniform(-1, 60 * pixel_size, (40, 3))
    numbers = rng.choice([6, 29, 79], 40)
    found = linear_image_of(numbers, positions, (50, 61), pixel_size)
    expected = naive_image(numbers, positions, (50, 61), pixel_size, 0.38)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-3 * expected.max()


@pytest.mark.parametrize("probe", [0.38, CORRECTED, Optics(300, 21)])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.25, 0.5), (0.37, 0.81), (0.999, 0.001)])
def test_the_centroid_of_an_atom_is_exact_at_any_sub_pixel_offset(probe, offset):
    pixel = 0.2
    place = np.array([60 + offset[0], 60 + offset[1]])
    image = linear_image_of(
        [79], [[place[1] * pixel, place[0] * pixel, 3.0]], (121, 121), pixel, probe=probe
    )
    # The rings of an Airy disc have no second moment: with their cut-off tails the centroid would
    # measure the window, so the inner part is weighted by a window about the true place.
    y, x = np.indices(image.shape)
    window = np.exp(-((y - place[0]) ** 2 + (x - place[1]) ** 2) / (2 * 4.0**2))
    assert centroid(image * window) == pytest.approx(place, abs=1e-3)


def test_the_integral_is_the_scattering_power_of_the_atoms():
    atoms = Atoms("CAu", [(0, 0, 0), (3, 2, 5)])
    image = linear_image(atoms, 0.17, exponent=1.6)
    assert image.attrs["units"] == "Z^1.6/Å²"
    assert float(image.sum()) * 0.17**2 == pytest.approx(6**1.6 + 79**1.6, rel=1e-4)


def test_an_atom_shows_the_probe_of_the_optics():
    pixel, shape = 0.1, (128, 128)
    found = linear_image_of([1], [[6.4, 6.4, 0.0]], shape, pixel, probe=CORRECTED)
    # A wider field for the reference: 1 % of an Airy disc lies beyond 10 Å.
    expected = probe_intensity(CORRECTED, (512, 512), pixel)[192:320, 192:320] / pixel**2
    assert np.abs(found - expected).max() < 5e-3 * expected.max()


def test_vibration_adds_its_variance_to_that_of_the_probe():
    place = [[3.0, 3.1, 0.0]]
    shaken = linear_image_of([6], place, (61, 61), 0.1, probe=0.3, vibration_angstrom=0.4)
    wide = linear_image_of([6], place, (61, 61), 0.1, probe=0.5)
    assert np.abs(shaken - wide).max() < 1e-3 * wide.max()


def test_the_image_is_y_down_x_right_and_calibrated():
    atoms = Atoms("CAu", [(0, 0, 0), (4, 1, 9)])
    image = linear_image(atoms, 0.25, margin_angstrom=1.5)
    assert image.dims == ("y", "x")
    assert image.sizes["x"] > image.sizes["y"]
    assert sampling(image) == pytest.approx((0.25, 0.25))
    assert image.attrs["origin_angstrom"] == [-1.5, -1.5]
    top = image.argmax(("y", "x"))
    assert float(image.x[top["x"]]) == pytest.approx(5.5, abs=0.13)
    assert float(image.y[top["y"]]) == pytest.approx(2.5, abs=0.13)


def test_a_crystal_repeats_across_the_rim_of_its_cell():
    cell = bulk("Au", cubic=True)
    period = cell.cell[0, 0]
    pixel = period / 24
    image = linear_image(cell, pixel).values
    assert image.shape == (24, 24)
    twice = linear_image(cell.repeat((2, 2, 1)), pixel).values
    assert np.allclose(twice, np.tile(image, (2, 2)), rtol=2e-3, atol=1e-3 * image.max())
    assert image.sum() * pixel**2 == pytest.approx(4 * 79**1.7, rel=1e-3)


def test_an_oblique_cell_repeats_too():
    slab = fcc111("Pt", (1, 1, 3), vacuum=3.0)
    wide = slab.repeat((9, 9, 1))
    shape, pixel = (20, 20), 0.15
    image = linear_image(slab, pixel, shape=shape, periodic=True).values
    wide.positions -= 4 * (slab.cell[0] + slab.cell[1])
    origin = linear_image(slab, pixel, periodic=True).attrs["origin_angstrom"]
    positions = wide.positions - [*origin, 0]
    expected = naive_image(wide.numbers, positions, shape, pixel, 0.38)
    assert np.abs(image - expected).max() < 1e-3 * expected.max()


def test_without_periodicity_the_cell_is_only_the_field():
    cell = bulk("Au", cubic=True)
    image = linear_image(cell, 0.17, periodic=False).values
    repeated = linear_image(cell, 0.17, periodic=True).values
    assert image.shape == repeated.shape
    assert image[0, -1] < 0.05 * repeated[0, -1]


def test_what_makes_no_sense_is_refused():
    atom = Atoms("C", [(0, 0, 0)])
    with pytest.raises(CalibrationError, match="pixel size"):
        linear_image(atom, 0.0)
    with pytest.raises(CalibrationError, match="probe sigma"):
        linear_image(atom, 0.1, probe=-0.3)
    with pytest.raises(CalibrationError, match="vibration"):
        linear_image(atom, 0.1, vibration_angstrom=-1)
    with pytest.raises(ImageError, match="no atoms"):
        linear_image(Atoms(), 0.1)
    with pytest.raises(ImageError, match="cell vectors"):
        linear_image(atom, 0.1, periodic=True)
    with pytest.raises(ImageError, match="pixels"):
        linear_image(atom, 1e-5, margin_angstrom=100)


def test_an_atom_shows_the_probe_mirrored_as_a_scan_does():
    """I(r0) = Σ_r σ(r) P(r − r0), one position of the probe after another."""
    optics = Optics(200, 20, c21_angstrom=3000, phi21_deg=25, source_fwhm_angstrom=0.3)
    size, pixel = 64, 0.25
    probe = probe_intensity(optics, (size, size), pixel)
    atom = (30, 33)
    scanned = np.zeros((size, size))
    for y in range(size):
        for x in range(size):
            row, column = atom[0] - y + size // 2, atom[1] - x + size // 2
            if 0 <= row < size and 0 <= column < size:
                scanned[y, x] = probe[row, column]
    position = [[atom[1] * pixel, atom[0] * pixel, 0.0]]
    image = linear_image_of([1], position, (size, size), pixel, probe=optics) * pixel**2
    assert np.corrcoef(image.ravel(), scanned.ravel())[0, 1] > 0.999
    assert np.corrcoef(image.ravel(), scanned[::-1, ::-1].ravel())[0, 1] < 0.9
