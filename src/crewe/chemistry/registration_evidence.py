"""Whether element maps fit an elastic image better than they fit unrelated ones."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SURROGATES = 48
# Not 0 or another seed that somebody makes test images with: equal phases would be no chance.
_SEED = 0x5E6157E8
_NEAR_PX = 2
_NOISE_BAND = (0.35, 0.5)
"""Cycles per pixel where a spectrum is taken to be noise."""


def chance_of_fit(
    image: Array, maps: Array, margin_px: int, shift_px: tuple[float, float]
) -> float:
    """Probability that an unrelated image would fit the maps as well, at any shift searched.

    `image` (y, x) and `maps` (n, y, x) are whitened first, modes above their noise weighing alike:
    else a few long waves, which fit anything bright in the middle, decide. The fit is the multiple
    correlation R of maps less `margin_px` at each border, its best within two pixels of
    `shift_px`. It is compared with the best R over all shifts of ±margin_px of 48 images that have
    the image's spectrum, hence its correlations between pixels, and random phases (surrogate data:
    J. Theiler et al., Physica D 58 (1992) 77, doi:10.1016/0167-2789(92)90102-S). Fisher's
    artanh R of these maxima is described by a Gumbel distribution of their mean and variance.
    Phases have a fixed seed. 1 where image or maps hold nothing above noise.
    """
    from scipy.fft import rfft2

    templates = _orthonormal_spectra(_whitened(maps), margin_px)
    spectrum = rfft2(_whitened(image[None])[0])
    if not len(templates) or not np.any(spectrum):
        return 1.0
    shape = (image.shape[0], image.shape[1])
    here = _near(_fit(spectrum, templates, shape, margin_px), shift_px)
    random = np.random.default_rng(_SEED)
    amplitude = np.abs(spectrum)
    others = np.array(
        [
            _fit(amplitude * _phases(shape, random), templates, shape, margin_px).max()
            for _ in range(SURROGATES)
        ]
    )
    return _gumbel_tail(here, others)


def _whitened(values: Array) -> Array:
    """Images (n, y, x) of equal variance, their modes that rise above noise made equally strong."""
    from scipy.fft import fftfreq, irfft2, rfft2, rfftfreq

    values = values - values.mean(axis=(1, 2), keepdims=True)
    deviation = values.std(axis=(1, 2), keepdims=True)
    values = values / np.where(deviation > 0, deviation, 1)
    rows, columns = values.shape[1:]
    frequency = np.hypot(fftfreq(rows)[:, None], rfftfreq(columns))
    spectra = rfft2(values)
    power = (np.abs(spectra) ** 2).mean(axis=0)
    ring = np.rint(frequency * min(rows, columns)).astype(int)
    mean = (np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel()).clip(1))[ring]
    noise = power[(frequency > _NOISE_BAND[0]) & (frequency < _NOISE_BAND[1])].mean()
    mean = np.maximum(mean, 1e-300)
    whitened: Array = irfft2(
        spectra * np.sqrt(np.clip(1 - noise / mean, 0, 1) / mean), s=(rows, columns)
    )
    return whitened


def _orthonormal_spectra(maps: Array, margin: int) -> NDArray[np.complex128]:
    """Conjugate spectra of combinations of the inner maps that are orthogonal and of length 1."""
    from scipy.fft import rfft2

    padded = np.zeros_like(maps)
    inner = maps[:, margin:-margin, margin:-margin]
    padded[:, margin:-margin, margin:-margin] = inner - inner.mean(axis=(1, 2), keepdims=True)
    lengths, combinations = np.linalg.eigh(np.einsum("iyx,jyx->ij", padded, padded))
    kept = lengths > 1e-9 * max(lengths[-1], 1e-300)
    combinations = combinations[:, kept] / np.sqrt(lengths[kept])
    return np.conj(rfft2(np.einsum("ij,iyx->jyx", combinations, padded)))


def _fit(
    spectrum: NDArray[np.complex128],
    templates: NDArray[np.complex128],
    shape: tuple[int, int],
    margin: int,
) -> Array:
    """Fisher's artanh R for shifts −margin … margin of the image along y and x.

    The templates are zero in the margin, so that correlating on a circle wraps nothing.
    """
    from scipy.fft import irfft2

    span = np.arange(margin, -margin - 1, -1)
    products = np.stack([irfft2(spectrum * one, s=shape)[np.ix_(span, span)] for one in templates])
    inside = (shape[0] - 2 * margin) * (shape[1] - 2 * margin)
    # Parseval on half a spectrum: the mean square of the image, whose own mean is zero.
    doubled = np.full(spectrum.shape[1], 2.0)
    doubled[0] = 1
    if shape[1] % 2 == 0:
        doubled[-1] = 1
    squares = float((np.abs(spectrum) ** 2 @ doubled).sum()) / (shape[0] * shape[1]) ** 2
    fit: Array = np.arctanh(np.sqrt(np.clip((products**2).sum(0) / (squares * inside), 0, 0.999)))
    return fit


def _near(fit: Array, shift_px: tuple[float, float]) -> float:
    margin = fit.shape[0] // 2
    rows, columns = (
        slice(max(middle - _NEAR_PX, 0), max(middle, 0) + _NEAR_PX + 1)
        for middle in (round(step) + margin for step in shift_px)
    )
    return float(fit[rows, columns].max(initial=0))


def _phases(shape: tuple[int, int], random: np.random.Generator) -> NDArray[np.complex128]:
    """Phase factors of white noise, which are those of a real image."""
    from scipy.fft import rfft2

    noise = rfft2(random.standard_normal(shape))
    phases: NDArray[np.complex128] = noise / np.abs(noise)
    return phases


def _gumbel_tail(value: float, maxima: Array) -> float:
    """Probability of more than `value` under the Gumbel distribution with these moments."""
    scale = float(maxima.std(ddof=1)) * math.sqrt(6) / math.pi
    if not scale > 0:
        return 1.0
    reduced = (value - float(maxima.mean())) / scale + float(np.euler_gamma)
    return -math.expm1(-math.exp(min(-reduced, 50.0)))
