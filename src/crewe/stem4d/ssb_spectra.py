"""Transforms along the scan that know how few frequencies are needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray


def scan_spectra(values: NDArray[np.float32], known: int) -> NDArray[np.complex64]:
    """Return the first `known` columns of the half spectra of values (pixel, y, x)."""
    along_x = scipy.fft.rfft(values, axis=2)[:, :, :known]
    result: NDArray[np.complex64] = scipy.fft.fft(along_x, axis=1, overwrite_x=True)
    return result


def scan_image_of(spectrum: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return the image (y, x), of mean 0, of the first columns of its half spectrum.

    The Nyquist frequency of an even number is left out: it has no sign, which a phase needs.
    """
    whole = np.zeros((shape[0], shape[1] // 2 + 1), np.complex64)
    whole[:, : spectrum.shape[1]] = spectrum
    if shape[0] % 2 == 0:
        whole[shape[0] // 2] = 0
    if shape[1] % 2 == 0:
        whole[:, -1] = 0
    whole[0, 0] = 0
    result: NDArray[np.float32] = scipy.fft.irfft2(whole, shape, overwrite_x=True)
    return result
