"""A crystal turned into the beam: its lattice in projection, and the cell chosen in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crewe.atoms.lattice.plane import completed, integer_basis, reduced, usual_shape
from crewe.atoms.lattice.primitive import ROUNDING, PrimitiveCrystal
from crewe.atoms.stamps import Array, Index
from crewe.specimens.orientation import along_zone_axis

# A cell that repeats at the same height may be this many times the smallest in projection.
MOST_LEVELS = 6


class View(NamedTuple):
    """A crystal turned so that the zone axis is z: in-plane lattice, heights, period."""

    plane: Array
    """Smallest lattice vectors in projection (2, 2), rows (x, y) in Å."""
    climb: Array
    """Height (2,) of the lattice vectors in periods."""
    repeat: float
    """Period along the beam in Å."""
    positions: Array
    """Atoms (N, 3) of the smallest cell in Å."""
    numbers: Index
    """Their atomic numbers (N,)."""


def seen_along(crystal: PrimitiveCrystal, cell: Array, axis: tuple[int, int, int]) -> View:
    """Turn a crystal so that [uvw] of the cell (3, 3) given lies along z, and project it."""
    turn = along_zone_axis(cell, axis)
    # multiples of 1/order of the centring: whole numbers once the divisor is found
    along = np.array(axis) @ np.linalg.inv(crystal.fractions)
    whole = np.round(along).astype(np.int64)
    direction = whole // np.gcd.reduce(whole)
    lattice = completed(direction) @ crystal.basis @ turn.T
    repeat = float(lattice[0, 2])
    flat = lattice[1:, :2]
    change = reduced(flat)
    return View(
        change @ flat,
        change @ lattice[1:, 2] / repeat,
        repeat,
        crystal.positions @ turn.T,
        crystal.numbers,
    )


def _level_lattice(view: View) -> Index | None:
    """Lattice (2, 2), in the smallest of the projection, of translations without height."""
    tolerance = ROUNDING / view.repeat
    for levels in range(1, MOST_LEVELS + 1):
        steps = levels * view.climb
        if np.all(np.abs(steps - np.round(steps)) < levels * tolerance / 2):
            break
    else:
        return None
    counts = np.stack(np.meshgrid(range(levels), range(levels)), axis=-1).reshape(-1, 2)
    sums = levels * (counts @ view.climb)
    level = counts[np.round(sums) % levels == 0]
    return integer_basis(np.concatenate([level, levels * np.eye(2, dtype=np.int64)]))


def _edges_in_plane(cell: Array, axis: tuple[int, int, int]) -> Array:
    """Edges (0 to 2, 2) of the cell given that are across the beam, (x, y) in Å, in order."""
    turned = cell @ along_zone_axis(cell, axis).T
    across = np.abs(turned[:, 2]) < 1e-4 * np.linalg.norm(turned, axis=1)
    return turned[across, :2]


def chosen_change(view: View, cell: Array, axis: tuple[int, int, int]) -> Index:
    """Whole-number change (2, 2) from the smallest lattice to the vectors a, b of the cell."""
    level, edges = _level_lattice(view), _edges_in_plane(cell, axis)
    base = np.eye(2, dtype=np.int64) if level is None else level
    change: Index = usual_shape(base @ view.plane) @ base
    area = abs(np.linalg.det(change))
    if len(edges) == 2:
        own = np.round(edges @ np.linalg.inv(view.plane)).astype(np.int64)
        if 0.5 < abs(np.linalg.det(own)) < area + 0.5 and _is_level(own, view, level):
            return own if np.linalg.det(own @ view.plane) > 0 else own[::-1].copy()
    long, short = np.linalg.norm(change @ view.plane, axis=1)
    if short > long * (1 + 1e-6):
        change = change[::-1].copy()
    a, b = change @ view.plane
    if a @ [1.0, 1e-3] < 0:
        change, a, b = -change, -a, -b
    if a[0] * b[1] - a[1] * b[0] < 0:
        # turning b round keeps a right angle; an oblique cell stays obtuse only by exchange
        right = abs(a @ b) < 1e-6 * (a @ a)
        change = change * np.array([[1], [-1]]) if right else change[::-1].copy()
    return change


def _is_level(own: Index, view: View, level: Index | None) -> bool:
    if level is None:
        return True
    steps = own @ view.climb
    return bool(np.all(np.abs(steps - np.round(steps)) < ROUNDING / view.repeat))


def filled(view: View, change: Index) -> tuple[Array, Array, Index]:
    """Atoms of the cell: places (N, 2) in it, heights (N,) in periods, atomic numbers."""
    triangle = integer_basis(change)
    counts = np.stack(
        np.meshgrid(range(triangle[0, 0]), range(triangle[1, 1]), indexing="ij"), axis=-1
    ).reshape(-1, 2)
    climb = change @ view.climb
    places = (view.positions[:, None, :2] + counts @ view.plane).reshape(-1, 2)
    heights = (view.positions[:, 2][:, None] / view.repeat + counts @ view.climb).reshape(-1)
    parts = places @ np.linalg.inv(change @ view.plane)
    whole = np.floor(parts + 1e-9)
    return parts - whole, heights - whole @ climb, np.repeat(view.numbers, len(counts))
