"""How far a measurement speaks for a restored image, place by place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from crewe.restoration.noise import block_spectra

Array = NDArray[np.floating[Any]]

NARROWEST_PX, WIDEST_PX = 1.0, 24.0
"""Least and largest width that the structure of an image is taken to have."""
WINDOW = 1.5
"""Standard deviation of the window in widths of the structure: a peak and its surroundings."""
SLOPE_TOLERANCE = 0.3
"""Standard deviation by which a slope may differ from 1, or be more than 0, for other reasons."""
REST_TOLERANCE = 0.3
"""The same for what is left over, in heights of typical structure."""
PEAK_PER_SPREAD = 3.4
"""Height of a peak over its standard deviation within the window about it."""
TYPICAL_PERCENT = 75.0
"""Percentile of the local spread of an image that counts as typical of its structure."""


@dataclass(frozen=True)
class Evidence:
    """Log likelihood ratios, each (y, x): positive speaks for the restored image."""

    structure: Array
    """That the structure shown is there, against that none of it is."""
    complete: Array
    """That nothing is missing or in excess, against that a typical peak is, bright or dark."""
    share: Array
    """Share of the local structure in it and the typical one, 0 to 1: how much is shown."""


@dataclass(frozen=True)
class Sight:
    """How an image is looked at: everything in pixels and in units of one scale."""

    width_px: float
    """Width of the smallest structure, as that of a Gaussian peak."""
    typical: float
    """Local standard deviation that is typical of the structure."""
    variance: Array
    """Variance of the measurement, (y, x)."""
    noise_power: Array
    """Spectrum of the noise by `crewe.restoration.noise.noise_power`."""

    @property
    def window_px(self) -> float:
        """Standard deviation of the Gaussian window."""
        return WINDOW * self.width_px


def structure_width(image: Array) -> float:
    """Width in pixels, as of a Gaussian peak, of the smallest structure of an image (y, x).

    The power of a Gaussian peak of width ρ falls as exp(−4π²ρ²k²), for which the mean of k² is
    1/(4π²ρ²); the slowest changes, up to two periods in a block, are left out.
    """
    power = np.mean(block_spectra(image), axis=0)
    ky, kx = np.meshgrid(*(np.fft.fftfreq(side) for side in power.shape), indexing="ij")
    square = kx**2 + ky**2
    power = np.where(square > (2.5 / min(power.shape)) ** 2, power, 0.0)
    if power.sum() <= 0:
        return WIDEST_PX
    mean = float(np.sum(square * power) / power.sum())
    return float(np.clip(1 / (2 * np.pi * np.sqrt(mean)), NARROWEST_PX, WIDEST_PX))


def local_spread(image: Array, window_px: float) -> Array:
    """Standard deviation of an image (y, x) within the Gaussian window about each pixel."""
    mean = _mean(image, window_px)
    return np.sqrt(np.maximum(_mean(image**2, window_px) - mean**2, 0.0))


def typical_spread(image: Array, window_px: float) -> float:
    """Local spread that counts as typical of the structure of an image (y, x)."""
    return float(np.percentile(local_spread(image, window_px), TYPICAL_PERCENT))


def covariance(one: Array, other: Array, sight: Sight) -> Array:
    """Covariance of two images (y, x) within the window about each pixel, over the variance."""
    weight = 1 / sight.variance
    known = _mean(weight, sight.window_px)
    product = _mean(one * other * weight, sight.window_px)
    means = _mean(one * weight, sight.window_px) * _mean(other * weight, sight.window_px)
    return product - means / known


def weigh(measured: Array, restored: Array, sight: Sight, learnt: Array | float = 0.0) -> Evidence:
    """Weigh a restored image against the measured one, both (y, x), finite and on one scale.

    `learnt` is the covariance that noise alone has with the restored image, since the restored
    image was made of it (`covariance` of a noise and of what it changes): it is no evidence.
    """
    spread = local_spread(restored, sight.window_px)
    shown = covariance(restored, restored, sight)
    found = covariance(restored, measured, sight) - learnt
    share = spread**2 / (spread**2 + sight.typical**2 + 1e-30)
    return Evidence(
        _structure(shown, found, sight, restored),
        _complete(measured - restored, sight),
        share,
    )


def _structure(shown: Array, found: Array, sight: Sight, restored: Array) -> Array:
    """(2α − 1)/2σ² for the slope α of the measured image over the restored one."""
    detail = (restored - _mean(restored, sight.window_px)) / np.sqrt(sight.variance)
    kept = _noise_kept(np.mean(block_spectra(detail), axis=0), sight.noise_power)
    information = np.maximum(4 * np.pi * sight.window_px**2 * shown / kept, 1e-12)
    slope = found / np.maximum(shown, 1e-12)
    return (2 * slope - 1) / (2 * (1 / information + SLOPE_TOLERANCE**2))


def _complete(rest: Array, sight: Sight) -> Array:
    """1/2σ² − ln cosh(β/σ²) for the height β ± σ of a peak in what is left over.

    The height is in those of a typical peak, and the peak may be bright or dark.
    """
    width = sight.width_px
    weight = 1 / sight.variance
    overlap = 2 * np.pi * width**2 * _mean(rest * weight, width)
    information = np.pi * width**2 * _mean(weight, width / np.sqrt(2))
    kept = _noise_kept(_peak_power(sight.noise_power.shape, width), sight.noise_power)
    peak = max(PEAK_PER_SPREAD * sight.typical, 1e-12)
    height = overlap / information / peak
    variance = kept / (information * peak**2) + REST_TOLERANCE**2
    ratio = np.abs(height) / variance
    return 1 / (2 * variance) - (ratio + np.log1p(np.exp(-2 * ratio)) - np.log(2.0))


def _peak_power(shape: tuple[int, ...], width: float) -> Array:
    ky, kx = np.meshgrid(*(np.fft.fftfreq(side) for side in shape), indexing="ij")
    return np.exp(-((2 * np.pi * width) ** 2) * (kx**2 + ky**2))


def _noise_kept(power: Array, noise_power: Array) -> float:
    """Factor by which correlated noise disturbs a template more than white noise does."""
    total = float(power.sum())
    return max(float(np.sum(power * noise_power)) / total, 0.1) if total > 0 else 1.0


def _mean(image: Array, width: float) -> Array:
    return np.asarray(ndimage.gaussian_filter(image, width, mode="reflect", truncate=3.0))
