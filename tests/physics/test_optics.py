import math

import numpy as np
import pytest
from scipy.special import j1

from crewe.errors import CalibrationError
from crewe.physics.electron import wavelength_angstrom
from crewe.physics.optics import Optics, aberration_phase, aperture, probe, probe_intensity

FIELD, PIXEL = (256, 240), 0.1
IDEAL = Optics(300, 20)


def distance_from_centre(shape=FIELD, pixel=PIXEL):
    y, x = ((np.arange(n) - n // 2) * pixel for n in shape)
    return np.hypot(y[:, None], x)


def test_a_probe_without_aberrations_is_an_airy_disc():
    x = 2 * np.pi * IDEAL.cutoff * distance_from_centre()
    airy = (2 * j1(np.maximum(x, 1e-9)) / np.maximum(x, 1e-9)) ** 2
    intensity = probe_intensity(IDEAL, FIELD, PIXEL)
    assert np.abs(intensity / intensity.max() - airy).max() < 5e-3
    first_zero = 0.61 / IDEAL.cutoff
    ring = np.abs(distance_from_centre() - first_zero) < 0.5 * PIXEL
    assert intensity[ring].max() < 0.02 * intensity.max()


def test_the_phase_is_that_of_the_conventions():
    optics = Optics(200, 30, defocus_angstrom=500, c3_mm=1.2)
    k, wavelength = 0.7, wavelength_angstrom(200)
    expected = math.pi * wavelength * k**2 * (0.5 * 1.2e7 * wavelength**2 * k**2 - 500)
    assert aberration_phase(optics, 0.0, k) == pytest.approx(expected)
    assert aberration_phase(optics, k, 0.0) == pytest.approx(expected)


def test_scherzer_defocus_gives_the_phase_of_two_thirds_pi():
    # χ is lowest where λk² = defocus/(C3 λ²)·1, and there −π·defocus²/(2·C3·λ).
    c3, wavelength = 1.0e7, wavelength_angstrom(200)
    defocus = math.sqrt(4 / 3 * c3 * wavelength)
    optics = Optics(200, 15, defocus_angstrom=defocus, c3_mm=1.0)
    chi = aberration_phase(optics, 0.0, np.linspace(0, 0.5, 5001))
    assert chi.min() == pytest.approx(-2 * math.pi / 3, rel=1e-6)


def test_fifth_order_and_azimuthal_terms_have_their_folds():
    angle = np.linspace(0, 2 * np.pi, 721)[:-1]
    k = 0.8
    wavelength = wavelength_angstrom(300)
    for order, name, fold in (
        (1, "12", 2),
        (2, "21", 1),
        (2, "23", 3),
        (3, "32", 2),
        (3, "34", 4),
    ):
        optics = Optics(300, 20, **{f"c{name}_angstrom": 70.0, f"phi{name}_deg": 25.0})
        chi = aberration_phase(optics, k * np.sin(angle), k * np.cos(angle))
        top = 2 * np.pi / wavelength * (wavelength * k) ** (order + 1) / (order + 1) * 70
        expected = top * np.cos(fold * (angle - math.radians(25)))
        assert chi == pytest.approx(expected, abs=1e-9)
    fifth = aberration_phase(Optics(300, 20, c5_mm=2.0), 0, k)
    assert fifth == pytest.approx(math.pi / 3 * 2e7 * wavelength**5 * k**6)


@pytest.mark.parametrize(
    "spoiled",
    [{"defocus_angstrom": 60}, {"c3_mm": 0.01}, {"c12_angstrom": 40}, {"c21_angstrom": 4000}],
)
def test_aberrations_lower_the_peak_and_keep_the_total(spoiled):
    optics = Optics(300, 20, **spoiled)
    intensity = probe_intensity(optics, FIELD, PIXEL)
    strehl = intensity.max() / probe_intensity(IDEAL, FIELD, PIXEL).max()
    assert 0.05 < strehl < 0.95
    assert intensity.sum() == pytest.approx(1)


def test_underfocus_makes_up_for_spherical_aberration():
    spoiled = Optics(300, 20, c3_mm=0.04)
    peaks = [
        probe_intensity(Optics(300, 20, defocus, 0.04), FIELD, PIXEL).max()
        for defocus in (80.0, -80.0)
    ]
    alone = probe_intensity(spoiled, FIELD, PIXEL).max()
    assert peaks[0] > 1.5 * alone > 1.5 * peaks[1]


def test_coma_pushes_the_probe_along_its_azimuth():
    # Stationary phase: a wave exp(2πi k·r − iχ) has its rays at r = ∇χ/2π, here towards +x, +y.
    for degrees, axis in ((0.0, 1), (90.0, 0)):
        optics = Optics(300, 20, c21_angstrom=4000, phi21_deg=degrees)
        intensity = probe_intensity(optics, FIELD, PIXEL)
        top = np.unravel_index(intensity.argmax(), FIELD)
        assert top[axis] > FIELD[axis] // 2
        assert top[1 - axis] == FIELD[1 - axis] // 2


def test_the_source_adds_its_variance_and_no_intensity():
    optics = Optics(300, 20, source_fwhm_angstrom=0.8)
    sharp, blurred = (probe_intensity(o, FIELD, PIXEL) for o in (IDEAL, optics))
    assert blurred.sum() == pytest.approx(1)
    spread = [np.abs(np.fft.fft(p.sum(axis=0)))[8] for p in (sharp, blurred)]
    k = 8 / (FIELD[1] * PIXEL)
    sigma = 0.8 / 2.354820
    assert spread[1] / spread[0] == pytest.approx(np.exp(-2 * (np.pi * sigma * k) ** 2), rel=1e-5)


def test_the_wave_is_normalised_and_centred_on_even_and_odd_fields():
    for shape in ((64, 65), (81, 96)):
        wave = probe(IDEAL, shape, 0.15)
        assert np.sum(np.abs(wave) ** 2) == pytest.approx(1)
        top = np.unravel_index(np.abs(wave).argmax(), shape)
        assert top == (shape[0] // 2, shape[1] // 2)


def test_the_aperture_ends_at_the_semi_angle():
    k = IDEAL.cutoff
    assert k == pytest.approx(0.020 / 0.019687, rel=1e-4)
    assert aperture(IDEAL, 0, np.array([0.99 * k, 1.01 * k])).tolist() == [1, 0]
    assert aperture(IDEAL, np.array([k]), 0, edge=0.1) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "values",
    [
        {"beam_energy_kev": 0},
        {"beam_energy_kev": -300},
        {"semi_angle_mrad": 0},
        {"semi_angle_mrad": 2000},
        {"defocus_angstrom": math.nan},
        {"c3_mm": math.inf},
        {"source_fwhm_angstrom": -0.1},
    ],
)
def test_values_that_no_microscope_has_are_refused(values):
    with pytest.raises(CalibrationError):
        Optics(**{"beam_energy_kev": 300, "semi_angle_mrad": 20, **values})


@pytest.mark.parametrize(("shape", "pixel"), [((64, 64), 0.6), ((4, 4), 0.1), ((64, 64), -0.1)])
def test_fields_that_cannot_hold_the_probe_are_refused(shape, pixel):
    with pytest.raises(CalibrationError):
        probe(IDEAL, shape, pixel)
