"""An all-silica zeolite with large pores, seen along one of its channels.

Framework LTA, all-silica as ITQ-29: cubic, Pm-3m, a = 11.867 Å, A. Corma, F. Rey, J. Rius, M. J.
Sabater and S. Valencia, Nature 431 (2004) 287, doi:10.1038/nature02909. The coordinates are not
theirs: given the framework and a, they are those that make all tetrahedra regular (least squares
of distances and angles), with Si–O of 1.605 Å.
"""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from crewe.simulation.projected_phase import projected_phase

CELL_ANGSTROM = 11.867
SITES = (
    (14, (0.0, 0.1819, 0.3675)),
    (8, (0.0, 0.2089, 0.5)),
    (8, (0.0, 0.2979, 0.2979)),
    (8, (0.1104, 0.1104, 0.3360)),
)
"""Atomic number and coordinates of the asymmetric unit."""
VIBRATION_ANGSTROM = 0.1


def zeolite_cell() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return atomic numbers (72,) and positions (72, 3) in Å of a cell, its pore in the middle."""
    numbers, positions = [], []
    for number, site in SITES:
        images = _images(site)
        numbers += [number] * len(images)
        positions.append(images * CELL_ANGSTROM)
    return np.array(numbers), np.concatenate(positions)


def zeolite_phase(
    cells: int, pixels_per_cell: int, cells_thick: int = 1, beam_energy_kev: float = 200.0
) -> NDArray[np.float64]:
    """Return the phase (y, x) in rad of `cells` × `cells` cells, along [001]; it repeats."""
    pixel = CELL_ANGSTROM / pixels_per_cell
    numbers, positions = zeolite_cell()
    one = projected_phase(
        numbers, positions, (pixels_per_cell,) * 2, pixel, beam_energy_kev, VIBRATION_ANGSTROM
    )
    return np.tile(cells_thick * one, (cells, cells))


def _images(site: tuple[float, float, float]) -> NDArray[np.float64]:
    """All images of a site in Pm-3m: any order of the coordinates with any signs."""
    found = {
        tuple(np.round(np.multiply(signs, order) % 1, 9) % 1)
        for order in permutations(site)
        for signs in product((1, -1), repeat=3)
    }
    return np.array(sorted(found))
