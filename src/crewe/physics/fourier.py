"""Frequencies of discrete transforms, in 1/Å without 2π."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Array = NDArray[np.float64]


def frequency_axes(
    shape: tuple[int, int], pixel_size_angstrom: float, real: bool = False
) -> tuple[Array, Array]:
    """Frequencies (ky, kx) in 1/Å of a transform of `shape`, ky as a column, kx as a row.

    In the order of scipy.fft, zero first; `real` for rfft2, whose kx stops at Nyquist.
    """
    rows, columns = shape
    along_x = scipy.fft.rfftfreq if real else scipy.fft.fftfreq
    ky = scipy.fft.fftfreq(rows, pixel_size_angstrom)[:, None]
    return ky, along_x(columns, pixel_size_angstrom)[None, :]
