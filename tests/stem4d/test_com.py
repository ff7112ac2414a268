from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from batches import as_events, as_frames, counts, shuffled
from fields import CENTRE, DETECTOR, detector_axes, moments_of

from crewe.errors import CalibrationError, PlanError
from crewe.sources import Frames, Scan
from crewe.stem4d.com import CentreOfMass
from crewe.stem4d.moments import Moments

SHAPE = (5, 7)


def shifts(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).normal(size=(2, *shape))


def taken(batches, shape=SHAPE, detector_shape=(8, 10)):
    moments = Moments(shape, detector_shape)
    for batch in batches:
        moments.add(moments.measure(batch))
    return moments


def test_one_bright_pixel_is_the_centre_of_mass():
    patterns = np.zeros((2, 3, 8, 10), np.uint16)
    patterns[..., 6, 2] = 9
    com = CentreOfMass(taken(as_frames(patterns), (2, 3)), scan=Scan((2, 3)), reference=(3.5, 4.5))
    np.testing.assert_allclose(com.shift()[0], 2.5)
    np.testing.assert_allclose(com.shift()[1], -2.5)


def test_the_centre_of_mass_is_finer_than_a_pixel():
    patterns = np.zeros((1, 1, 8, 10), np.uint16)
    patterns[0, 0, 3, 4:6] = 1, 3
    com = CentreOfMass(taken(as_events(patterns), (1, 1)), scan=Scan((1, 1)), reference=(3, 4))
    np.testing.assert_allclose(com.shift().ravel(), [0, 0.75], atol=1e-15)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle", [0.0, 90.0, -37.0, 180.0])
def test_shifts_are_turned_back_to_scan_axes(angle, mirrored):
    expected = shifts()
    moments = moments_of(detector_axes(expected, angle, mirrored))
    scan = Scan(SHAPE, rotation_degrees=angle, mirrored=mirrored)
    com = CentreOfMass(moments, scan=scan, reference=tuple(CENTRE))
    np.testing.assert_allclose(com.shift(), expected, atol=1e-12)


def test_scan_axes_are_turned_anticlockwise_as_displayed():
    """At 90° the scan's x, turned up, lies along kx: a shift along +kx is one towards −y."""
    along_kx = np.stack([np.zeros(SHAPE), np.ones(SHAPE)])
    scan = Scan(SHAPE, rotation_degrees=90)
    com = CentreOfMass(moments_of(along_kx), scan=scan, reference=tuple(CENTRE))
    np.testing.assert_allclose(com.shift()[0], -1)
    np.testing.assert_allclose(com.shift()[1], 0, atol=1e-12)
    upwards = np.stack([-np.ones(SHAPE), np.zeros(SHAPE)])
    mirrored = Scan(SHAPE, mirrored=True)
    com = CentreOfMass(moments_of(upwards), scan=mirrored, reference=tuple(CENTRE))
    np.testing.assert_allclose(com.shift()[0], 1)


def test_a_detector_pixel_is_scaled_before_it_is_turned():
    scan = Scan(SHAPE, rotation_degrees=90, step_angstrom=(0.2, 0.3))
    com = CentreOfMass(
        moments_of(shifts()), scan=scan, sampling_inverse_angstrom=(0.5, 0.1), reference=(7.5, 5.5)
    )
    np.testing.assert_allclose(com.shift()[0], -0.1 * shifts()[1])
    np.testing.assert_allclose(com.shift()[1], 0.5 * shifts()[0])
    image = com.images()["com_y"]
    assert image.attrs["units"] == "1/Å"
    assert float(image.x[1]) == pytest.approx(0.3)


@pytest.mark.parametrize("normalise", ["pattern", "dose"])
def test_without_a_reference_the_mean_is_zero(normalise):
    doses = np.random.default_rng(1).integers(1, 9, SHAPE).astype(float)
    com = CentreOfMass(moments_of(shifts(), doses), scan=Scan(SHAPE), normalise=normalise)
    np.testing.assert_allclose(com.shift().mean(axis=(1, 2)), 0, atol=1e-12)


def test_both_ways_to_normalise_agree_at_even_dose():
    moments = moments_of(shifts(), 5.0)
    both = [
        CentreOfMass(moments, scan=Scan(SHAPE), normalise=way).shift()
        for way in ("pattern", "dose")
    ]
    np.testing.assert_allclose(*both, atol=1e-12)


def test_with_dose_every_electron_counts_alike():
    """A shift is Σ(k − reference)/mean counts: twice the electrons, twice the shift."""
    doses = np.ones(SHAPE)
    doses[2, 3] = 2.0
    moments = moments_of(np.ones((2, *SHAPE)), doses)
    com = CentreOfMass(moments, scan=Scan(SHAPE), reference=tuple(CENTRE), normalise="dose")
    shift = com.shift()
    assert shift[0, 2, 3] == pytest.approx(2 * shift[0, 0, 0])
    assert shift[0].mean() == pytest.approx(1.0)


