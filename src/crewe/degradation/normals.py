"""Normal numbers as float32, about three times as quick as numpy's own."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.random import Generator

from crewe.degradation.pixels import Pixels


@njit(cache=True, nogil=True)
def standard_normals(ny: int, nx: int, rng: Generator) -> Pixels:
    """Draw an image (ny, nx) of independent normal numbers of mean 0 and variance 1."""
    numbers = np.empty((ny, nx), np.float32)
    for i in range(ny):
        for j in range(nx):
            numbers[i, j] = rng.standard_normal()
    return numbers
