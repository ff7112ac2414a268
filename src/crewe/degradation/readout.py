"""Readout noise of a camera: thermal, flicker and reset.

The strength of each is a fraction of the image's mean intensity, because the paper adds them to
images of no particular unit and gives no numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import fft

from crewe.degradation.normals import standard_normals
from crewe.degradation.parameters import Parameters, number
from crewe.degradation.pixels import Pixels, as_pixels, mean_of


@dataclass(frozen=True)
class ReadoutNoise(Parameters):
    """How strong a readout noise is."""

    sigma_of_mean: float = number(0, 100)
    """Standard deviation over the mean intensity of the image."""


def _sigma(pixels: Pixels, parameters: ReadoutNoise) -> float:
    return parameters.sigma_of_mean * abs(mean_of(pixels))


def thermal_noise(image: Pixels, parameters: ReadoutNoise, rng: Generator) -> Pixels:
    """Add white noise: x ← x + N(0, σ).

    Source: eq. 34 of I. Lobato et al., npj Comput. Mater. 10 (2024) 10,
    doi:10.1038/s41524-023-01188-0.
    """
    pixels = as_pixels(image)
    noise = standard_normals(*pixels.shape, rng)
    noise *= np.float32(_sigma(pixels, parameters))
    noise += pixels
    return noise


def flicker_noise(image: Pixels, parameters: ReadoutNoise, rng: Generator) -> Pixels:
    """Add 1/f noise: x ← x + F(N(0, σ)/f), f the distance from the origin; no change of the mean.

    The pattern's expected standard deviation over the image is `sigma_of_mean` × the mean. An
    image of one pixel has no frequency but zero and stays as it is.
    Source: eq. 35, doi:10.1038/s41524-023-01188-0.
    """
    pixels = as_pixels(image)
    return pixels + np.float32(_sigma(pixels, parameters)) * flicker_pattern(pixels.shape, rng)


def flicker_pattern(shape: tuple[int, int], rng: Generator) -> Pixels:
    """Draw noise of amplitude ∝ 1/f, mean 0 and expected variance 1."""
    ny, nx = shape
    amplitude = np.hypot(fft.fftfreq(ny)[:, None], fft.rfftfreq(nx)).astype(np.float32)
    amplitude[0, 0] = np.inf
    amplitude = 1 / amplitude
    # Every column but these stands for two of the full transform.
    twice = np.full(nx // 2 + 1, 2.0)
    twice[0] = 1
    if nx % 2 == 0:
        twice[-1] = 1
    power = float(np.sum(amplitude**2 * twice))
    if power == 0:
        return np.zeros(shape, np.float32)
    # Neighbours along x are the real and the imaginary part of one wave.
    noise = standard_normals(ny, 2 * amplitude.shape[1], rng)
    waves = noise.view(np.complex64) * amplitude
    # The inverse transform drops the imaginary part of the columns that stand for one, which
    # holds half of their power.
    waves *= np.sqrt(np.where(twice == 1, 2.0, 1.0) / 2 / power).astype(np.float32)
    return fft.irfft2(waves, shape, norm="forward", overwrite_x=True)


def reset_noise(image: Pixels, parameters: ReadoutNoise, rng: Generator) -> Pixels:
    """Add one random number to all pixels of a row.

    Source: eq. 36, doi:10.1038/s41524-023-01188-0.
    """
    pixels = as_pixels(image)
    offset = rng.standard_normal((len(pixels), 1), dtype=np.float32)
    return pixels + np.float32(_sigma(pixels, parameters)) * offset
