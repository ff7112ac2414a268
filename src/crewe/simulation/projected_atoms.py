"""Many noise-free images of one specimen from one projection: sharp, blurred, finer, shifted.

Atoms are deposited once, on a grid of half pixels, and every image is that grid times another
transfer function. So all images of a set of labels agree exactly, and none is interpolated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from crewe.physics.optics import Optics, probe_intensity
from crewe.simulation.convolve import Grid, axis_weights, padded_grid, transform
from crewe.simulation.deposit import deposit
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
    grid: Grid
    size: int
    """Pixels of the image along each side."""


@dataclass(frozen=True)
class Transfer:
    """What the probe does to the object function: 1 at k = 0."""

    values: NDArray[Any]
    """On the half spectrum of the grid."""
    grid: Grid

    def __mul__(self, other: Transfer) -> Transfer:
        return replace(self, values=self.values * other.values)


def margin_angstrom(pixel_size_angstrom: float, rim_px: int = 0) -> float:
    """Return how far a specimen must reach beyond the field on each side."""
    return REACH_ANGSTROM + (1 + rim_px) * pixel_size_angstrom


def project(
    cloud: AtomCloud, exponent: float, size: int, pixel_size_angstrom: float, rim_px: int = 0
) -> ProjectedAtoms:
    """Deposit the atoms, whose x and y count from the centre of pixel (0, 0), and transform.

    The image may be read with up to `rim_px` more pixels on each side.
    """
    pitch = pixel_size_angstrom / 2
    reach = margin_angstrom(pixel_size_angstrom, rim_px)
    grid = padded_grid((2 * size, 2 * size), pitch, pitch, reach)
    weights = (np.arange(256.0) ** exponent)[cloud.numbers]
    places = cloud.positions[:, 1::-1] / pitch + grid.margin
    spectrum = transform(deposit(places, weights, grid.shape, periodic=False))
    spectrum *= np.outer(*axis_weights(grid)).astype(np.float32)
    return ProjectedAtoms(spectrum, grid, size)


def probe_transfer(atoms: ProjectedAtoms, optics: Optics) -> Transfer:
    """Return the transfer of a probe, source size included, its core on the atom.

    The image at r0 is ∫ σ(r) P(r − r0) d²r, so that an atom shows the mirrored probe: P enters
    conjugated. Coma moves the core of a probe off the optic axis, in an image by the same for all
    atoms; that shift, which nobody could know, is taken out.

    The probe is drawn on a field of `PROBE_FIELD_ANGSTROM` and only as finely as its aperture
    needs, then brought to the grid by its Fourier coefficients: the same profile at a tenth of the
    time. Its tails beyond that field, below a hundredth of its electrons, fold back into it.
    """
    grid = atoms.grid
    whole, pitch = grid.shape[0], grid.pitch_angstrom
    points = min(whole, 2 * math.ceil(PROBE_FIELD_ANGSTROM / pitch / 2))
    field = points * pitch
    coarse = fft.next_fast_len(2 * math.ceil(2.05 * optics.cutoff * field), real=True)
    profile = probe_intensity(optics, (coarse, coarse), field / coarse)
    kept = _recentred(fft.fftshift(fft.fft2(fft.ifftshift(profile))), points)
    centred = np.real(fft.fftshift(fft.ifft2(fft.ifftshift(kept))))
    spectrum = fft.rfft2(fft.ifftshift(_recentred(centred, whole)))
    ky, kx = grid.frequencies()
    down, right = (pitch * offset for offset in _core(centred))
    ramp = np.exp(2j * np.pi * ky * down) * np.exp(2j * np.pi * kx * right)
    return Transfer(np.conj(spectrum * ramp).astype(np.complex64), grid)


def _core(profile: NDArray[np.float64]) -> tuple[float, float]:
    """Centroid (y, x) of what exceeds half the maximum, in points from the centre.

    It is where one sees an atom, and fits one; the tail of coma draws neither there.
    """
    core = np.maximum(profile - profile.max() / 2, 0)
    rows, columns = (np.arange(size) - size // 2 for size in profile.shape)
    total = core.sum()
    return float((core.sum(axis=1) * rows).sum() / total), float(
        (core.sum(axis=0) * columns).sum() / total
    )


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


def gaussian_transfer(atoms: ProjectedAtoms, width_angstrom: float) -> Transfer:
    """Return the transfer of a Gaussian of standard deviation `width_angstrom`."""
    along_y, along_x = (
        np.exp(-2 * (np.pi * width_angstrom * k) ** 2).astype(np.float32)
        for k in atoms.grid.frequencies()
    )
    return Transfer(along_y * along_x, atoms.grid)


def image(atoms: ProjectedAtoms, transfer: Transfer, rim_px: int = 0) -> Image:
    """Return the image at the pixels; its sum over the pixels is that of Z^γ.

    With a rim, pixel (0, 0) of the field is at (rim, rim).
    """
    return _positive(4 * _window(atoms, transfer.values, 2 * rim_px)[::2, ::2])


def fine_image(atoms: ProjectedAtoms, transfer: Transfer) -> Image:
    """Return the image at twice as many pixels along each side, on the scale of `image`.

    Four fine pixels cover one pixel: fine pixel i has its centre at (i − ½)/2 pixels.
    """
    ky, kx = atoms.grid.frequencies()
    half = -1j * np.pi * atoms.grid.pitch_angstrom
    back = (np.exp(half * ky) * np.exp(half * kx)).astype(np.complex64)
    return _positive(4 * _window(atoms, transfer.values * back))


def _window(atoms: ProjectedAtoms, transfer: NDArray[Any], rim: int = 0) -> Image:
    whole = fft.irfft2(atoms.spectrum * transfer, s=atoms.grid.shape, overwrite_x=True)
    start = atoms.grid.margin - rim
    inner = slice(start, start + 2 * (atoms.size + rim))
    return np.asarray(whole[inner, inner])


def _positive(values: Image) -> Image:
    """Cut what the band limit leaves below zero: no electrons are fewer than none."""
    return np.maximum(values, 0, dtype=np.float32)


def full_width(transfer: Transfer) -> float:
    """Return the full width at half maximum in Å of a transfer's point spread.

    The geometric mean of the widths along y and x through the maximum.
    """
    profile = fft.fftshift(fft.irfft2(transfer.values, s=transfer.grid.shape))
    row, column = np.unravel_index(int(profile.argmax()), profile.shape)
    widths = [_width_at_half(profile[:, column]), _width_at_half(profile[row])]
    return float(np.sqrt(widths[0] * widths[1]) * transfer.grid.pitch_angstrom)


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
