"""Rotation matrices: a crystal along a zone axis, slightly off it, or turned at random.

A rotation R is (3, 3), orthogonal with determinant 1, and turns a column vector: r' = R r. The
beam runs along z. ``[uvw]`` is the direction u a + v b + w c of the (conventional) lattice
vectors, whatever the lattice.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from crewe.errors import SpecimenError
from crewe.physics.small_matrices import length, product
from crewe.specimens.cloud import Array

MAIN_ZONE_AXES = (
    (0, 0, 1),
    (1, 0, 0),
    (0, 1, 0),
    (1, 1, 0),
    (1, 0, 1),
    (0, 1, 1),
    (1, 1, 1),
    (1, 1, 2),
)
"""What we take the first eight main zone axes to be: lowest indices first, none negative."""


def along_zone_axis(
    cell: Array, zone_axis: tuple[int, int, int], up: tuple[int, int, int] | None = None
) -> Array:
    """Return the rotation that turns [uvw] of a cell (rows a, b, c) into z.

    The lattice direction `up`, or the first of a, b, c that is not along the axis, comes to lie
    in the x-z plane with positive x. Raises SpecimenError for [000] or `up` along the axis.
    """
    axis = product(zone_axis, cell)
    size = length(axis)
    if size < 1e-9:
        raise SpecimenError(f"{zone_axis} is no direction: give a zone axis such as (0, 0, 1)")
    z = axis / size
    for candidate in [up] if up is not None else np.eye(3):
        x = product(candidate, cell)
        across = x - (x * z).sum() * z
        if length(across) > 1e-6 * length(x):
            x = across / length(across)
            return np.stack([x, np.cross(z, x), z])
    raise SpecimenError(f"{up} lies along the zone axis {zone_axis}: it cannot point along x")


def about_z(angle_deg: float) -> Array:
    """Return the rotation by an angle from x towards y."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def tilted(angle_deg: float, direction_deg: float) -> Array:
    """Return the rotation that tips z by an angle towards the direction (from x to y) in-plane."""
    a, turn = np.radians(angle_deg), about_z(direction_deg)
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    return product(turn, about_y, turn.T)


def random_rotation(rng: Generator) -> Array:
    """Draw a rotation uniformly over all (Haar measure), from a normalised quaternion."""
    q = rng.standard_normal(4)
    w, x, y, z = q / length(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def near_zone_axis(
    cell: Array, zone_axis: tuple[int, int, int], mistilt_deg: float, rng: Generator
) -> Array:
    """Draw a rotation that brings [uvw] within a mistilt of z, in any direction in-plane."""
    in_plane = about_z(rng.uniform(0, 360))
    off = tilted(mistilt_deg, rng.uniform(0, 360))
    return product(off, in_plane, along_zone_axis(cell, zone_axis))
