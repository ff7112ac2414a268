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
BIN_PX = 8
"""Side of the blocks whose mean squared residual is one equation of the fit."""
MOST_EQUATIONS = 20_000
FLOOR = 0.02
"""Least variance, in shares of the mean one."""
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


def fit_noise(residual: Array, restored: Array) -> NoiseModel:
    """Fit the noise model to the squared residual by non-negative least squares.

    Both images are (y, x), finite, on one scale. Each block of 8 × 8 pixels is an equation; three
    rounds weigh it by the variance that the round before gave it, blocks far above that (defects,
    structure that was not restored) count less.
    """
    dark = float(np.percentile(restored, 0.5))
    squares = _binned(residual**2)
    columns = [np.ones_like(squares), *(_binned(term) for term in _terms(restored, dark))]
    design = np.stack(columns, axis=1)
    mean = float(squares.mean())
    if mean <= 0:
        return NoiseModel(dark, 0.0, 0.0, 0.0, 0.0, float(np.finfo(np.float32).tiny))
    expected = np.full_like(squares, mean)
    for _ in range(3):
        # A block's variance is known to a fraction of itself, the same for all blocks.
        weight = 1 / np.maximum(expected, FLOOR * mean)
        weight *= np.minimum(1.0, 4 * expected / np.maximum(squares, 1e-12 * mean))
        found, _ = nnls(design * weight[:, None], squares * weight)
        expected = design @ found
    one, light, along_x, along_y = (float(value) for value in found)
    return NoiseModel(dark, one, light, along_x, along_y, FLOOR * mean)


def without_spikes(residual: Array, deviation: Array) -> Array:
    """Residual (y, x) in which single pixels far off all their neighbours became their median."""
    middle = ndimage.median_filter(residual, 3, mode="reflect")
    return np.where(np.abs(residual - middle) > SPIKE * deviation, middle, residual)


def noise_power(standardised: Array) -> Array:
    """Power spectrum of the noise (y, x), as fft2 orders it, from a standardised residual.

    In shares of the residual's variance, 1 for white noise that the restored image took nothing
    of. The median over half overlapping blocks of at most 64 pixels: structure that was left in a
    few of them is no noise. The noise of instruments is white or stronger at low frequency, so
    what lies below the power at any higher frequency was taken up by the restored image, and is
    put back.
    """
    power = np.median(block_spectra(standardised), axis=0)
    # Windows leak the mean that was subtracted from the block.
    power[0, 0] = (power[0, 1] + power[1, 0]) / 2
    power *= float(np.mean(standardised**2)) / max(float(power.mean()), 1e-30)
    folded = ndimage.uniform_filter(power, 3, mode="wrap")
    for axis, side in enumerate(power.shape):
        # Both signs of a frequency together, from the highest inwards.
        order = np.abs(np.fft.fftfreq(side))
        both = np.maximum(folded, np.take(folded, -np.arange(side) % side, axis=axis))
        inwards = np.argsort(-order, kind="stable")
        rising = np.maximum.accumulate(np.take(both, inwards, axis=axis), axis=axis)
        folded = np.take(rising, np.argsort(inwards), axis=axis)
    return np.maximum(folded, power)


def block_spectra(image: Array) -> Array:
    """Power spectra (block, ky, kx) of half overlapping windowed blocks of an image (y, x)."""
    sides = [min(BLOCK_PX, side - side % 2) for side in image.shape]
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


def _binned(image: Array) -> Array:
    """Means of blocks, evenly thinned where there are very many."""
    rows, columns = (max(1, side // BIN_PX) for side in image.shape)
    height, width = (min(BIN_PX, side) for side in image.shape)
    part = image[: rows * height, : columns * width]
    means = part.reshape(rows, height, columns, width).mean(axis=(1, 3), dtype=np.float64).ravel()
    return means[:: max(1, means.size // MOST_EQUATIONS)]


def _pairs(image: Array, sides: list[int]) -> zip[tuple[int, int]]:
    return zip(image.shape, sides, strict=True)


def _some(starts: range, most: int = 15) -> list[int]:
    """At most so many of the starts, evenly chosen."""
    return (
        list(starts)
        if len(starts) <= most
        else [starts[i * len(starts) // most] for i in range(most)]
    )
