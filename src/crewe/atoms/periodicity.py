"""Translations under which an image repeats, from its autocorrelation."""

import numpy as np
from scipy import fft, ndimage

from crewe.atoms.stamps import Array


def autocorrelation(image: Array, reach: int) -> Array:
    """Mean product of the image with itself shifted by up to `reach` pixels, (2r+1, 2r+1)."""
    centred = image - image.mean()
    shape = [fft.next_fast_len(n + reach, real=True) for n in image.shape]
    spectrum = fft.rfft2(centred, shape, workers=-1)
    full = fft.irfft2(np.abs(spectrum) ** 2, shape, workers=-1)
    shifts = np.arange(-reach, reach + 1)
    pairs = [n - np.abs(shifts) for n in image.shape]
    return full[np.ix_(shifts, shifts)] / (pairs[0][:, None] * pairs[1][None, :])


def translations(response: Array, scale: float) -> Array:
    """The two shortest lattice translations of a blob response, (2, 2) as (y, x) pixels, or (0, 2).

    Only shifts that restore the image as well as any other count, so the vector between unlike
    columns is not taken for a translation.
    """
    reach = int(min(14 * scale, min(response.shape) / 2 - 1))
    correlation = autocorrelation(response, reach)
    peaks = np.argwhere(ndimage.maximum_filter(correlation, int(2 * scale) | 1) == correlation)
    vectors = peaks - reach
    length = np.hypot(*vectors.T)
    value = correlation[tuple(peaks.T)]
    outside = (length > 2 * scale) & (length < reach - 1)
    independent = response.size / (4 * np.pi * scale**2)
    if not outside.any():
        return np.zeros((0, 2))
    best = value[outside].max()
    if best < 6 / np.sqrt(independent) * correlation[reach, reach]:
        return np.zeros((0, 2))
    chosen = outside & (value > 0.7 * best)
    order = np.argsort(length[chosen], kind="stable")
    vectors = vectors[chosen][order].astype(float)
    first = vectors[0]
    crossed = np.abs(first[0] * vectors[:, 1] - first[1] * vectors[:, 0])
    sine = crossed / (np.hypot(*first) * np.hypot(*vectors.T))
    if not (sine > 0.5).any():
        return np.zeros((0, 2))
    return np.stack([first, vectors[sine > 0.5][0]])


def lattice_average(response: Array, vectors: Array) -> Array:
    """Mean of the response over a site and its eight neighbours on the lattice."""
    first, second = vectors
    total, count = np.zeros_like(response), np.zeros_like(response)
    for a in (-1, 0, 1):
        for b in (-1, 0, 1):
            shift = a * first + b * second
            total += ndimage.shift(response, shift, order=1, cval=0.0)
            count += ndimage.shift(np.ones_like(response), shift, order=0, cval=0.0)
    return total / np.maximum(count, 1)
