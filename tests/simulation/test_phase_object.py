import numpy as np
import pytest
from scipy import fft

from crewe.errors import CalibrationError, ImageError
from crewe.physics.optics import Optics, probe_intensity
from crewe.simulation.phase_object import PhaseScan, as_events, with_dose
from crewe.sources import Scan

PIXEL = 0.25
SIDE = 96
STEP = (4 * PIXEL, 4 * PIXEL)
OPTICS = Optics(200, 12)


def bumps(strength=0.02, width=1.2):
    y, x = (np.arange(SIDE)[:, None] * PIXEL, np.arange(SIDE)[None, :] * PIXEL)
    result = np.zeros((SIDE, SIDE))
    period = SIDE * PIXEL
    for y0, x0 in ((8.0, 10.0), (15.0, 6.5), (14.0, 17.0)):
        dy, dx = ((d + period / 2) % period - period / 2 for d in (y - y0, x - x0))
        result += strength * np.exp(-(dy**2 + dx**2) / (2 * width**2))
    return result


def phase_scan(phase, scan=None, **options):
    scan = scan or Scan((SIDE // 4, SIDE // 4), step_angstrom=STEP)
    return PhaseScan(
        phase, PIXEL, OPTICS, scan, **{"detector_shape": (96, 96), "window_px": 96, **options}
    )


def centre_of_mass(scan, patterns):
    """Shift (2, rows, columns) in 1/Å along the detector's axes."""
    total = patterns.sum(axis=(2, 3), dtype=float)
    step = scan.sampling_inverse_angstrom[0]
    ky, kx = (np.arange(n) - c for n, c in zip(scan.detector_shape, scan.centre_px, strict=True))
    along_y = np.einsum("rcyx,y->rc", patterns.astype(float), ky)
    along_x = np.einsum("rcyx,x->rc", patterns.astype(float), kx)
    return np.stack([along_y, along_x]) / total * step


def same(some, others):
    return some.shape == others.shape and np.abs(some - others).max() < 1e-7


def smeared_gradient(phase):
    """(1/2π) |probe|² ⋆ ∇φ (2, y, x) on the map's own grid, which it repeats on."""
    intensity = fft.fft2(fft.ifftshift(probe_intensity(OPTICS, phase.shape, PIXEL)))
    ky, kx = fft.fftfreq(SIDE, PIXEL)[:, None], fft.fftfreq(SIDE, PIXEL)[None, :]
    spectrum = fft.fft2(phase) * np.conj(intensity)
    return np.stack([fft.ifft2(1j * k * spectrum).real for k in (ky, kx)])


def test_a_whole_detector_sees_the_whole_beam():
    scan = phase_scan(bumps(1.5))
    patterns = scan.patterns()
    assert patterns.dtype == np.float32
    assert patterns.shape == (24, 24, 96, 96)
    assert patterns.sum(axis=(2, 3)) == pytest.approx(1, abs=1e-5)


def test_vacuum_shows_the_aperture_in_the_middle_of_the_detector():
    scan = phase_scan(np.zeros((SIDE, SIDE)), detector_shape=(40, 48))
    pattern = scan.patterns()[3, 5]
    k = [np.arange(n) - c for n, c in zip((40, 48), scan.centre_px, strict=True)]
    distance = np.hypot(k[0][:, None], k[1][None, :])
    assert scan.radius_px == pytest.approx(OPTICS.cutoff * 96 * PIXEL)
    assert np.ptp(pattern[distance < scan.radius_px - 0.5]) < 1e-6
    assert pattern[distance > scan.radius_px + 0.5].max() < 1e-9


@pytest.mark.parametrize("strength", [0.02, 0.8])
def test_the_centre_of_mass_is_the_smeared_gradient_of_the_phase(strength):
    phase = bumps(strength)
    scan = phase_scan(phase)
    measured = centre_of_mass(scan, scan.patterns())
    expected = smeared_gradient(phase)[:, ::4, ::4]
    assert np.abs(measured - expected).max() < 0.01 * np.abs(expected).max()


def test_the_centre_of_mass_points_to_positive_phase():
    phase = bumps(0.1)
    phase[:] = 0
    phase[40:44, 40:44] = 0.5
    scan = phase_scan(phase)
    shift = centre_of_mass(scan, scan.patterns())
    assert shift[0, 8, 10] > 0 > shift[0, 12, 10]
    assert shift[1, 10, 8] > 0 > shift[1, 10, 12]


def test_a_probe_between_pixels_sees_what_a_moved_object_shows():
    scan = Scan((2, 3), step_angstrom=STEP)
    phase = bumps(0.3)
    shift = fft.fftfreq(SIDE)[:, None] * 0.4 + fft.fftfreq(SIDE)[None, :] * 0.3
    moved = fft.ifft2(fft.fft2(phase) * np.exp(2j * np.pi * shift)).real
    between = phase_scan(phase, scan, origin_angstrom=(0.4 * PIXEL, 0.3 * PIXEL)).patterns()
    assert same(between, phase_scan(moved, scan).patterns())


def test_a_turned_and_mirrored_scan_visits_the_same_places_in_another_order():
    phase = bumps(0.3)
    plain = phase_scan(phase).patterns()
    turned = Scan((24, 24), rotation_degrees=90, step_angstrom=STEP)
    # Scan x lies along ky, scan y along −kx.
    there = plain.swapaxes(0, 1)[-np.arange(24) % 24]
    assert same(phase_scan(phase, turned).patterns(), there)
    mirrored = Scan((24, 24), mirrored=True, step_angstrom=STEP)
    upside_down = plain[-np.arange(24) % 24]
    assert same(phase_scan(phase, mirrored).patterns(), upside_down)


def test_outside_a_map_that_does_not_repeat_is_vacuum():
    far = Scan((1, 2), step_angstrom=(1.0, 500.0))
    scan = phase_scan(bumps(0.5), far, origin_angstrom=(10.0, 500.0), periodic=False)
    vacuum = phase_scan(np.zeros((SIDE, SIDE)), far).patterns()
    assert same(scan.patterns(), vacuum)
    near = phase_scan(bumps(0.5), origin_angstrom=(2.0, 2.0), periodic=False).patterns()
    wide = np.pad(bumps(0.5), 96)
    aside = (2.0 + 96 * PIXEL, 2.0 + 96 * PIXEL)
    assert same(near, phase_scan(wide, origin_angstrom=aside).patterns())


def test_lines_are_the_patterns_and_the_aperture_is_wide_enough():
    scan = PhaseScan(bumps(), PIXEL, OPTICS, Scan((3, 5), step_angstrom=STEP), (32, 30))
    assert 2 * scan.radius_px >= 20
    lines = list(scan.lines())
    assert len(lines) == 3
    assert np.array_equal(np.stack(lines), scan.patterns())


def test_counts_are_poisson_and_events_are_the_same_electrons():
    rng = np.random.default_rng(4)
    patterns = phase_scan(bumps(), Scan((1, 400), step_angstrom=STEP), detector_shape=(32, 32))
    beam = patterns.patterns()[0]
    counts = with_dose(beam, 500, rng)
    expected = beam.astype(float) * 500
    bright = expected > 0.5
    assert np.mean((counts - expected)[bright] ** 2 / expected[bright]) == pytest.approx(
        1, abs=0.03
    )
    events = as_events(counts, rng, first_position=1000)
    assert events.finished == 1400
    again = np.zeros(counts.shape, int)
    np.add.at(again.reshape(400, -1), (events.positions - 1000, events.pixels), 1)
    assert np.array_equal(again, counts)


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"scan": Scan((2, 2))}, CalibrationError, "step"),
        ({"optics": Optics(200, 12, source_fwhm_angstrom=0.5)}, CalibrationError, "source"),
        ({"detector_shape": (512, 64)}, CalibrationError, "finer map"),
        ({"phase": np.full((8, 8), np.nan)}, ImageError, "finite"),
        ({"phase": np.zeros(8)}, ImageError, "dimensions"),
    ],
)
def test_what_cannot_be_simulated_is_refused(changed, error, words):
    whole = {
        "phase": bumps(),
        "pixel_size_angstrom": PIXEL,
        "optics": OPTICS,
        "scan": Scan((2, 2), step_angstrom=STEP),
        **changed,
    }
    with pytest.raises(error, match=words):
        PhaseScan(**whole)


def test_a_negative_dose_is_refused():
    with pytest.raises(CalibrationError, match="dose"):
        with_dose(np.ones((1, 4, 4), np.float32), -1.0, np.random.default_rng(0))
