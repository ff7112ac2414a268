"""Shapes that a specimen is cut to: wedge, polygon rod, convex polyhedron, straight edge.

Each function returns the region as half-spaces in the frame of the box, whose corner is the
origin. Shapes and ranges: Lobato et al. 2024, npj Comput. Mater. 10, 10
(doi:10.1038/s41524-023-01188-0), "Specimen generation".
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from crewe.errors import SpecimenError
from crewe.physics.small_matrices import product
from crewe.specimens.cloud import Array, Box
from crewe.specimens.half_spaces import HalfSpaces
from crewe.specimens.orientation import random_rotation


def wedge(
    box: Box, angle_deg: float, direction_deg: float, surface: str = "top", start: float = 0.0
) -> HalfSpaces:
    """Region under a surface that slopes: the thickness falls along a direction in-plane.

    The top surface (z = 0) or the bottom (z = box z) is turned by the angle about the line that
    lies `start` times the box's extent along the direction (from x to y); before that line the
    box keeps its thickness. `surface` is top, bottom, or both, which slope alike.
    """
    if not 0 <= angle_deg < 90:
        raise SpecimenError(f"a wedge of {angle_deg}° is impossible: give 0 to below 90")
    c, s = np.cos(np.radians(direction_deg)), np.sin(np.radians(direction_deg))
    corners = [x * c + y * s for x in (0.0, box[0]) for y in (0.0, box[1])]
    begin = min(corners) + start * (max(corners) - min(corners))
    slope = np.tan(np.radians(angle_deg))
    top = HalfSpaces(np.array([[slope * c, slope * s, -1.0]]), np.array([slope * begin]))
    bottom = HalfSpaces(np.array([[slope * c, slope * s, 1.0]]), np.array([slope * begin + box[2]]))
    regions = {"top": top, "bottom": bottom, "both": top & bottom}
    if surface not in regions:
        raise SpecimenError(f"a wedge has no surface {surface!r}: give top, bottom or both")
    return regions[surface]


def polygon_rod(radius: float, vertices: int, centre: Array, rng: Generator) -> HalfSpaces:
    """Draw an endless rod whose cross-section is a polygon inscribed in a circle.

    The vertices stand at random angles on the circle of that radius (Å); the rod points in any
    direction and passes through the centre (3,).
    """
    if vertices < 3:
        raise SpecimenError(f"a rod of {vertices} edges is impossible: give at least 3")
    angles = np.sort(rng.uniform(0, 2 * np.pi, vertices))
    to_next = np.append(angles[1:], angles[0] + 2 * np.pi)
    middle = 0.5 * (angles + to_next)
    normals = np.stack([np.cos(middle), np.sin(middle), np.zeros(vertices)], axis=1)
    # Negative where the polygon spans less than half of the circle and leaves out its centre.
    offsets = radius * np.cos(0.5 * (to_next - angles))
    return HalfSpaces(normals, offsets).turned(random_rotation(rng)).moved(centre)


def convex_polyhedron(radius: float, vertices: int, centre: Array, rng: Generator) -> HalfSpaces:
    """Draw the convex hull of random points on a sphere of a radius in Å about a centre (3,)."""
    from scipy.spatial import ConvexHull

    if vertices < 4:
        raise SpecimenError(f"a polyhedron of {vertices} vertices is impossible: give at least 4")
    points = rng.standard_normal((vertices, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    planes = ConvexHull(points).equations
    return HalfSpaces(planes[:, :3], -radius * planes[:, 3]).moved(centre)


def straight_edge(point: Array, direction_deg: float) -> HalfSpaces:
    """Return one side of a plane parallel to z, through a point (3,), with its normal in-plane."""
    angle = np.radians(direction_deg)
    normal = np.array([[np.cos(angle), np.sin(angle), 0.0]])
    return HalfSpaces(normal, product(normal, point))
