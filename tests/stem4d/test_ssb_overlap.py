"""The fast sums against loops that follow the formula, and its least squares against a truth."""

import cmath
import math

import numpy as np
import pytest

from crewe.physics.optics import Optics, aberration_phase
from crewe.stem4d.ssb_overlap import (
    Frequencies,
    Sums,
    add_aberrated_overlaps,
    add_overlaps,
    aperture_weight,
)

RADIUS, EDGE = 4.3, 1.0
SHAPE = (10, 12)
KNOWN = SHAPE[1] // 2 + 1
ROWS, COLUMNS = np.fft.fftfreq(SHAPE[0], 0.1), np.fft.rfftfreq(SHAPE[1], 0.09)
ANGLE, MIRRORED = 25.0, True


def places(centre=(5.2, 4.9)):
    ky, kx = (np.arange(11) - centre[0])[:, None], (np.arange(11) - centre[1])[None, :]
    return np.stack([a.ravel() for a in np.broadcast_arrays(ky, kx)]).astype(np.float32)


def spectra(seed=0):
    rng = np.random.default_rng(seed)
    shape = (places().shape[1], SHAPE[0], KNOWN)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


def turned(row, column):
    """Scan frequency to detector axes, as docs/conventions.md says, backwards."""
    y, x = ROWS[row], COLUMNS[column]
    angle = math.radians(ANGLE)
    ky, kx = x * math.sin(angle) + y * math.cos(angle), x * math.cos(angle) - y * math.sin(angle)
    return (-ky if MIRRORED else ky), kx


def aperture(ky, kx):
    return min(1.0, max(0.0, (RADIUS - math.hypot(ky, kx)) / EDGE + 0.5))


def slow_weights(ky, kx, qy, qx, chi=lambda ky, kx: 0.0):
    """What a weak phase and a weak amplitude do at k, outside of triple overlap."""
    here = aperture(ky, kx)
    before, after = aperture(ky - qy, kx - qx), aperture(ky + qy, kx + qx)
    left = here * before * (1 - after) * cmath.exp(1j * (chi(ky, kx) - chi(ky - qy, kx - qx)))
    right = here * after * (1 - before) * cmath.exp(1j * (chi(ky + qy, kx + qx) - chi(ky, kx)))
    return left - right, left + right


def slow_sums(chi=lambda ky, kx: 0.0):
    shape = (SHAPE[0], KNOWN)
    phase, amplitude = np.zeros(shape, complex), np.zeros(shape, complex)
    norms = np.zeros((2, *shape))
    for row in range(SHAPE[0]):
        for column in range(KNOWN):
            for pixel, (ky, kx) in enumerate(places().T.astype(float)):
                odd, even = slow_weights(ky, kx, *turned(row, column), chi)
                value = complex(DATA[pixel, row, column])
                phase[row, column] += odd.conjugate() * value
                amplitude[row, column] += even.conjugate() * value
                norms[:, row, column] += abs(odd) ** 2, abs(even) ** 2
    return phase, amplitude, *norms


DATA = spectra()
FREQUENCIES = Frequencies.of(ROWS, COLUMNS, ANGLE, MIRRORED)


def check(sums, expected):
    for fast, slow in zip(
        (sums.phase, sums.amplitude, sums.phase_norm, sums.amplitude_norm), expected, strict=True
    ):
        assert np.abs(fast - slow).max() < 2e-5 * np.abs(slow).max()


def test_fast_sums_are_the_slow_ones():
    sums = Sums.zero((SHAPE[0], KNOWN))
    half = DATA.shape[0] // 2
    for part in (slice(half), slice(half, None)):
        at = np.ascontiguousarray(places()[:, part])
        add_overlaps(sums, DATA[part], at, FREQUENCIES, RADIUS, EDGE)
    check(sums, slow_sums())


def test_aberrated_sums_are_the_slow_ones_and_without_aberrations_the_fast_ones():
    optics = Optics(200, 12, defocus_angstrom=300, c12_angstrom=200, phi12_deg=20, c21_angstrom=9e3)
    per_px = optics.cutoff / RADIUS

    def chi(ky, kx):
        return aberration_phase(optics, ky * per_px, kx * per_px)

    sums = Sums.zero((SHAPE[0], KNOWN))
    add_aberrated_overlaps(sums, DATA, places(), FREQUENCIES, RADIUS, EDGE, chi)
    check(sums, slow_sums(lambda ky, kx: float(chi(ky, kx))))
    plain = Sums.zero((SHAPE[0], KNOWN))
    add_aberrated_overlaps(
        plain, DATA, places(), FREQUENCIES, RADIUS, EDGE, lambda ky, kx: np.zeros_like(ky)
    )
    check(plain, slow_sums())


def test_phase_and_amplitude_are_told_apart():
    # With a hard rim every pixel outside of triple overlap obeys the model to the letter; with the
    # centre on a pixel both sides have the same number of them, so that neither leaks.
    phi, a = 0.02 - 0.01j, -0.007 + 0.003j
    at = places((5.0, 5.0)).T
    data = np.zeros_like(DATA)
    for pixel, k in enumerate(at):
        here, before, after = (
            aperture_weight(np.hypot(*(k[:, None, None] + s * FREQUENCIES.whole())), RADIUS, 0.0)
            for s in (0, -1, 1)
        )
        data[pixel] = 1j * phi * here * (before - after) - a * here * (before + after)
    sums = Sums.zero((SHAPE[0], KNOWN))
    add_overlaps(sums, data, at.T.copy(), FREQUENCIES, RADIUS, 0.0)
    known = sums.phase_norm > 0
    assert known.sum() > 20
    assert np.allclose((-1j * sums.phase[known] / sums.phase_norm[known]), phi, atol=1e-6)
    assert np.allclose((-sums.amplitude[known] / sums.amplitude_norm[known]), a, atol=1e-6)


def test_hard_and_soft_rims():
    distance = np.array([0.0, 3.9, 4.3, 4.6, 5.0])
    assert aperture_weight(distance, 4.3, 0).tolist() == [1, 1, 1, 0, 0]
    assert aperture_weight(distance, 4.3, 1.0) == pytest.approx([1, 0.9, 0.5, 0.2, 0])


def test_no_overlap_beyond_twice_the_radius_and_none_at_zero():
    frequencies = Frequencies.of(np.array([0.0, 2 * RADIUS + 1.1]), np.array([0.0]), 0.0, False)
    sums = Sums.zero((2, 1))
    add_overlaps(sums, DATA[:, :2, :1], places(), frequencies, RADIUS, EDGE)
    assert np.all(sums.phase_norm == 0)
    assert np.all(sums.phase == 0)
