"""Grains: the Voronoi cells of random points, each with its own plane of intensity."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from crewe.recipes import RecipePart
from crewe.recipes.ranges import Count, Length, Level, Share, draw_many
from crewe.simulation.low_resolution.lines import cover_segment
from crewe.simulation.low_resolution.planes import tilted_planes
from crewe.simulation.low_resolution.polygons import add_polygon, clip_half_plane
from crewe.simulation.low_resolution.positions import draw_positions

Array = NDArray[np.float64]
Image = NDArray[np.float32]


class Grains(RecipePart):
    """Ranges of grains. Number and borderline are the paper's, the rest is ours."""

    number: Count = {"integers": [15, 175]}
    intensity: Level = [0.2, 1.0]
    """Intensity of a grain at its point."""
    tilt: Share = [0.0, 0.7]
    """How far the plane rises and falls over the grain, relative to its point."""
    border_probability: float = Field(default=0.5, ge=0, le=1)
    border_intensity: Level = [0.5, 1.5]
    """Intensity of the borderlines of an image as a multiple of the mean of its grains."""
    border_width_px: Length = [1.0, 3.0]
    minimum_distance_px: Level = [1.0, 20.0]
    margin: Share = 0.1
    """How far beyond the image points are placed, as a fraction of the smaller side."""


def grains_image(
    part: Grains, shape: tuple[int, int], rng: Generator
) -> tuple[Image, dict[str, Any]]:
    """Fill the image with Voronoi cells, and with a probability draw the lines between them.

    Returns the image and the facts `number`, `border` (whether lines are drawn) and, with
    lines, `border_intensity` (against the mean) and `border_width_px`.
    doi:10.1038/s41524-023-01188-0
    """
    points = draw_positions(part, shape, rng)
    number = len(points)
    corners, shared, first = voronoi_cells(points, shape)
    levels = draw_many(part, "intensity", number, rng)
    tilts = draw_many(part, "tilt", number, rng)
    planes = tilted_planes(points, _reach(points, corners, first), levels, tilts, rng)
    image = np.zeros(shape, np.float32)
    _add_cells(image, corners, first, planes)
    facts: dict[str, Any] = {"number": number, "border": part.chance("border_probability", rng)}
    if facts["border"]:
        facts["border_intensity"] = part.draw("border_intensity", rng)
        facts["border_width_px"] = part.draw("border_width_px", rng)
        lines = np.zeros(shape, np.float32)
        _cover_borders(lines, corners, shared, first, facts["border_width_px"])
        level = np.float32(facts["border_intensity"] * image.mean(dtype=np.float64))
        image += lines * (level - image)
    return image, facts


def _reach(points: Array, corners: Array, first: NDArray[np.int64]) -> Array:
    """Distance from each point to the farthest corner of its cell."""
    owner = np.repeat(np.arange(len(points)), np.diff(first))
    reach = np.zeros(len(points))
    np.maximum.at(reach, owner, np.hypot(*(corners - points[owner]).T))
    return reach


@njit(cache=True, nogil=True)
def _cell(points: Array, n: int, frame: Array) -> Array:
    cell = frame
    y, x = points[n]
    farthest2 = np.inf
    for m in range(len(points)):
        dy, dx = points[m, 0] - y, points[m, 1] - x
        gap2 = dy * dy + dx * dx
        if gap2 == 0 or gap2 > 4 * farthest2:
            continue
        limit = 0.5 * (gap2 + 2 * (dy * y + dx * x))
        before = len(cell)
        cell = clip_half_plane(cell, dy, dx, limit)
        farthest2 = 0.0
        for k in range(len(cell)):
            farthest2 = max(farthest2, (cell[k, 0] - y) ** 2 + (cell[k, 1] - x) ** 2)
        if before and len(cell) == 0:
            break
    return cell


@njit(cache=True, nogil=True)
def voronoi_cells(
    points: Array, shape: tuple[int, int]
) -> tuple[Array, NDArray[np.bool_], NDArray[np.int64]]:
    """Find the Voronoi cells of points (N, 2), cut to a frame a little larger than the image.

    Each cell starts as the frame and is cut by the line midway to every other point that is
    near enough to matter. Returns the corners (M, 2) of all cells as (y, x) in pixels; whether
    the side that ends at each corner borders on another cell, not on the frame; and the first
    corner of each cell, with the number of corners at the end.
    """
    beyond = 10.0
    low, bottom, right = -beyond, shape[0] + beyond, shape[1] + beyond
    frame = np.array([[low, low], [low, right], [bottom, right], [bottom, low]])
    corners = np.empty((16 * len(points) + 64, 2))
    shared = np.zeros(len(corners), np.bool_)
    first = np.zeros(len(points) + 1, np.int64)
    for n in range(len(points)):
        cell = _cell(points, n, frame)
        start = first[n]
        first[n + 1] = start + len(cell)
        for k in range(len(cell)):
            y, x = 0.5 * (cell[k - 1] + cell[k])
            corners[start + k] = cell[k]
            shared[start + k] = low < y < bottom and low < x < right
    return corners[: first[-1]], shared[: first[-1]], first


@njit(cache=True, nogil=True)
def _add_cells(image: Image, corners: Array, first: NDArray[np.int64], planes: Array) -> None:
    for n in range(len(first) - 1):
        if first[n + 1] > first[n]:
            add_polygon(image, corners[first[n] : first[n + 1]], planes[n])


@njit(cache=True, nogil=True)
def _cover_borders(
    lines: Image,
    corners: Array,
    shared: NDArray[np.bool_],
    first: NDArray[np.int64],
    width: float,
) -> None:
    """Draw the sides between two cells: of its two senses each side is drawn in one only."""
    for n in range(len(first) - 1):
        last = first[n + 1] - 1
        for k in range(first[n], last + 1):
            if not shared[k]:
                continue
            y1, x1 = corners[k]
            y0, x0 = corners[k - 1 if k > first[n] else last]
            if y1 - y0 + x1 - x0 > 0:
                cover_segment(lines, y0, x0, y1, x1, width, 1.0)
