"""Displacements of the beam from the regular grid, and images taken there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.degradation.pixels import Pixels, as_pixels
from crewe.errors import ImageError

# Lines that come to lie closer than this (px) are one line to `undo`: a spline through both
# would swing.
CLOSEST_LINES_PX = 0.02


@dataclass(frozen=True)
class Displacement:
    """Where each pixel was really taken: pixel (y, x) shows the image at (y + dy, x + dx).

    Both are float32 arrays in pixels whose shapes broadcast to the image's: (ny, 1) where a
    scan line moves as a whole, (ny, nx) in general.
    """

    dy: NDArray[np.float32]
    dx: NDArray[np.float32]

    @classmethod
    def none(cls, shape: tuple[int, int]) -> Displacement:
        """Return the displacement of a perfect scan."""
        still = np.zeros((shape[0], 1), np.float32)
        return cls(still, still)

    def __add__(self, other: Displacement) -> Displacement:
        return Displacement(self.dy + other.dy, self.dx + other.dx)

    @property
    def by_line(self) -> bool:
        """Whether each scan line moves as a whole."""
        return self.dy.shape[1] == 1 and self.dx.shape[1] == 1

    @property
    def is_none(self) -> bool:
        """Whether nothing moves."""
        return not (self.dy.any() or self.dx.any())

    def field(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Return (2, ny, nx): dy and dx of every pixel, in pixels."""
        return np.stack([np.broadcast_to(part, shape) for part in (self.dy, self.dx)])

    def cropped(self, margin: int) -> Displacement:
        """Return the displacement of an image that has lost `margin` pixels on each side."""
        return Displacement(_cropped(self.dy, margin), _cropped(self.dx, margin))


def _cropped(part: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
    inner = part[margin : part.shape[0] - margin]
    return inner if part.shape[1] == 1 else inner[:, margin : part.shape[1] - margin]


def displace(image: Any, displacement: Displacement) -> Pixels:
    """Take an image at displaced positions by bicubic interpolation (Keys, a = −1/2).

    Outside the image its border pixels go on. Returns float32 of the same shape.
    Raises ImageError for an image that cannot be used or of another number of lines.
    Source: eq. 42 of I. Lobato et al., npj Comput. Mater. 10 (2024) 10,
    doi:10.1038/s41524-023-01188-0.
    """
    pixels = as_pixels(image)
    try:
        np.broadcast_shapes(pixels.shape, displacement.dy.shape, displacement.dx.shape)
    except ValueError as error:
        raise ImageError(f"this displacement is not one of an image of {pixels.shape}") from error
    if displacement.is_none:
        return pixels
    if displacement.by_line:
        return _displace_lines(pixels, displacement.dy[:, 0], displacement.dx[:, 0])
    return _displace_pixels(pixels, *displacement.field(pixels.shape))


@njit(cache=True, nogil=True)
def cubic_weights(t: float, weights: NDArray[np.float32]) -> None:
    """Fill the weights of pixels −1, 0, 1 and 2 for a place t in [0, 1) after pixel 0."""
    weights[0] = ((-0.5 * t + 1.0) * t - 0.5) * t
    weights[1] = (1.5 * t - 2.5) * t * t + 1.0
    weights[2] = ((-1.5 * t + 2.0) * t + 0.5) * t
    weights[3] = (0.5 * t - 0.5) * t * t


@njit(cache=True, nogil=True)
def _displace_lines(image: Pixels, dy: NDArray[np.float32], dx: NDArray[np.float32]) -> Pixels:
    ny, nx = image.shape
    result = np.empty_like(image)
    line = np.empty(nx + 3, np.float32)
    wy, wx = np.empty(4, np.float32), np.empty(4, np.float32)
    for i in range(ny):
        y, x = np.floor(i + dy[i]), np.floor(dx[i])
        cubic_weights(i + dy[i] - y, wy)
        cubic_weights(dx[i] - x, wx)
        first = image[min(max(int(y) - 1, 0), ny - 1)]
        second = image[min(max(int(y), 0), ny - 1)]
        third = image[min(max(int(y) + 1, 0), ny - 1)]
        fourth = image[min(max(int(y) + 2, 0), ny - 1)]
        start = int(x) - 1
        for j in range(nx + 3):
            source = min(max(start + j, 0), nx - 1)
            line[j] = (
                wy[0] * first[source]
                + wy[1] * second[source]
                + wy[2] * third[source]
                + wy[3] * fourth[source]
            )
        for j in range(nx):
            result[i, j] = (
                wx[0] * line[j] + wx[1] * line[j + 1] + wx[2] * line[j + 2] + wx[3] * line[j + 3]
            )
    return result


@njit(cache=True, nogil=True)
def _displace_pixels(image: Pixels, dy: NDArray[np.float32], dx: NDArray[np.float32]) -> Pixels:
    ny, nx = image.shape
    result = np.empty_like(image)
    wy, wx = np.empty(4, np.float32), np.empty(4, np.float32)
    for i in range(ny):
        for j in range(nx):
            y, x = np.floor(i + dy[i, j]), np.floor(j + dx[i, j])
            cubic_weights(i + dy[i, j] - y, wy)
            cubic_weights(j + dx[i, j] - x, wx)
            total = np.float32(0)
            for k in range(4):
                row = image[min(max(int(y) + k - 1, 0), ny - 1)]
                for m in range(4):
                    total += wy[k] * wx[m] * row[min(max(int(x) + m - 1, 0), nx - 1)]
            result[i, j] = total
    return result


def undo(image: Any, displacement: Displacement) -> Pixels:
    """Put displaced scan lines back on the regular grid, knowing where they were taken.

    Each line is shifted back along x; the lines, sorted by where they lie, are then joined by
    cubic splines along y. Detail that no line saw does not come back. Raises ImageError for a
    displacement that varies along a line.
    """
    from scipy.interpolate import CubicSpline

    pixels = as_pixels(image)
    if not displacement.by_line:
        raise ImageError("only displacements of whole scan lines can be undone")
    still = np.zeros_like(displacement.dy)
    straight = displace(pixels, Displacement(still, -displacement.dx))
    grid = np.arange(len(pixels), dtype=float)
    places = grid + displacement.dy[:, 0]
    order = np.argsort(places, kind="stable")
    kept = order[np.diff(places[order], prepend=-np.inf) > CLOSEST_LINES_PX]
    if len(kept) < 2:
        return straight
    spline = CubicSpline(places[kept], straight[kept], axis=0)
    inside = np.clip(grid, places[kept][0], places[kept][-1])
    return spline(inside).astype(np.float32)
