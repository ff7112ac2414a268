"""Draw polygons with exact edges: every pixel holds the share of its area that is covered.

A pixel is the unit square around its centre. The share is an integral over the outline (Green's
theorem): each piece of an edge inside a pixel covers a trapezoid of that pixel and, to its
right, a strip of the same height of the whole row, so one pass over the outline and one running
sum along each row give the exact area.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Image = NDArray[np.float32]


@njit(cache=True, nogil=True)
def clip_half_plane(outline: Array, normal_y: float, normal_x: float, limit: float) -> Array:
    """Cut a polygon (N, 2) of (y, x) to where `normal · r ≤ limit`; may leave nothing."""
    count = len(outline)
    kept = np.empty((2 * count, 2))
    used = 0
    for k in range(count):
        y0, x0 = outline[k - 1]
        y1, x1 = outline[k]
        d0 = normal_y * y0 + normal_x * x0 - limit
        d1 = normal_y * y1 + normal_x * x1 - limit
        if (d0 <= 0) != (d1 <= 0):
            t = d0 / (d0 - d1)
            kept[used, 0] = y0 + t * (y1 - y0)
            kept[used, 1] = x0 + t * (x1 - x0)
            used += 1
        if d1 <= 0:
            kept[used] = outline[k]
            used += 1
    return kept[:used]


@njit(cache=True, nogil=True)
def clip_rectangle(outline: Array, top: float, left: float, bottom: float, right: float) -> Array:
    """Cut a polygon (N, 2) of (y, x) to a rectangle."""
    cut = clip_half_plane(outline, 1.0, 0.0, bottom)
    cut = clip_half_plane(cut, -1.0, 0.0, -top)
    cut = clip_half_plane(cut, 0.0, 1.0, right)
    return clip_half_plane(cut, 0.0, -1.0, -left)


@njit(cache=True, nogil=True)
def _add_edge(steps: Array, y0: float, x0: float, y1: float, x1: float) -> None:
    """Add what one edge changes in the running sum along each row; pixel j is [j, j + 1]."""
    if y0 == y1:
        return
    sign = 1.0
    if y1 < y0:
        y0, x0, y1, x1, sign = y1, x1, y0, x0, -1.0
    slope = (x1 - x0) / (y1 - y0)
    for i in range(int(y0), min(int(np.ceil(y1)), steps.shape[0])):
        upper, lower = max(y0, float(i)), min(y1, float(i + 1))
        left, right = x0 + slope * (upper - y0), x0 + slope * (lower - y0)
        if left > right:
            left, right = right, left
        left, right = max(left, 0.0), min(right, steps.shape[1] - 2.0)
        height = sign * (lower - upper)
        for j in range(int(left), int(right) + 1):
            start, end = max(left, float(j)), min(right, float(j + 1))
            part = height * (end - start) / (right - left) if right > left else height
            inside = 0.5 * (start + end) - j
            steps[i, j] += part * (1 - inside)
            steps[i, j + 1] += part * inside


@njit(cache=True, nogil=True)
def add_polygon(image: Image, outline: Array, plane: Array) -> None:
    """Add a plane of intensity inside a polygon to an image, with exact edges.

    `outline` (N, 2) holds the corners (y, x) in pixels, in either sense; it may leave the image
    and must not cross itself. `plane` is (level, y, x, slope_y, slope_x): the intensity at
    (y, x) and its slopes per pixel; where it is below zero nothing is added.
    """
    rows, columns = image.shape
    inner = clip_rectangle(outline, -0.5, -0.5, rows - 0.5, columns - 0.5)
    if len(inner) < 3:
        return
    for k in range(len(inner)):  # clamped, for a cut may miss the frame by a rounding error
        inner[k, 0] = min(max(inner[k, 0] + 0.5, 0.0), float(rows))
        inner[k, 1] = min(max(inner[k, 1] + 0.5, 0.0), float(columns))
    top, left = int(inner[:, 0].min()), int(inner[:, 1].min())
    bottom, right = int(np.ceil(inner[:, 0].max())), int(np.ceil(inner[:, 1].max()))
    steps = np.zeros((bottom - top, right - left + 2))
    inner[:, 0] -= top
    inner[:, 1] -= left
    for k in range(len(inner)):
        _add_edge(steps, inner[k - 1, 0], inner[k - 1, 1], inner[k, 0], inner[k, 1])
    level, y, x, slope_y, slope_x = plane
    for i in range(bottom - top):
        start = level + slope_y * (i + top - y) + slope_x * (left - x)
        covered = 0.0
        for j in range(right - left):
            covered += steps[i, j]
            value = start + slope_x * j
            if value > 0:
                image[i + top, j + left] += np.float32(abs(covered) * value)


@njit(cache=True, nogil=True)
def add_polygons(image: Image, corners: Array, first: NDArray[np.int64], planes: Array) -> None:
    """Add many polygons: polygon n has the rows `first[n]` to `first[n + 1]` of `corners`."""
    for n in range(len(first) - 1):
        add_polygon(image, corners[first[n] : first[n + 1]], planes[n])
