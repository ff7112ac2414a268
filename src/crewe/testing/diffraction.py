"""Diffraction patterns of phantoms: a bright-field disk that atoms push to and fro."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def lattice_patterns(
    scan_shape: tuple[int, int],
    detector_shape: tuple[int, int],
    counts: float,
    rng: np.random.Generator,
    *,
    atoms_across: int = 8,
    largest_shift_px: float = 2.0,
    radius_px: float | None = None,
    rows: int | None = None,
) -> NDArray[np.uint16]:
    """Return Poisson counts (rows, columns, ky, kx) of a square lattice of atoms.

    The disk (radius a quarter of the detector unless given) moves towards the nearest atom by the
    gradient of φ = −cos − cos with periods of 1/`atoms_across` of the scan, at most
    `largest_shift_px`, and holds `counts` electrons on average. Atoms lie on the centres of the
    periods. Noise is drawn line by line from `rng`, of the first `rows` lines only if given.
    """
    shifts = lattice_shifts(scan_shape, atoms_across, largest_shift_px)
    radius = min(detector_shape) / 4 if radius_px is None else radius_px
    ky, kx = (np.arange(n) - (n - 1) / 2 for n in detector_shape)
    # Nothing is drawn where the disk cannot come to.
    inside = [np.abs(k) < radius + 0.5 + largest_shift_px for k in (ky, kx)]
    ky, kx = ky[inside[0]], kx[inside[1]]
    box = tuple(slice(*(np.flatnonzero(one)[[0, -1]] + [0, 1])) for one in inside)
    patterns = np.zeros((rows or scan_shape[0], scan_shape[1], *detector_shape), np.uint16)
    for row, line in enumerate(patterns):
        y, x = shifts[:, row, :, None, None]
        distance = np.hypot(ky[:, None] - y, kx - x)
        disk = np.clip(radius + 0.5 - distance, 0, 1)
        line[:, *box] = rng.poisson(counts * disk / disk.sum(axis=(1, 2), keepdims=True))
    return patterns


def lattice_shifts(
    scan_shape: tuple[int, int], atoms_across: int = 8, largest_shift_px: float = 2.0
) -> NDArray[np.float64]:
    """Return the shift (2, rows, columns) in (ky, kx) pixels of the disk of `lattice_patterns`."""
    angles = (2 * np.pi * atoms_across * np.arange(n) / n for n in scan_shape)
    y, x = np.meshgrid(*(np.sin(angle) for angle in angles), indexing="ij")
    return largest_shift_px * np.stack([y, x])