def test_few_electrons_are_less_noisy_when_they_count_alike():
    """Each electron has variance 1: E[1/n | n > 0] by pattern, E[n | n > 0]/mean² by dose."""
    rng = np.random.default_rng(2)
    doses = rng.poisson(1.5, (200, 200)).astype(float)
    noise = rng.normal(size=(2, 200, 200)) / np.sqrt(np.maximum(doses, 1))
    moments = moments_of(noise, doses)
    by_dose, by_pattern = (
        np.nanvar(
            np.nan_to_num(
                CentreOfMass(
                    moments, scan=Scan((200, 200)), reference=tuple(CENTRE), normalise=way
                ).shift()
            )[0][doses > 0]
        )
        for way in ("dose", "pattern")
    )
    present = doses[doses > 0]
    assert by_pattern == pytest.approx((1 / present).mean(), rel=0.05)
    assert by_dose == pytest.approx(present.mean() / doses.mean() ** 2, rel=0.05)


def test_nothing_known_is_nan():
    data = counts(mean=0.02)
    total = data.sum(axis=(2, 3))
    assert (total == 0).any()
    moments = taken(as_frames(data)[:-1])
    shift = CentreOfMass(moments, scan=Scan(SHAPE)).shift()
    np.testing.assert_array_equal(np.isnan(shift[0]), (total == 0) | ~moments.measured)
    nothing = CentreOfMass(Moments(SHAPE, DETECTOR), scan=Scan(SHAPE), normalise="dose")
    assert np.isnan(nothing.shift()).all()


def test_patterns_that_are_not_finite_are_unknown():
    patterns = np.ones((1, 3, 4, 4), np.float32)
    patterns[0, 1, 0, 0] = np.nan
    patterns[0, 2, 0, 0] = np.inf
    moments = Moments((1, 3), (4, 4))
    moments.add(moments.measure(Frames(np.arange(3), patterns[0])))
    shift = CentreOfMass(moments, scan=Scan((1, 3))).shift()
    np.testing.assert_array_equal(np.isnan(shift[1, 0]), [False, True, True])


def test_frames_events_and_shuffled_batches_are_the_same():
    data = counts()
    ways = (as_frames(data), as_events(data), shuffled(as_frames(data)), shuffled(as_events(data)))
    first, *others = (CentreOfMass(taken(way), scan=Scan(SHAPE)).shift() for way in ways)
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_settings_take_effect_and_none_is_lost_between_threads():
    com = CentreOfMass(moments_of(shifts()), scan=Scan(SHAPE))
    com.reference = (7.5, 5.5)
    com.scan = Scan(SHAPE, rotation_degrees=180)
    np.testing.assert_allclose(com.shift(), -shifts(), atol=1e-12)

    def change(number):
        if number % 2:
            com.reference = (number, number)
        else:
            com.sampling_inverse_angstrom = (number + 1, number + 1)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(change, [0] + [1] * 500 + [500]))
    assert com.reference == (1, 1)
    assert com.sampling_inverse_angstrom == (501, 501)


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("reference", (np.nan, 1.0), PlanError),
        ("reference", (1.0,), PlanError),
        ("reference", "centre", PlanError),
        ("normalise", "electron", PlanError),
        ("scan", Scan((7, 5)), PlanError),
        ("scan", Scan(SHAPE, rotation_degrees=np.nan), PlanError),
        ("sampling_inverse_angstrom", (0.0, 1.0), CalibrationError),
    ],
)
def test_bad_settings_are_refused_and_change_nothing(setting, value, error):
    com = CentreOfMass(moments_of(shifts()), scan=Scan(SHAPE))
    before = com.settings
    with pytest.raises(error):
        setattr(com, setting, value)
    assert com.settings is before


def test_a_thin_phase_object_shifts_patterns_by_its_gradient():
    """⟨k⟩ = (|probe|² ⋆ ∇φ)/2π, exactly, with exp(+2πi k·r) waves and exp(−2πi k·r) transforms."""
    pixels, pixel, scan = 48, 0.25, (6, 6)
    y = np.arange(pixels) * pixel
    phase = 0.4 * np.exp(-((y[:, None] - 5.0) ** 2 + (y - 6.5) ** 2) / (2 * 0.8**2))
    k = np.fft.fftfreq(pixels, pixel)
    waves = np.exp(-(k[:, None] ** 2 + k**2) / (2 * 0.25**2)) * np.exp(
        1j * np.pi * 2.0 * (k[:, None] ** 2 + k**2)
    )
    gradient = [
        np.fft.ifft2(2j * np.pi * axis * np.fft.fft2(phase)).real for axis in (k[:, None], k)
    ]
    patterns, expected = [], []
    for row, column in np.ndindex(scan):
        at = np.exp(-2j * np.pi * (k[:, None] * (3.0 + row) + k * (4.0 + column)))
        probe = np.fft.ifft2(waves * at)
        wave = np.fft.fftshift(np.fft.fft2(probe * np.exp(1j * phase)))
        patterns.append(np.abs(wave) ** 2)
        weight = np.abs(probe) ** 2 / np.sum(np.abs(probe) ** 2)
        expected.append([np.sum(weight * part) / (2 * np.pi) for part in gradient])
    moments = Moments(scan, (pixels, pixels))
    moments.add(moments.measure(Frames(np.arange(36), np.array(patterns))))
    com = CentreOfMass(
        moments,
        scan=Scan(scan),
        reference=(pixels // 2, pixels // 2),
        sampling_inverse_angstrom=(1 / (pixels * pixel),) * 2,
    )
    np.testing.assert_allclose(com.shift().reshape(2, 36).T, expected, atol=1e-7)
    assert com.shift()[0, 0, 2] > 0 > com.shift()[0, 5, 2]
