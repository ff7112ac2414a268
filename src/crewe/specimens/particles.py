"""Nanocrystals: faceted particles, plates with tapered edges, spheres.

A particle is what half-spaces leave of a crystal. It stands in the middle of its box; without a
box, in one that fits it closely.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from crewe.errors import SpecimenError
from crewe.specimens.cloud import Array, AtomCloud, Box, checked_box
from crewe.specimens.fill import Crystal, fill_box
from crewe.specimens.half_spaces import HalfSpaces
from crewe.specimens.minerals import Direction, mineral, mineral_crystal
from crewe.specimens.orientation import about_z, along_zone_axis

_SLACK = 1e-6


def facet_family(indices: Direction) -> Array:
    """Return unit normals of all planes that a cubic crystal cannot tell from (hkl), (m, 3)."""
    from itertools import permutations, product

    signed = {
        tuple(sign * value for sign, value in zip(signs, order, strict=True))
        for order in permutations(indices)
        for signs in product((-1, 1), repeat=3)
    }
    normals = np.array(sorted(signed), dtype=float)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def wulff_shape(distances: dict[Direction, float]) -> HalfSpaces:
    """Return the polyhedron of a cubic crystal with facets {hkl} at the given distances in Å.

    Distances proportional to the surface energies make the Wulff shape. Distances {100} : {111}
    of 1 : 2/√3 make a cuboctahedron, 1 : √3/2 a truncated octahedron with regular faces.
    Raises SpecimenError if a distance is not positive, or if the facets enclose nothing.
    """
    if not distances or min(distances.values()) <= 0:
        raise SpecimenError(f"facets need positive distances from the centre in Å, not {distances}")
    families = [facet_family(indices) for indices in distances]
    offsets = [np.full(len(f), d) for f, d in zip(families, distances.values(), strict=True)]
    return HalfSpaces(np.concatenate(families), np.concatenate(offsets) + _SLACK)


def cuboctahedron(lattice_parameter: float, shells: int) -> HalfSpaces:
    """Return the cuboctahedron of an fcc crystal with that many shells about an atom.

    It holds (10n³ + 15n² + 11n + 3)/3 atoms: 13, 55, 147, 309, 561, …
    """
    half = shells * lattice_parameter / 2
    return wulff_shape({(1, 0, 0): half, (1, 1, 1): 2 * half / np.sqrt(3)})


def tapered_plate(
    radius: float, thickness: float, taper_deg: float, sides: int = 6, rotation_deg: float = 0.0
) -> HalfSpaces:
    """Return a plate whose edges thin out: a truncated pyramid on a regular polygon.

    The plate lies in x-y about the origin; the apothem at its foot (greater z) is `radius` Å,
    and each side leans inwards by `taper_deg` from the beam: 0 gives upright, sharp facets.
    """
    if sides < 3 or radius <= 0 or thickness <= 0 or not 0 <= taper_deg < 90:
        raise SpecimenError(
            f"no plate has {sides} sides, radius {radius} Å, thickness {thickness} Å and "
            f"a taper of {taper_deg}°"
        )
    angles = np.radians(rotation_deg) + 2 * np.pi * np.arange(sides) / sides
    slope = np.tan(np.radians(taper_deg))
    normals = np.stack([np.cos(angles), np.sin(angles), np.full(sides, -slope)], axis=1)
    offsets = np.full(sides, radius - slope * thickness / 2 + _SLACK)
    faces = HalfSpaces(np.array([[0, 0, 1.0], [0, 0, -1.0]]), np.full(2, thickness / 2 + _SLACK))
    return HalfSpaces(normals, offsets) & faces


def faceted_particle(
    material: str,
    zone_axis: Direction,
    shape: HalfSpaces,
    box: Box | None = None,
    rotation_deg: float = 0.0,
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0),
    in_crystal: bool = True,
) -> AtomCloud:
    """Cut a shape out of a named crystal and turn its zone axis along z.

    The shape is given about the point `centre` (in units of the cell; an atom of most structures
    at the origin), in the axes of the crystal, or with `in_crystal` false in those of the box.
    Raises SpecimenError if the particle is empty or larger than the box.
    """
    crystal, rotation = _along(material, zone_axis, rotation_deg)
    region = shape.turned(rotation) if in_crystal else shape
    return centred(region.cut(_around(crystal, rotation, _reach(region), centre)), box)


def sphere(
    material: str,
    zone_axis: Direction,
    diameter: float,
    box: Box | None = None,
    rotation_deg: float = 0.0,
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> AtomCloud:
    """Cut a sphere of a diameter in Å out of a named crystal, its zone axis along z.

    Raises SpecimenError if it is empty or larger than the box.
    """
    if not diameter > 0:
        raise SpecimenError(f"a sphere needs a positive diameter, not {diameter} Å")
    crystal, rotation = _along(material, zone_axis, rotation_deg)
    block = _around(crystal, rotation, diameter / 2, centre)
    inside = (block.positions**2).sum(axis=1) <= (diameter / 2 + _SLACK) ** 2
    return centred(block.select(inside), box)


def centred(cloud: AtomCloud, box: Box | None) -> AtomCloud:
    """Put a particle in the middle of a box, or in one that fits it with 1 Å to spare.

    Raises SpecimenError if it holds no atom or is larger than the box.
    """
    if len(cloud) == 0:
        raise SpecimenError("the particle holds no atom: make it larger")
    low, high = cloud.positions.min(axis=0), cloud.positions.max(axis=0)
    size = high - low
    x, y, z = (float(length) for length in size)
    room = (x + 2.0, y + 2.0, z + 2.0) if box is None else checked_box(box)
    if (size > np.array(room)).any():
        raise SpecimenError(
            f"a particle of {x:.1f} × {y:.1f} × {z:.1f} Å does not fit a box of "
            f"{room[0]:.1f} × {room[1]:.1f} × {room[2]:.1f} Å: enlarge the box"
        )
    return AtomCloud(
        cloud.numbers, cloud.positions - 0.5 * (low + high) + 0.5 * np.array(room), room
    )


def _along(material: str, zone_axis: Direction, rotation_deg: float) -> tuple[Crystal, Array]:
    """Return a named crystal and the rotation that brings its zone axis along z."""
    crystal = mineral_crystal(mineral(material).formula)
    return crystal, about_z(rotation_deg) @ along_zone_axis(crystal.cell, zone_axis)


def _around(crystal: Crystal, rotation: Array, reach: float, centre: ArrayLike) -> AtomCloud:
    """Atoms of a crystal in a cube of half side `reach` about the origin, where `centre` lies."""
    half = reach + 1.0
    origin = rotation @ (np.asarray(centre, dtype=float) @ crystal.cell)
    x, y, z = half - origin
    block = fill_box(crystal, (2 * half, 2 * half, 2 * half), rotation, (x, y, z))
    return block.moved((-half, -half, -half))


def _reach(region: HalfSpaces) -> float:
    """Distance from the origin to the farthest corner. Raises SpecimenError if there is none."""
    from scipy.optimize import linprog

    farthest = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            goal = np.zeros(3)
            goal[axis] = sign
            found = linprog(
                goal, A_ub=region.normals, b_ub=region.offsets, bounds=[(None, None)] * 3
            )
            if found.status != 0:
                raise SpecimenError("the shape encloses no finite region: add or move facets")
            farthest.append(abs(found.fun))
    return float(max(farthest))
