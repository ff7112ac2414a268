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
WIDTH_BLOCK_PX = 128
WINDOW = 1.5
"""Standard deviation of the window in widths of the structure: a peak and its surroundings."""
AVERAGE = 3.0
"""Windows over which what is learnt from one draw of noise is averaged."""
TOLERANCE = 0.3
"""Standard deviation, in shares of the structure, that either hypothesis may be off by."""
PEAK_PER_SPREAD = 3.4
"""Height of a Gaussian peak over its standard deviation within the window about it."""
LEAST_STRUCTURE = 0.05
"""Share of the local variance of a restored image that is never put down to noise."""
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
class Probe:
    """What a draw of the noise changes in the restored image, per unit of noise."""

    noise: Array
    """(y, x), with the variance and the spectrum of the measurement's noise."""
    change: Array
    """(y, x), of the restored image."""


@dataclass(frozen=True)
class Sight:
    """How an image is looked at: everything in pixels and in units of one scale."""

    width_px: float
    """Width of the structure, as that of a Gaussian peak."""
    variance: Array
    """Variance of the measurement, (y, x)."""
    noise_power: Array
    """Spectrum of the noise by `crewe.restoration.noise.noise_power`."""
    probe: Probe | None = None
    """None where the method of restoration cannot be asked."""

    @property
    def window_px(self) -> float:
        """Standard deviation of the Gaussian window."""
        return WINDOW * self.width_px


def structure_width(image: Array, change: Array | None = None) -> float:
    """Width in pixels, as of a Gaussian peak, of the structure of an image (y, x).

    Half of the power of a Gaussian peak of width ρ lies below the frequency k at which
    exp(−4π²ρ²k²) is a half. The slowest changes, up to two periods in a block, are left out, and
    so is the power of `change`, by which noise alone alters the image.
    """
    power = np.mean(block_spectra(image, WIDTH_BLOCK_PX), axis=0)
    if change is not None:
        followed = np.mean(block_spectra(change, WIDTH_BLOCK_PX), axis=0)
        power = np.maximum(power - followed, LEAST_STRUCTURE * power)
    ky, kx = np.meshgrid(*(np.fft.fftfreq(side) for side in power.shape), indexing="ij")
    frequency = np.hypot(kx, ky).ravel()
    power = np.where(frequency > 2.5 / min(power.shape), power.ravel(), 0.0)
    if power.sum() <= 0:
        return WIDEST_PX
    order = np.argsort(frequency)
    below = np.cumsum(power[order])
    middle = float(frequency[order][np.searchsorted(below, below[-1] / 2)])
    width = np.sqrt(np.log(2)) / (2 * np.pi * middle)
    return float(np.clip(width, NARROWEST_PX, WIDEST_PX))


def weigh(measured: Array, restored: Array, sight: Sight) -> Evidence:
    """Weigh a restored image against the measured one, both (y, x), finite and on one scale."""
    spread = local_variance(restored, sight.window_px)
    follows = _averaged_change(sight)
    # Where an image is all noise, a little of it stands for the structure that it might have.
    beyond_noise = np.maximum(spread - follows, LEAST_STRUCTURE * spread)
    typical = max(float(np.percentile(beyond_noise, TYPICAL_PERCENT)), 1e-12)
    return Evidence(
        _structure(measured, restored, sight, follows / np.maximum(spread, 1e-12)),
        _complete(measured - restored, sight, typical, follows / typical),
        spread / (spread + typical),
    )


def local_variance(image: Array, window_px: float) -> Array:
    """Variance of an image (y, x) within the Gaussian window about each pixel."""
    mean = _mean(image, window_px)
    return np.maximum(_mean(image**2, window_px) - mean**2, 0.0)


def _averaged_change(sight: Sight) -> Array:
    """Local variance that noise alone gives the restored image."""
    if sight.probe is None:
        return np.zeros_like(sight.variance)
    local = local_variance(sight.probe.change, sight.window_px)
    return _mean(local, AVERAGE * sight.window_px)


def _structure(measured: Array, restored: Array, sight: Sight, follows: Array) -> Array:
    """(2α − 1)/2σ² for the slope α ± σ of the measured image over the restored one.

    The covariance that noise alone has with the restored image, which was made of it, is taken
    off; `follows` is the share of the restored structure's variance that is noise.
    """
    weight = 1 / sight.variance

    def mean(image: Array) -> Array:
        return _mean(image * weight, sight.window_px)

    known, of_restored = _mean(weight, sight.window_px), mean(restored)
    shown = np.maximum(mean(restored**2) - of_restored**2 / known, 1e-12)
    found = mean(restored * measured) - of_restored * mean(measured) / known
    if sight.probe is not None:
        noise, change = sight.probe.noise, sight.probe.change
        learnt = mean(noise * change) - mean(noise) * mean(change) / known
        found = found - np.maximum(_mean(learnt, AVERAGE * sight.window_px), 0.0)
    detail = (restored - _mean(restored, sight.window_px)) / np.sqrt(sight.variance)
    kept = _noise_kept(np.mean(block_spectra(detail), axis=0), sight.noise_power)
    information = 4 * np.pi * sight.window_px**2 * shown / kept
    variance = 1 / np.maximum(information, 1e-12) + TOLERANCE**2 + follows
    return (2 * found / shown - 1) / (2 * variance)


def _complete(rest: Array, sight: Sight, typical: float, follows: Array) -> Array:
    """1/2σ² − ln cosh(β/σ²) for the height β ± σ of a peak in what is left over.

    The height is in those of a typical peak, and the peak may be bright or dark; `follows` is
    the variance that noise gives the restored image over the typical one.
    """
    width = sight.width_px
    weight = 1 / sight.variance
    overlap = 2 * np.pi * width**2 * _mean(rest * weight, width)
    information = np.pi * width**2 * _mean(weight, width / np.sqrt(2))
    kept = _noise_kept(_peak_power(sight.noise_power.shape, width), sight.noise_power)
    peak = PEAK_PER_SPREAD * np.sqrt(typical)
    variance = kept / (information * peak**2) + TOLERANCE**2 + follows
    ratio = np.abs(overlap / information / peak) / variance
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
