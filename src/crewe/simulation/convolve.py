"""Convolution of atoms with a kernel in Fourier space, exact at any sub-pixel position.

A `Grid` lies under the image: finer than coarse pixels, coarser than fine ones, wide enough that
nothing wraps round into the image. Atoms are deposited on it, transformed, multiplied by the
kernel's transform, and the image is read off at its own pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numba import njit
from numpy.typing import NDArray

from crewe.physics.fourier import frequency_axes
from crewe.simulation.deposit import spline_transform

Spectrum = NDArray[np.complex64]
SPLINE_REACH = 2


@dataclass(frozen=True)
class Grid:
    """The grid under an image.

    `shape` of the grid, its `pitch_angstrom`, and how it meets the image: pixel 0 lies at grid
    point `margin`; a pixel is `stride` grid points wide, or a grid point `zoom` pixels.
    """

    shape: tuple[int, int]
    pitch_angstrom: float
    margin: int = 0
    stride: int = 1
    zoom: int = 1

    @property
    def origin_angstrom(self) -> tuple[float, float]:
        """Position (y, x) of grid point (0, 0) in Å, the centre of pixel (0, 0) being zero."""
        start = -self.margin * self.pitch_angstrom
        return start, start

    def frequencies(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Frequencies (ky, kx) in 1/Å of a real transform, ky as a column."""
        return frequency_axes(self.shape, self.pitch_angstrom, real=True)


def padded_grid(
    shape: tuple[int, int], pixel_size_angstrom: float, pitch_angstrom: float, reach_angstrom: float
) -> Grid:
    """Grid of at most the given pitch with a margin of `reach_angstrom` on all sides."""
    stride = max(1, math.ceil(pixel_size_angstrom / pitch_angstrom - 1e-9))
    zoom = max(1, math.floor(pitch_angstrom / pixel_size_angstrom + 1e-9))
    pitch = pixel_size_angstrom * zoom / stride
    margin = math.ceil(reach_angstrom / pitch) + SPLINE_REACH
    margin = math.ceil(margin / stride) * stride
    rows, columns = (
        scipy.fft.next_fast_len(math.ceil(size * stride / zoom) + 2 * margin, real=True)
        for size in shape
    )
    return Grid((rows, columns), pitch, margin, stride, zoom)


def transform(grids: NDArray[np.float32]) -> Spectrum:
    """Real transform over the last two axes."""
    result: Spectrum = scipy.fft.rfft2(grids, overwrite_x=True)
    return result


def axis_weights(grid: Grid, blur_angstrom: float = 0.0) -> tuple[Any, Any]:
    """Factors along y and x that take the deposit's spline out and a Gaussian blur in."""
    along_y, along_x = (
        np.exp(-2 * (np.pi * blur_angstrom * k.ravel()) ** 2)
        / spline_transform(k.ravel() * grid.pitch_angstrom)
        for k in grid.frequencies()
    )
    return along_y, along_x


def apply_radial(
    spectra: Spectrum, tables: NDArray[Any], step: float, grid: Grid, blur_angstrom: float = 0.0
) -> Spectrum:
    """Sum of spectra (channel, ky, kx), each times its radial transfer function, as one spectrum.

    `tables` (channel, k) are evenly spaced in |k| by `step` (1/Å), the first at zero, and must
    reach beyond the corner of the grid; between them the transfer is interpolated.
    """
    along_y, along_x = axis_weights(grid, blur_angstrom)
    ky, kx = grid.frequencies()
    result = np.empty(spectra.shape[1:], dtype=np.complex64)
    _apply_radial(
        result,
        spectra,
        np.ascontiguousarray(tables.T, dtype=np.float32),
        (ky.ravel() / step) ** 2,
        (kx.ravel() / step) ** 2,
        along_y.astype(np.float32),
        along_x.astype(np.float32),
    )
    return result


@njit(cache=True, nogil=True)
def _apply_radial(
    result: Spectrum,
    spectra: Spectrum,
    tables: NDArray[np.float32],
    y2: NDArray[np.float64],
    x2: NDArray[np.float64],
    along_y: NDArray[np.float32],
    along_x: NDArray[np.float32],
) -> None:
    channels, rows, columns = spectra.shape
    for i in range(rows):
        for j in range(columns):
            radius = np.sqrt(y2[i] + x2[j])
            below = int(radius)
            part = np.float32(radius - below)
            total = np.complex64(0)
            for c in range(channels):
                low = tables[below, c]
                total += spectra[c, i, j] * (low + part * (tables[below + 1, c] - low))
            result[i, j] = total * (along_y[i] * along_x[j])


def read_image(spectrum: Spectrum, grid: Grid, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Inverse transform, read at the pixels of an image of `shape`."""
    rows, columns = grid.shape
    if grid.zoom > 1:
        spectrum = _widened(spectrum, grid)
        rows, columns = rows * grid.zoom, columns * grid.zoom
    field = scipy.fft.irfft2(spectrum, (rows, columns), overwrite_x=True)
    start, step = grid.margin * grid.zoom, grid.stride
    pixels = field[start::step, start::step][: shape[0], : shape[1]]
    return np.ascontiguousarray(pixels, dtype=np.float32)


def _widened(spectrum: Spectrum, grid: Grid) -> Spectrum:
    """Zero-pad a spectrum so that its inverse has `zoom` times the points."""
    rows, columns = grid.shape
    half = (rows - 1) // 2
    wide = np.zeros((rows * grid.zoom, columns * grid.zoom // 2 + 1), dtype=spectrum.dtype)
    # The Nyquist row and column have no sign and are left out; kernels have faded there.
    kept = (columns - 1) // 2 + 1
    wide[: half + 1, :kept] = spectrum[: half + 1, :kept]
    wide[-half:, :kept] = spectrum[rows - half :, :kept]
    wide *= np.float32(grid.zoom**2)
    return wide
