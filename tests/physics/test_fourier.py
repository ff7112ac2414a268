import numpy as np

from crewe.physics.fourier import frequency_axes


def test_frequencies_follow_the_transform_of_a_plane_wave():
    ky, kx = frequency_axes((16, 20), 0.3)
    y, x = np.indices((16, 20)) * 0.3
    wave = np.exp(2j * np.pi * (ky[3, 0] * y + kx[0, -2] * x))
    spectrum = np.fft.fft2(wave)
    assert np.unravel_index(np.abs(spectrum).argmax(), (16, 20)) == (3, 18)
    assert frequency_axes((16, 20), 0.3, real=True)[1].shape == (1, 11)
