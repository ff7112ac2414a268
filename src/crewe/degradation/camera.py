"""The camera of a TEM: its modulation transfer, its pixels and its dark current."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft

from crewe.degradation.normals import standard_normals
from crewe.degradation.parameters import Parameters, number
from crewe.degradation.pixels import Pixels, as_pixels
from crewe.degradation.poisson import poisson_image
from crewe.errors import PlanError


@dataclass(frozen=True)
class ModulationTransfer(Parameters):
    """Two Gaussians of the distance from the origin, in units of the Nyquist frequency."""

    a: float = number(1e-6, 100)
    """Weight of the Gaussian of width b; that of width c has 1 − a."""
    b: float = number(1e-6, 100)
    c: float = number(1e-6, 100)

    def __post_init__(self) -> None:
        """Refuse what is not positive and falling on 1000 points up to 10 Nyquist frequencies."""
        super().__post_init__()
        transfer = radial_transfer(np.linspace(0, 10, 1000), self)
        # Far out the Gaussians underflow to zero, and neighbours are equal.
        if transfer.min() < 0 or np.any(np.diff(transfer) > 0):
            raise PlanError(
                f"a modulation transfer of a={self.a:g}, b={self.b:g}, c={self.c:g} does not fall "
                "all the way: give a ≤ 1, or a c that is smaller than b"
            )


def radial_transfer(
    frequency: NDArray[np.floating], parameters: ModulationTransfer
) -> NDArray[np.floating]:
    """Return MTF_r at distances from the origin in units of the Nyquist frequency (eq. 29)."""
    square = -0.5 * frequency**2
    first = parameters.a * np.exp(square / parameters.b**2)
    return first + (1 - parameters.a) * np.exp(square / parameters.c**2)


def transfer(shape: tuple[int, int], parameters: ModulationTransfer) -> NDArray[np.float32]:
    """Return MTF(v, u) = MTF_r sinc(πu/2) sinc(πv/2) at the frequencies of a cosine transform.

    u and v run from 0 to just below 1, the Nyquist frequency; sinc(x) = sin(x)/x.
    """
    v, u = (np.arange(size, dtype=np.float32) / size for size in shape)
    radial = radial_transfer(np.hypot(v[:, None], u), parameters)
    return (radial * np.outer(np.sinc(v / 2), np.sinc(u / 2))).astype(np.float32)


def modulation_transfer(image: Pixels, parameters: ModulationTransfer, rng: Generator) -> Pixels:
    """Blur an image as the camera does; the image is continued by its mirror image.

    The paper blurs the ideal image too: the blur cannot be told from other settings.
    Source: eq. 27-29 of I. Lobato et al., npj Comput. Mater. 10 (2024) 10,
    doi:10.1038/s41524-023-01188-0.
    """
    pixels = as_pixels(image)
    # The transfer is even in u and v, so that the cosine transform filters as a Fourier
    # transform of the mirrored image does, without joining opposite borders.
    waves = fft.dctn(pixels, type=2)
    return fft.idctn(waves * transfer(pixels.shape, parameters), type=2, overwrite_x=True)


@dataclass(frozen=True)
class FixedPattern(Parameters):
    """What a gain correction leaves of the differences between pixels."""

    sigma: float = number(0, 1)
    """σ_fpn: standard deviation of the relative gain."""


def fixed_pattern(image: Pixels, parameters: FixedPattern, rng: Generator) -> Pixels:
    """Give each pixel its own gain: x ← x + x N(0, σ_fpn).

    Source: eq. 31, doi:10.1038/s41524-023-01188-0.
    """
    pixels = as_pixels(image)
    gain = standard_normals(*pixels.shape, rng)
    gain *= np.float32(parameters.sigma)
    gain += 1
    return gain * pixels


@dataclass(frozen=True)
class DarkCurrent(Parameters):
    """Dark current in electrons per pixel and exposure."""

    mean_electrons: float = number(1e-9, 1e9)
    """μ of eq. 32, of the log-normal body."""
    sigma_electrons: float = number(0, 1e9)
    """σ of eq. 32, of the log-normal body."""
    hot_fraction: float = number(0, 1, default=0.0)
    """Fraction of pixels that are hot."""


def dark_current_nonuniformity(
    shape: tuple[int, int], parameters: DarkCurrent, rng: Generator
) -> Pixels:
    """Draw each pixel's mean dark electrons: log-normal, and more for the hot ones.

    μ and σ are the mean and the standard deviation of the log-normal numbers themselves (as the
    bounds μ + 5σ and μ + 8σ suggest), and the uniform part is added to hot pixels only: added to
    all, as eq. 32 reads, it would be no outlier.
    Source: eq. 32, doi:10.1038/s41524-023-01188-0.
    """
    mean, sigma = parameters.mean_electrons, parameters.sigma_electrons
    width = math.sqrt(math.log1p((sigma / mean) ** 2))
    dark = standard_normals(*shape, rng)
    dark *= np.float32(width)
    dark += np.float32(math.log(mean) - width**2 / 2)
    np.exp(dark, out=dark)
    hot = rng.integers(dark.size, size=rng.binomial(dark.size, parameters.hot_fraction))
    dark.flat[hot] += rng.uniform(mean + 5 * sigma, mean + 8 * sigma, hot.size)
    return dark


def dark_current(image: Pixels, parameters: DarkCurrent, rng: Generator) -> Pixels:
    """Add the counted dark electrons; `image` is in electrons per pixel.

    The mean dark current stays in: the paper takes no dark frame off.
    Source: eq. 33, doi:10.1038/s41524-023-01188-0.
    """
    pixels = as_pixels(image)
    return pixels + poisson_image(dark_current_nonuniformity(pixels.shape, parameters, rng), rng)
