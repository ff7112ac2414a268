import dataclasses

import numpy as np
import pytest
from scipy.special import erf

from crewe.errors import CalibrationError, SpecimenError
from crewe.physics.cross_sections import annular_cross_section
from crewe.physics.optics import Optics
from crewe.simulation.convolution import Convolution
from crewe.simulation.multislice_settings import AnnularDetector

LENS = Optics(200, 24.5, 0, 0.0012, source_fwhm_angstrom=0.88)
RING = AnnularDetector(50, 150)
PAPER = Convolution(0.1, optics=LENS, detector=RING)


def test_a_single_atom_is_the_papers_gaussian():
    image = Convolution(0.1).image([78], [(3.03, 2.51, 0.0)], (60, 60))
    y, x = np.mgrid[:60, :60] * 0.1
    squared = (y - 2.51) ** 2 + (x - 3.03) ** 2
    expected = 78**1.7 * np.exp(-squared / (2 * 0.38**2)) / (2 * np.pi * 0.38**2)
    assert image == pytest.approx(expected, abs=2e-4 * expected.max())


def test_the_integral_is_the_total_cross_section_of_the_atoms():
    numbers = [78, 42, 42]
    places = [(6, 6, 0), (7, 5, 2), (5.5, 6.2, 4)]
    image = PAPER.image(numbers, places, (120, 120))
    sections = sum(annular_cross_section(z, 200, 50, 150) for z in numbers)
    assert image.sum(dtype=float) * 0.1**2 == pytest.approx(sections, rel=1e-4)


def test_a_pixel_of_a_broad_probe_integrates_as_the_error_function_says():
    broad = Convolution(0.2, probe_sigma_angstrom=0.8)
    image = broad.image([1], [(10.0, 10.0, 0)], (101, 101))
    inside = image[40:61, 40:61].sum(dtype=float) * 0.2**2
    edge = 10.5 * 0.2 / (0.8 * np.sqrt(2))
    assert inside == pytest.approx(erf(edge) ** 2, rel=2e-3)


def test_a_scale_multiplies_and_the_probe_of_the_optics_replaces_the_gaussian():
    one, places = [78], [(12, 12, 0)]
    plain = PAPER.image(one, places, (240, 240))
    double = dataclasses.replace(PAPER, scale=2.0).image(one, places, (240, 240))
    assert double == pytest.approx(2 * plain)
    lens = dataclasses.replace(PAPER, probe_sigma_angstrom=None).image(one, places, (240, 240))
    assert lens.sum(dtype=float) == pytest.approx(plain.sum(dtype=float), rel=5e-3)
    assert np.abs(lens - plain).max() > 0.05 * plain.max()


def test_it_is_stored_as_plain_values_and_comes_back():
    assert Convolution.from_dict(PAPER.to_dict()) == PAPER
    assert Convolution.from_dict(Convolution(0.1).to_dict()) == Convolution(0.1)


@pytest.mark.parametrize(
    "values",
    [
        {"pixel_size_angstrom": 0.0},
        {"pixel_size_angstrom": 0.1, "probe_sigma_angstrom": None},
        {"pixel_size_angstrom": 0.1, "sigma": 3},
        {},
    ],
)
def test_what_describes_no_image_is_refused(values):
    with pytest.raises(CalibrationError):
        Convolution.from_dict(values)


def test_a_specimen_without_atoms_is_refused():
    with pytest.raises(SpecimenError, match="no atoms"):
        PAPER.image([], np.zeros((0, 3)), (32, 32))
