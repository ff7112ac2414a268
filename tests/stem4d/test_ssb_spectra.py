import numpy as np
import pytest

from crewe.stem4d.ssb_spectra import scan_image_of, scan_spectra


@pytest.mark.parametrize("shape", [(16, 18), (15, 17), (12, 1), (1, 8)])
def test_spectra_are_those_of_the_whole_transform(shape):
    values = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    known = max(1, (shape[1] // 2 + 1) * 2 // 3)
    expected = np.fft.rfft2(values)[:, :, :known]
    spectra = scan_spectra(values, known)
    assert spectra.dtype == np.complex64
    assert np.allclose(spectra, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(16, 18), (15, 17)])
def test_an_image_below_nyquist_comes_back_without_its_mean(shape):
    y, x = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    image = 3 + np.cos(2 * np.pi * (2 * y / shape[0] + 3 * x / shape[1]) + 0.4)
    spectrum = scan_spectra(image[None].astype(np.float32), 5)[0]
    assert np.allclose(scan_image_of(spectrum, shape), image - 3, atol=1e-5)


def test_the_nyquist_frequency_is_left_out():
    checkerboard = (-1.0) ** np.add.outer(np.arange(8), np.arange(8)).astype(np.float32)
    spectrum = scan_spectra(checkerboard[None], 5)[0]
    assert np.abs(scan_image_of(spectrum, (8, 8))).max() < 1e-6
