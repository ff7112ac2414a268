"""The 230 space groups: their operations, and cells that obey their crystal system."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from crewe.errors import SpecimenError
from crewe.specimens.cloud import Array

LAST_GROUP = 230
# The last space group of each crystal system.
_SYSTEMS = (
    (2, "triclinic"),
    (15, "monoclinic"),
    (74, "orthorhombic"),
    (142, "tetragonal"),
    (167, "trigonal"),
    (194, "hexagonal"),
    (230, "cubic"),
)
# Smallest volume of the parallelepiped of unit vectors; flatter cells are hardly cells.
LEAST_SINE = 0.2


def crystal_system(group: int) -> str:
    """Return the name of the crystal system of a space group 1..230."""
    _check(group)
    return next(name for last, name in _SYSTEMS if group <= last)


@cache
def operations(group: int) -> tuple[Array, Array]:
    """Return rotations (m, 3, 3) and translations (m, 3) of a space group in cell coordinates.

    ASE's first setting: unique axis b, hexagonal axes for rhombohedral groups, and all centring
    translations included, so that m is the multiplicity of the general position.
    """
    _check(group)
    from ase.spacegroup import Spacegroup

    rotations, translations = Spacegroup(group).get_op()
    turns = np.ascontiguousarray(rotations, dtype=np.float64)
    shifts = np.ascontiguousarray(translations, dtype=np.float64)
    turns.setflags(write=False)
    shifts.setflags(write=False)
    return turns, shifts


def _check(group: int) -> None:
    if not 1 <= group <= LAST_GROUP:
        raise SpecimenError(f"there is no space group {group}: give a number from 1 to 230")


def draw_cell(
    group: int, draw_length: Callable[[], float], draw_angle_deg: Callable[[], float]
) -> Array:
    """Draw lattice vectors (rows a, b, c in Å) that the space group allows.

    Lengths and angles that the crystal system leaves free are drawn, the others follow from it;
    angles that make no cell, or a very flat one, are drawn again.
    Raises SpecimenError where the angles offered never make one.
    """
    system = crystal_system(group)
    a, b, c = (draw_length() for _ in range(3))
    if system in ("tetragonal", "trigonal", "hexagonal", "cubic"):
        b = a
    if system == "cubic":
        c = a
    alpha = beta = gamma = 90.0
    if system in ("trigonal", "hexagonal"):
        gamma = 120.0
    elif system == "monoclinic":
        beta = draw_angle_deg()
    elif system == "triclinic":
        alpha, beta, gamma = _triclinic_angles(draw_angle_deg)
    return cell_vectors(a, b, c, alpha, beta, gamma)


def _triclinic_angles(draw_angle_deg: Callable[[], float]) -> tuple[float, float, float]:
    for _ in range(1000):
        alpha, beta, gamma = (draw_angle_deg() for _ in range(3))
        if _squared_volume(alpha, beta, gamma) > LEAST_SINE**2:
            return alpha, beta, gamma
    raise SpecimenError("no cell has the angles that were offered: widen their range")


def _squared_volume(alpha: float, beta: float, gamma: float) -> float:
    """Return the squared volume of a cell with unit edges."""
    x, y, z = np.cos(np.radians([alpha, beta, gamma]))
    return float(1 + 2 * x * y * z - x * x - y * y - z * z)


def cell_vectors(a: float, b: float, c: float, alpha: float, beta: float, gamma: float) -> Array:
    """Return lattice vectors as rows from lengths in Å and angles in degrees.

    a lies along x, b in the x-y plane with positive y, c has positive z. Raises SpecimenError
    for angles that make no cell.
    """
    squared = _squared_volume(alpha, beta, gamma)
    if not squared > 0:
        raise SpecimenError(f"no cell has the angles {alpha}°, {beta}°, {gamma}°")
    x, y, z = np.cos(np.radians([alpha, beta, gamma]))
    s = float(np.sin(np.radians(gamma)))
    return np.array(
        [
            [a, 0.0, 0.0],
            [b * z, b * s, 0.0],
            [c * y, c * (x - y * z) / s, c * np.sqrt(squared) / s],
        ]
    )
