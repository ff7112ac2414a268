"""Points that keep a distance from one another, in a box or in a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.errors import SpecimenError
from crewe.specimens.cloud import Array, Index

Links = NDArray[np.int32]


class Placed(NamedTuple):
    """Points that were placed, and whether all that were asked for found room."""

    positions: Array
    """Coordinates in the order of the lengths given, (n, 2) or (n, 3)."""
    complete: bool
    """False where fewer were placed than asked for."""


def separate_points(
    count: int,
    lengths: Sequence[float],
    minimum_distance: float,
    rng: Generator,
    periodic: bool = False,
    tries_per_point: int = 30,
) -> Placed:
    """Place up to `count` points at random, none closer to another than a distance.

    Random sequential addition: a point that comes too close to one placed before is thrown away.
    It stops at `count` points or after `count * tries_per_point` draws, whichever is first.
    Two lengths give points in a plane, three in a box; both in one unit. With `periodic` the
    distance also holds across opposite faces. Raises SpecimenError for senseless numbers.
    """
    size = np.array(lengths, dtype=float)
    if len(size) not in (2, 3) or not (size > 0).all():
        raise SpecimenError(f"points need two or three positive lengths, not {tuple(lengths)}")
    if count < 0 or not minimum_distance >= 0:
        raise SpecimenError(
            f"cannot place {count} points {minimum_distance} apart: give numbers ≥ 0"
        )
    if minimum_distance == 0:
        return Placed(rng.random((count, len(size))) * size, True)
    solid = size if len(size) == 3 else np.append(size, 0.0)
    points, placed = np.empty((count, 3)), 0
    cells = _grid(solid, minimum_distance, count)
    head = np.full(int(cells.prod()), -1, np.int32)
    following = np.empty(count, np.int32)
    drawn = 0
    while placed < count and drawn < count * tries_per_point:
        batch = int(min(1.3 * (count - placed) + 32, count * tries_per_point - drawn))
        draws = rng.random((batch, 3)) * solid
        drawn += batch
        placed = _add(
            draws, solid, minimum_distance, periodic, cells, head, following, points, placed
        )
    return Placed(np.ascontiguousarray(points[:placed, : len(size)]), placed == count)


def _grid(size: Array, distance: float, count: int) -> Index:
    """Cells along each axis: no narrower than the distance, and not many more than points."""
    extended = np.where(size > 0, size, 1.0)
    roomy = (np.prod(extended) / max(count, 1)) ** (1 / np.count_nonzero(size))
    cells = np.floor(size / max(distance, 0.8 * roomy)).astype(np.int64)
    return np.clip(cells, 1, 1024)


@njit(cache=True, nogil=True)
def _add(
    draws: Array,
    size: Array,
    distance: float,
    periodic: bool,
    cells: Index,
    head: Links,
    following: Links,
    points: Array,
    placed: int,
) -> int:
    """Add the draws that are far enough from all points; the number of points afterwards."""
    around = np.empty((3, 3), np.int64)
    gap = np.zeros((3, 3))
    shift = np.zeros((3, 3))
    squared = distance * distance
    for n in range(len(draws)):
        if placed == len(points):
            break
        x, y, z = draws[n, 0], draws[n, 1], draws[n, 2]
        _neighbourhood(x, size[0], cells[0], periodic, 0, around, gap, shift)
        _neighbourhood(y, size[1], cells[1], periodic, 1, around, gap, shift)
        _neighbourhood(z, size[2], cells[2], periodic, 2, around, gap, shift)
        if _crowded(x, y, z, squared, cells, head, following, points, around, gap, shift):
            continue
        points[placed, 0], points[placed, 1], points[placed, 2] = x, y, z
        here = (around[0, 0] * cells[1] + around[1, 0]) * cells[2] + around[2, 0]
        following[placed] = head[here]
        head[here] = placed
        placed += 1
    return placed


@njit(cache=True, nogil=True)
def _neighbourhood(
    x: float,
    length: float,
    cells: int,
    periodic: bool,
    axis: int,
    around: Index,
    gap: Array,
    shift: Array,
) -> None:
    """Cell of a coordinate, the one below and above, the squared way there, and the image."""
    width = length / cells
    home = min(int(x / width), cells - 1) if width > 0 else 0
    around[axis, 0], around[axis, 1], around[axis, 2] = home, home - 1, home + 1
    gap[axis, 1] = (x - home * width) ** 2
    gap[axis, 2] = ((home + 1) * width - x) ** 2
    shift[axis, 1], shift[axis, 2] = 0.0, 0.0
    if home == 0:
        around[axis, 1], shift[axis, 1] = cells - 1, -length
        if not periodic:
            gap[axis, 1] = np.inf
    if home == cells - 1:
        around[axis, 2], shift[axis, 2] = 0, length
        if not periodic:
            gap[axis, 2] = np.inf


@njit(cache=True, nogil=True)
def _crowded(
    x0: float,
    y0: float,
    z0: float,
    squared: float,
    cells: Index,
    head: Links,
    following: Links,
    points: Array,
    around: Index,
    gap: Array,
    shift: Array,
) -> bool:
    """Whether a point within the distance stands in the cell of the draw or in one beside it."""
    for i in range(3):
        if gap[0, i] >= squared:
            continue
        x = x0 - shift[0, i]
        for j in range(3):
            near = gap[0, i] + gap[1, j]
            if near >= squared:
                continue
            y = y0 - shift[1, j]
            row = (around[0, i] * cells[1] + around[1, j]) * cells[2]
            for k in range(3):
                if near + gap[2, k] >= squared:
                    continue
                n = head[row + around[2, k]]
                z = z0 - shift[2, k]
                while n >= 0:
                    dx, dy, dz = x - points[n, 0], y - points[n, 1], z - points[n, 2]
                    if dx * dx + dy * dy + dz * dz < squared:
                        return True
                    n = following[n]
    return False
