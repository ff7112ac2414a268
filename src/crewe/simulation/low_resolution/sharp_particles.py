"""Sharp particles: polygons and ellipses with a sharp edge and a plane of intensity inside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from crewe.recipes import RecipePart
from crewe.recipes.ranges import (
    Count,
    Length,
    Level,
    Share,
    Vertices,
    draw_many,
)
from crewe.simulation.low_resolution.planes import tilted_planes
from crewe.simulation.low_resolution.polygons import add_polygons
from crewe.simulation.low_resolution.positions import draw_positions

Array = NDArray[np.float64]
Image = NDArray[np.float32]


class SharpParticles(RecipePart):
    """Ranges of sharp particles. Number, shapes and vertices are the paper's, the rest is ours."""

    number: Count = {"integers": [15, 40]}
    ellipse_probability: float = Field(default=0.5, ge=0, le=1)
    vertices: Vertices = {"integers": [3, 5]}
    radius_fraction: Length = {"log_uniform": [0.02, 0.15]}
    """Radius typical of an image, as a fraction of its smaller side."""
    radius_spread: Length = [0.5, 1.5]
    """Radius of a particle as a multiple of the typical one."""
    corner_radius: Share = [0.6, 1.0]
    """Distance of a polygon's corner from the centre as a fraction of the particle's radius."""
    corner_shift: float = Field(default=0.3, ge=0, lt=0.5)
    """How far a corner may turn from its place in the regular polygon, in corner spacings."""
    axis_ratio: Length = [0.6, 1.0]
    """Short axis of an ellipse as a fraction of the long one."""
    intensity: Level = [0.2, 1.0]
    """Intensity at the centre of a particle."""
    tilt: Share = [0.0, 0.9]
    """How far the plane rises and falls over the particle, relative to the centre."""
    minimum_distance_px: Level = [1.0, 20.0]
    margin: Share = 0.1
    """How far beyond the image particles are placed, as a fraction of the smaller side."""


def sharp_particles_image(
    part: SharpParticles, shape: tuple[int, int], rng: Generator
) -> tuple[Image, dict[str, Any]]:
    """Draw polygons and ellipses at random places, each under its own plane of intensity.

    Returns the image and the facts `number`, `ellipses` (how many of them) and `radius_px`
    (the typical radius). doi:10.1038/s41524-023-01188-0
    """
    centres = draw_positions(part, shape, rng)
    number = len(centres)
    typical = part.draw("radius_fraction", rng) * min(shape)
    radii = typical * draw_many(part, "radius_spread", number, rng)
    elliptical = rng.random(number) < part.ellipse_probability
    outlines = [
        centre + (_ellipse(part, radius, rng) if ellipse else _polygon(part, radius, rng))
        for centre, radius, ellipse in zip(centres, radii, elliptical, strict=True)
    ]
    levels = draw_many(part, "intensity", number, rng)
    planes = tilted_planes(centres, radii, levels, draw_many(part, "tilt", number, rng), rng)
    image = np.zeros(shape, np.float32)
    if number:
        first = np.cumsum([0, *map(len, outlines)])
        add_polygons(image, np.concatenate(outlines), first, planes)
    return image, {"number": number, "ellipses": int(elliptical.sum()), "radius_px": typical}


def _ellipse(part: SharpParticles, radius: float, rng: Generator) -> Array:
    return ellipse_outline(radius, radius * part.draw("axis_ratio", rng), rng.uniform(0, np.pi))


def _polygon(part: SharpParticles, radius: float, rng: Generator) -> Array:
    corners = part.draw("vertices", rng)
    shifts = part.corner_shift * rng.uniform(-1, 1, corners)
    angles = 2 * np.pi * (np.arange(corners) + shifts + rng.random()) / corners
    distances = radius * draw_many(part, "corner_radius", corners, rng)
    return np.column_stack([distances * np.sin(angles), distances * np.cos(angles)])


def ellipse_outline(semi_axis_x: float, semi_axis_y: float, angle: float) -> Array:
    """Return an ellipse around the origin as a polygon (N, 2) of (y, x) with the same area.

    x′ is turned by `angle` radians from x towards y. The sides leave the ellipse by less than
    0.02 of the unit of length.
    """
    sides = max(16, int(np.ceil(np.pi * np.sqrt(max(semi_axis_x, semi_axis_y) / (2 * 0.02)))))
    turn = 2 * np.pi / sides
    t = turn * np.arange(sides)
    larger = np.sqrt(turn / np.sin(turn))
    u, v = larger * semi_axis_x * np.cos(t), larger * semi_axis_y * np.sin(t)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.column_stack([u * sine + v * cosine, u * cosine - v * sine])
