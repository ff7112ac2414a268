import math

import numpy as np
import pytest
from scipy.signal import convolve

from crewe.errors import CalibrationError, PlanError
from crewe.stem4d.ricom_kernel import (
    Band,
    disc_transfer,
    line_transfer,
    radial_transfer,
    ricom_kernel,
    transfer,
)

SCAN = (500, 500)
BAND = Band.from_pixels(12.19 / 2, 12.19, 500)


def test_the_kernel_is_equation_3_4():
    step, half = (0.2, 0.3), 3
    kernel = ricom_kernel(7, step=step)
    for dy in range(-half, half + 1):
        for dx in range(-half, half + 1):
            r = np.array([dy * step[0], dx * step[1]])
            area = step[0] * step[1] / (2 * math.pi)
            expected = area * r / (r @ r) if dy or dx else np.zeros(2)
            np.testing.assert_allclose(kernel[:, half + dy, half + dx], expected, rtol=1e-14)


@pytest.mark.parametrize("band", [None, Band(0.02, 0.1), Band(0.1), Band(high=0.2)])
def test_kernels_are_odd_along_themselves_and_even_across(band):
    along_y, along_x = ricom_kernel(11, step=(1.0, 1.5), band=band, scan_shape=(40, 31))
    np.testing.assert_array_equal(along_y, -along_y[::-1])
    np.testing.assert_array_equal(along_y, along_y[:, ::-1])
    np.testing.assert_array_equal(along_x, -along_x[:, ::-1])
    np.testing.assert_array_equal(along_x, along_x[::-1])


def test_the_filter_is_convolved_in_and_cut():
    """Eq. 3.8 and 3.9 by hand: f at the scan's size, its centre in the middle."""
    size, shape, band = 9, (41, 33), Band(0.06, 0.2)
    ky, kx = (np.fft.fftfreq(n) for n in shape)
    radius = np.hypot(ky[:, None], kx)
    passed = (radius >= band.low) & (radius <= band.high)
    filter_ = np.fft.fftshift(np.fft.ifft2(passed).real)
    plain = ricom_kernel(size)
    whole = [convolve(component, filter_, "full", "direct") for component in plain]
    half, (y, x) = size // 2, (shape[0] // 2, shape[1] // 2)
    expected = np.stack([part[y : y + size, x : x + size] for part in whole])
    assert half * 2 + 1 == size
    found = ricom_kernel(size, band=band, scan_shape=shape)
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_a_filter_that_passes_all_changes_nothing():
    np.testing.assert_allclose(
        ricom_kernel(21, band=Band(0.0, None), scan_shape=(64, 64)), ricom_kernel(21), atol=1e-14
    )


def test_limits_can_be_given_in_pixels_or_per_angstrom():
    assert Band.from_pixels(18, 60, 512) == pytest.approx((18 / 512, 60 / 512))
    assert Band.from_inverse_angstrom(0.1, 0.4, (0.2, 0.2)) == pytest.approx((0.02, 0.08))
    assert Band.from_pixels(3, None, 100) == (0.03, None)
    with pytest.raises(CalibrationError, match="scan step"):
        Band.from_inverse_angstrom(0.1, 0.4, None)
    with pytest.raises(PlanError, match="pixels"):
        Band.from_pixels(3, None, 0)


def test_the_transfer_function_is_that_of_a_measured_wave():
    """A cosine phase goes in as its gradient, and comes out times transfer × 2π|k|."""
    n, wave = 64, (3, 5)
    y, x = np.mgrid[0:n, 0:n]
    k = np.array(wave) / n
    argument = 2 * np.pi * (k[0] * y + k[1] * x)
    field = -2 * np.pi * k[:, None, None] * np.sin(argument)
    kernel = ricom_kernel(21)
    image = sum(
        np.fft.ifft2(
            np.fft.fft2(f) * np.fft.fft2(np.roll(np.pad(c, (0, n - 21)), (-10, -10), (0, 1)))
        )
        for f, c in zip(field, kernel, strict=True)
    ).real
    expected = transfer(kernel, (n, n))[wave] * 2 * np.pi * np.hypot(*k)
    np.testing.assert_allclose(image, expected * np.cos(argument), atol=1e-12)


@pytest.mark.parametrize("size", [41, 101])
def test_kernels_pass_what_the_line_integral_predicts(size):
    """Eq. 3.7 (Fig. 3.2) in period and decay; its first maximum is half as high again."""
    frequencies, found = radial_transfer(ricom_kernel(size), SCAN)
    predicted = line_transfer(size, frequencies)
    assert np.corrcoef(found, predicted)[0, 1] > 0.94
    assert abs(int(found.argmax()) - int(predicted.argmax())) <= 1
    assert found.max() / predicted.max() == pytest.approx(0.65, abs=0.03)
    low = frequencies < 0.15
    assert found[low][5:].mean() == pytest.approx(predicted[low][5:].mean(), rel=0.2)


def test_the_round_kernel_is_nearer_than_the_line():
    frequencies, found = radial_transfer(ricom_kernel(101), SCAN)
    low = frequencies < 0.1
    errors = [
        np.sqrt(np.mean((model(101, frequencies) - found)[low] ** 2))
        for model in (disc_transfer, line_transfer)
    ]
    assert errors[0] < 0.3 * errors[1]


def test_filters_suppress_what_they_should():
    plain = radial_transfer(ricom_kernel(101), SCAN)[1]
    high, low, band = (
        radial_transfer(ricom_kernel(101, band=limits, scan_shape=SCAN), SCAN)[1]
        for limits in (Band(BAND.low), Band(0.0, BAND.high), BAND)
    )
    assert np.abs(high[:3]).max() < 0.5 * plain[:3].max()
    assert np.abs(low[25:]).max() < 0.25 * plain[25:].max()
    assert np.abs(band[25:]).max() < 0.25 * plain[25:].max()
    assert BAND.low * 500 - 1 <= band.argmax() + 1 <= BAND.high * 500 + 1
    assert band.argmax() > plain.argmax()


@pytest.mark.parametrize("size", [0, 1, 4, -3, 60, 7.5, 10**9 + 1, None, "61"])
def test_sizes_that_cannot_be_are_refused(size):
    with pytest.raises(PlanError, match="odd"):
        ricom_kernel(size)


@pytest.mark.parametrize(
    "limits",
    [
        *((0.2, 0.1), (-0.1, 0.2), (0.1, 0.1), (math.nan, 0.2), (0.1, math.nan), (0, math.inf)),
        *((0.1,), (0.1, 0.2, 0.3), ("low", "high"), 0.3, (None, 0.1)),
    ],
)
def test_bands_that_cannot_be_are_refused(limits):
    with pytest.raises(PlanError, match="band"):
        ricom_kernel(21, band=limits, scan_shape=(64, 64))


@pytest.mark.parametrize("step", [(0.0, 1.0), (1.0, math.nan), (1.0,)])
def test_steps_that_cannot_be_are_refused(step):
    with pytest.raises(PlanError, match="step"):
        ricom_kernel(21, step=step)


def test_a_transfer_needs_a_scan_that_holds_the_kernel():
    with pytest.raises(PlanError, match="larger"):
        transfer(ricom_kernel(21), (20, 64))
