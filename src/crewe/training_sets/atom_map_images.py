"""The noise-free images of a specimen that the labels of an atom map are made from.

Atoms are deposited once, on a grid of half pixels, and every image is that grid times another
transfer function: with the probe, with a narrow Gaussian, shifted by a quarter pixel. So all
labels agree with each other exactly, and none is interpolated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from crewe.physics.optics import Optics, probe_intensity
from crewe.simulation.deposit import deposit, spline_transform
from crewe.specimens.cloud import AtomCloud

Image = NDArray[np.float32]
PROBE_FIELD_ANGSTROM = 24.0
REACH_ANGSTROM = 4.0
"""How far a probe reaches: atoms this far outside the field still count."""


@dataclass(frozen=True)
class ProjectedAtoms:
    """The transform of a specimen's object function Z^γ on a grid of half pixels."""

    spectrum: NDArray[np.complex64]
    """Half spectrum (ky, kx ≥ 0) of the object function, per grid point."""
    grid: tuple[int, int]
    """Grid points along y and x, margins included."""
    pitch_angstrom: float
    """Half a pixel."""
    margin: int
    """Grid points before the centre of pixel (0, 0) along each axis; even."""
    size: int
    """Pixels of the image along each side."""


def margin_angstrom(pixel_size_angstrom: float) -> float:
    """Return how far the specimen must reach beyond the field on each side."""
    return REACH_ANGSTROM + pixel_size_angstrom


def project(
    cloud: AtomCloud, exponent: float, size: int, pixel_size_angstrom: float
) -> ProjectedAtoms:
    """Deposit the atoms, whose x and y count from the centre of pixel (0, 0), and transform."""
    pitch = pixel_size_angstrom / 2
    margin = 2 * int(np.ceil(margin_angstrom(pixel_size_angstrom) / pixel_size_angstrom))
    points = fft.next_fast_len(2 * size + 2 * margin, real=True)
    weights = (np.arange(256) ** exponent)[cloud.numbers]
    places = cloud.positions[:, 1::-1] / pitch + margin
    grid = deposit(places, weights, (points, points), periodic=False)
    spectrum = fft.rfft2(grid)
    along_y = spline_transform(fft.fftfreq(points)).astype(np.float32)
    along_x = spline_transform(fft.rfftfreq(points)).astype(np.float32)
    spectrum /= along_y[:, None] * along_x
    return ProjectedAtoms(spectrum, (points, points), pitch, margin, size)


def probe_transfer(atoms: ProjectedAtoms, optics: Optics) -> NDArray[np.complex64]:
    """Return the transfer of a probe, source size included: 1 at k = 0.

    The probe is drawn on a field of `PROBE_FIELD_ANGSTROM` and only as finely as its aperture
    needs, then brought to the grid by its Fourier coefficients: the same profile at a tenth of the
    time. Its tails beyond that field, below a hundredth of its electrons, fold back into it.
    """
    whole, pitch = atoms.grid[0], atoms.pitch_angstrom
    points = min(whole, 2 * math.ceil(PROBE_FIELD_ANGSTROM / pitch / 2))
    field = points * pitch
    coarse = fft.next_fast_len(2 * math.ceil(2.05 * optics.cutoff * field), real=True)
    profile = probe_intensity(optics, (coarse, coarse), field / coarse)
    spectrum = fft.fftshift(fft.fft2(fft.ifftshift(profile)))
    kept = _recentred(spectrum, points)
    if points == whole:
        return np.asarray(fft.ifftshift(kept)[:, : whole // 2 + 1], np.complex64)
    centred = np.real(fft.fftshift(fft.ifft2(fft.ifftshift(kept))))
    return np.asarray(fft.rfft2(fft.ifftshift(_recentred(centred, whole))), np.complex64)


def _recentred(values: NDArray[Any], points: int) -> NDArray[Any]:
    """Cut or zero-pad a centred square to `points` along each side, the centre kept."""
    old = len(values)
    if points <= old:
        start = old // 2 - points // 2
        return values[start : start + points, start : start + points]
    wide = np.zeros((points, points), values.dtype)
    start = points // 2 - old // 2
    wide[start : start + old, start : start + old] = values
    return wide


def gaussian_transfer(atoms: ProjectedAtoms, width_angstrom: float) -> Image:
    """Return the transfer of a Gaussian of standard deviation `width_angstrom`: 1 at k = 0."""
    rows, columns = atoms.grid
    exponent = -2 * (np.pi * width_angstrom / atoms.pitch_angstrom) ** 2
    along_y = np.exp(exponent * fft.fftfreq(rows) ** 2).astype(np.float32)
    along_x = np.exp(exponent * fft.rfftfreq(columns) ** 2).astype(np.float32)
    return along_y[:, None] * along_x


def image(atoms: ProjectedAtoms, transfer: NDArray[Any]) -> Image:
    """Return the image at the pixels; its sum over the pixels is that of Z^γ."""
    return _positive(4 * _window(atoms, transfer)[::2, ::2])


def fine_image(atoms: ProjectedAtoms, transfer: NDArray[Any]) -> Image:
    """Return the image at twice as many pixels along each side, on the scale of `image`.

    Four fine pixels cover one pixel: fine pixel i has its centre at (i − ½)/2 pixels.
    """
    rows, columns = atoms.grid
    back_y = np.exp(-1j * np.pi * fft.fftfreq(rows)).astype(np.complex64)
    back_x = np.exp(-1j * np.pi * fft.rfftfreq(columns)).astype(np.complex64)
    return _positive(4 * _window(atoms, transfer * back_y[:, None] * back_x))


def _window(atoms: ProjectedAtoms, transfer: NDArray[Any]) -> Image:
    whole = fft.irfft2(atoms.spectrum * transfer, s=atoms.grid, overwrite_x=True)
    inner = slice(atoms.margin, atoms.margin + 2 * atoms.size)
    return np.asarray(whole[inner, inner])


def _positive(values: Image) -> Image:
    """Cut what the band limit leaves below zero: no electrons are fewer than none."""
    return np.maximum(values, 0, dtype=np.float32)


def full_width(atoms: ProjectedAtoms, transfer: NDArray[Any]) -> float:
    """Return the full width at half maximum in Å of a transfer's point spread.

    The geometric mean of the widths along y and x through the maximum.
    """
    profile = fft.fftshift(fft.irfft2(transfer, s=atoms.grid))
    row, column = np.unravel_index(int(profile.argmax()), profile.shape)
    widths = [_width_at_half(profile[:, column]), _width_at_half(profile[row])]
    return float(np.sqrt(widths[0] * widths[1]) * atoms.pitch_angstrom)


def _width_at_half(line: NDArray[np.floating]) -> float:
    """Distance in points between the crossings of half the maximum nearest to it."""
    top = int(line.argmax())
    half = line[top] / 2
    width = 0.0
    for side in (line[top:], line[top::-1]):
        below = int(np.argmax(side < half))
        above = side[below - 1]
        width += below - 1 + float((above - half) / (above - side[below]))
    return width
