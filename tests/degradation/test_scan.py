import numpy as np
import pytest

from crewe.degradation import scan, undo
from crewe.errors import PlanError

SHAPE = (64, 30)


def many(draw, parameters, count=3000, shape=SHAPE):
    """Displacements (count, lines) along y and x in Å."""
    rng = np.random.default_rng(0)
    drawn = [draw(shape, parameters, rng) for _ in range(count)]
    size = parameters.pixel_size_angstrom
    return (
        size * np.array([d.dy[:, 0] for d in drawn]),
        size * np.array([d.dx[:, 0] for d in drawn]),
    )


def test_jitter_is_stationary_from_the_first_line():
    parameters = scan.ScanJitter(0.2, 0.5, 0.3, 0.7, 0.4)
    dy, dx = many(scan.scan_jitter_displacement, parameters)
    for series, sigma, phi in ((dx, 0.5, 0.7), (dy, 0.3, 0.4)):
        expected = sigma**2 / (1 - phi**2)
        assert series[:, 0].var() == pytest.approx(expected, rel=0.08)
        assert series.var(axis=0).mean() == pytest.approx(expected, rel=0.03)
        for lag in (1, 2, 3):
            product = np.mean(series[:, lag:] * series[:, :-lag])
            assert product / expected == pytest.approx(phi**lag, abs=0.03)


def test_jitter_moves_x_or_y_alone():
    only_x = scan.ScanJitter(0.1, sigma_x_angstrom=0.2, phi_x=0.5)
    displacement = scan.scan_jitter_displacement(SHAPE, only_x, np.random.default_rng(1))
    assert displacement.dx.shape == (64, 1)
    assert displacement.dx.any()
    assert not displacement.dy.any()


def test_jitter_is_undone_by_its_displacement():
    y, x = np.mgrid[:80, :80]
    image = np.sin(2 * np.pi * y / 14) * np.cos(2 * np.pi * x / 14)
    parameters = scan.ScanJitter(0.2, 0.1, 0.05, 0.6, 0.6)
    displacement = scan.scan_jitter_displacement(image.shape, parameters, np.random.default_rng(2))
    jittered = scan.scan_jitter(image, parameters, np.random.default_rng(2))
    inner = (slice(8, -8), slice(8, -8))
    error = np.std((undo(jittered, displacement) - image)[inner])
    assert error < 0.02
    assert np.std((jittered - image)[inner]) > 8 * error


def test_hum_comes_and_goes_with_the_mains():
    parameters = scan.LineFrequency(0.1, 0.4, frequency_hz=50, line_time_ms=1.25, phase_deg=90)
    dy, dx = many(scan.line_frequency_displacement, parameters)
    t = np.arange(64) * 1.25e-3
    assert np.allclose(dx.std(axis=0), 0.4 * np.abs(np.sin(2 * np.pi * 50 * t)), atol=0.03)
    assert np.allclose(dy.std(axis=0), 0.4 * np.abs(np.cos(2 * np.pi * 50 * t)), atol=0.03)
    spectrum = np.abs(np.fft.rfft(np.mean(dx**2, axis=0)))[1:]
    # The square of a sine has twice its frequency: 64 lines of 1.25 ms hold 8 periods of 10 ms.
    assert 1 + np.argmax(spectrum) == 8
    assert spectrum[7] > 5 * np.sort(spectrum)[-2]


def test_drift_is_steady_and_walks():
    steady = scan.Drift(0.5, drift_x_angstrom=6, drift_y_angstrom=-3)
    displacement = scan.drift_displacement(SHAPE, steady, np.random.default_rng(0))
    assert displacement.dx[-1] - displacement.dx[0] == pytest.approx(12)
    assert np.allclose(np.diff(displacement.dy[:, 0]), -6 / 63, atol=1e-5)
    assert displacement.dx[32] == 0
    _, dx = many(scan.drift_displacement, scan.Drift(0.5, walk_x_angstrom=2), shape=(65, 4))
    moved = dx - dx[:, [0]]
    assert moved[:, 64].std() == pytest.approx(2, rel=0.05)
    assert moved[:, 16].std() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("effect", ["scan_jitter", "line_frequency", "drift"])
def test_effects_keep_a_flat_image(effect):
    parameters = {
        "scan_jitter": scan.ScanJitter(0.1, 0.3, 0.3),
        "line_frequency": scan.LineFrequency(0.1, 0.3, 50, 1),
        "drift": scan.Drift(0.1, 3, 3, 1, 1),
    }[effect]
    image = getattr(scan, effect)(np.full((20, 20), 4.0), parameters, np.random.default_rng(0))
    assert np.allclose(image, 4, atol=1e-5)


def test_a_series_that_never_forgets_is_refused():
    with pytest.raises(PlanError, match="phi_x"):
        scan.ScanJitter(0.1, 0.2, 0.2, phi_x=1.0)
