"""What the residual of a restoration says about the noise of the measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import nnls

Array = NDArray[np.floating[Any]]

BLOCK_PX = 64
"""Side of the blocks in which the spectrum of the noise is taken."""
MOST_EQUATIONS = 70_000
FLOOR = 0.02
"""Least variance, in shares of the mean one."""
LEAST_VARIANCE = 1e-9
HIGH_FREQUENCY = 0.3
"""Frequencies per pixel across the lines at which restored images take up no noise."""
STEEPEST_DECAY = 40.0
"""4π²σ² of the widest smoothing, in pixels, whose noise is extrapolated: about 1 px."""
SPIKE = 5.0
"""Standard deviations by which a single pixel may stand out of its neighbours."""


@dataclass(frozen=True)
class NoiseModel:
    """Variance of the measurement about a restored image x.

    constant + per_intensity·(x − dark) + per_gradient_x·(∂x/∂x)² + per_gradient_y·(∂x/∂y)², at
    least `floor`: readout, shot noise, and gradients that a distorted scan turns into residual.
    Derivatives are per pixel.
    """

    dark: float
    """Intensity of no signal: the restored image's 0.5 percentile."""
    constant: float
    per_intensity: float
    per_gradient_x: float
    per_gradient_y: float
    floor: float

    def variance(self, restored: Array) -> Array:
        """Variance of each pixel, in squares of the image's unit."""
        light, along_x, along_y = _terms(restored, self.dark)
        variance = (
            self.constant
            + self.per_intensity * light
            + self.per_gradient_x * along_x
            + self.per_gradient_y * along_y
        )
        return np.maximum(variance, self.floor)


def fit_noise(residual: Array, restored: Array, sparse: bool = False) -> NoiseModel:
    """Fit the noise model to the squared residual by non-negative least squares.

    Both images are (y, x), finite, on one scale of about 1. Of large images every n-th pixel is
    taken. Three rounds weigh each pixel by the variance that the round before gave it; what lies
    more than four standard deviations off (defects, structure that was missed) counts less, unless
    the image is `sparse`: of a few counts each one lies so far off.
    """
    dark = float(np.percentile(restored, 0.5))
    squares = _some_pixels(residual) ** 2
    terms = [_some_pixels(term) for term in _terms(restored, dark)]
    design = np.stack([np.ones_like(squares), *terms], axis=1)
    floor = max(FLOOR * float(squares.mean()), LEAST_VARIANCE)
    expected = np.full_like(squares, max(float(squares.mean()), floor))
    found = np.zeros(4)
    for _ in range(3):
        # A square is known to a multiple of its expectation, the same for all pixels.
        weight = 1 / np.maximum(expected, floor)
        if not sparse:
            weight *= np.minimum(1.0, 16 * expected / np.maximum(squares, floor))
        found, _ = nnls(design * weight[:, None], squares * weight)
        expected = design @ found
    one, light, along_x, along_y = (float(value) for value in found)
    return NoiseModel(dark, one, light, along_x, along_y, floor)


def without_spikes(residual: Array, deviation: Array) -> Array:
    """Residual (y, x) in which single pixels far off all their neighbours became their median."""
    middle = ndimage.median_filter(residual, 3, mode="reflect")
    return np.where(np.abs(residual - middle) > SPIKE * deviation, middle, residual)


def noise_power(residual: Array, measured: Array) -> Array:
    """Power spectrum of the noise (ky, kx), as fft2 orders it.

    From a residual and the measured image (y, x), both over the standard deviation of the noise,
    in shares of the residual's variance: 1 for white noise that the restored image took nothing
    of. The median over half overlapping blocks of at most 64 pixels: structure that was left in a
    few of them is no noise. What the restored image took up is put back: noise of a scanned image
    is correlated along its lines, and lines know nothing of each other, so that its power at low
    ky is that at high ky. Where the image was smoothed, the measured power falls with ky² at high
    ky as that of a Gaussian, and the noise rises likewise towards low ky, up to what was measured.
    """
    power, whole = _median_power(residual), _median_power(measured)
    unit = float(np.mean(residual**2)) / max(float(power.mean()), 1e-30)
    power, whole = power * unit, whole * unit
    ky = np.abs(np.fft.fftfreq(power.shape[0]))[:, None]
    high = ky[:, 0] > HIGH_FREQUENCY
    level = np.median(power[high], axis=0, keepdims=True)
    rise = np.exp(_decay(whole, ky[:, 0]) * (np.mean(ky[high] ** 2) - ky**2))
    put_back = np.where(rise > 1, np.maximum(level, np.minimum(level * rise, whole)), level)
    return np.maximum(power, put_back)


def _median_power(image: Array) -> Array:
    power = np.median(block_spectra(image), axis=0)
    # Windows leak the mean that was subtracted from the block.
    power[0, 0] = (power[0, 1] + power[1, 0]) / 2
    return np.asarray(power)


def _decay(power: Array, ky: Array) -> float:
    """Slope of the logarithm of a spectrum over −ky², where it holds hardly any structure."""
    used = (ky >= 0.25) & (ky <= 0.42)
    profile = np.median(power, axis=1)[used]
    if profile.size < 2 or (profile <= 0).any():
        return 0.0
    slope = float(np.polyfit(ky[used] ** 2, np.log(profile), 1)[0])
    return float(np.clip(-slope, 0.0, STEEPEST_DECAY))


def block_spectra(image: Array, side_px: int = BLOCK_PX) -> Array:
    """Power spectra (block, ky, kx) of half overlapping windowed blocks of an image (y, x).

    Sides are even and at most `side_px`; of very many blocks some are taken.
    """
    sides = [min(side_px, side - side % 2) for side in image.shape]
    starts = [range(0, length - side + 1, side // 2) for length, side in _pairs(image, sides)]
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in sides))
    blocks = [
        image[y : y + sides[0], x : x + sides[1]]
        for y in _some(starts[0])
        for x in _some(starts[1])
    ]
    stack = np.stack([(block - block.mean()) * window for block in blocks])
    return np.abs(scipy.fft.fft2(stack)) ** 2


def coloured_noise(power: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Normal noise (y, x) with a power spectrum that `noise_power` gave."""
    white = scipy.fft.fft2(rng.standard_normal(shape, dtype=np.float32))
    at = np.meshgrid(
        *(np.arange(n) * (side / n) for n, side in zip(shape, power.shape, strict=True)),
        indexing="ij",
    )
    amplitude = np.sqrt(ndimage.map_coordinates(power, at, order=1, mode="grid-wrap"))
    noise = scipy.fft.ifft2(white * amplitude).real
    return np.asarray(noise)


def _terms(restored: Array, dark: float) -> tuple[Array, Array, Array]:
    along_y, along_x = np.gradient(restored)
    light: Array = np.maximum(restored - dark, 0.0)
    return light, np.square(along_x), np.square(along_y)


def _some_pixels(image: Array) -> Array:
    step = int(np.ceil(np.sqrt(image.size / MOST_EQUATIONS)))
    return np.asarray(image[::step, ::step], np.float64).ravel()


def _pairs(image: Array, sides: list[int]) -> zip[tuple[int, int]]:
    return zip(image.shape, sides, strict=True)


def _some(starts: range, most: int = 15) -> list[int]:
    """At most so many of the starts, evenly chosen."""
    return (
        list(starts)
        if len(starts) <= most
        else [starts[i * len(starts) // most] for i in range(most)]
    )
