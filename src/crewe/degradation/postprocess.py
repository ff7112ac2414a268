"""What people do to an image before they restore it: resample and blur."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from crewe.degradation.displacement import Displacement, cubic_weights
from crewe.degradation.parameters import Parameters, number, word
from crewe.degradation.pixels import Pixels, as_pixels

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class LinearTransform(Parameters):
    """A linear map of the plane about the centre of the image."""

    rotation_deg: float = number(-360, 360, default=0.0)
    """Anticlockwise as displayed, y down."""
    magnification_x: float = number(0.1, 10, default=1.0)
    magnification_y: float = number(0.1, 10, default=1.0)
    shear: float = number(-1, 1, default=0.0)
    """Shift along x per length along y."""
    interpolation: str = word("linear", "cubic", default="cubic")


def transform_matrix(parameters: LinearTransform) -> Matrix:
    """Return the 2×2 matrix, order (y, x), from places in the result to places in the image."""
    angle = math.radians(parameters.rotation_deg)
    rotation = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    shear = np.array([[1, 0], [parameters.shear, 1]])
    scale = np.diag([1 / parameters.magnification_y, 1 / parameters.magnification_x])
    return scale @ shear @ rotation


def linear_transform(image: Pixels, parameters: LinearTransform, rng: Generator) -> Pixels:
    """Resample an image through a linear map about its centre; beyond the border it is mirrored.

    No random number is used: the recipe draws the map, and both images go through the same.
    Source: section "Post-processing distortions" of I. Lobato et al., npj Comput. Mater. 10
    (2024) 10, doi:10.1038/s41524-023-01188-0.
    """
    cubic = parameters.interpolation == "cubic"
    return resample(as_pixels(image), transform_matrix(parameters), cubic)


@njit(cache=True, nogil=True)
def _mirrored(index: int, size: int) -> int:
    period = 2 * size
    index = index % period
    return index if index < size else period - 1 - index


@njit(cache=True, nogil=True)
def resample(image: Pixels, matrix: Matrix, cubic: bool) -> Pixels:
    """Take an image at the places that a 2×2 matrix (y, x) about the centre gives."""
    ny, nx = image.shape
    result = np.empty_like(image)
    wy, wx = np.zeros(4, np.float32), np.zeros(4, np.float32)
    middle_y, middle_x = (ny - 1) / 2, (nx - 1) / 2
    for i in range(ny):
        for j in range(nx):
            y = matrix[0, 0] * (i - middle_y) + matrix[0, 1] * (j - middle_x) + middle_y
            x = matrix[1, 0] * (i - middle_y) + matrix[1, 1] * (j - middle_x) + middle_x
            y0, x0 = int(np.floor(y)), int(np.floor(x))
            if cubic:
                cubic_weights(y - y0, wy)
                cubic_weights(x - x0, wx)
            else:
                wy[1], wy[2] = 1 - (y - y0), y - y0
                wx[1], wx[2] = 1 - (x - x0), x - x0
            total = np.float32(0)
            inside = 1 <= y0 < ny - 2 and 1 <= x0 < nx - 2
            for k in range(4):
                row = y0 + k - 1 if inside else _mirrored(y0 + k - 1, ny)
                for m in range(4):
                    column = x0 + m - 1 if inside else _mirrored(x0 + m - 1, nx)
                    total += wy[k] * wx[m] * image[row, column]
            result[i, j] = total
    return result


def transform_displacement(
    displacement: Displacement, shape: tuple[int, int], matrix: Matrix
) -> Displacement:
    """Return the displacement between two images that both went through a linear map M.

    It is M⁻¹ u(M p) at the place p of the result: the field is resampled, its arrows are turned.
    """
    if displacement.is_none:
        return displacement
    moved = [resample(np.ascontiguousarray(u), matrix, False) for u in displacement.field(shape)]
    dy, dx = np.tensordot(np.linalg.inv(matrix).astype(np.float32), np.stack(moved), axes=1)
    return Displacement(dy, dx)


@dataclass(frozen=True)
class GaussianBlur(Parameters):
    """A blur that is meant to reduce noise."""

    sigma_px: float = number(0, 100)


def gaussian_blur(image: Pixels, parameters: GaussianBlur, rng: Generator) -> Pixels:
    """Blur the degraded image by a Gaussian that adds up to one; the border is mirrored.

    The ideal image is not blurred: restoring must undo it.
    Source: section "Post-processing distortions", doi:10.1038/s41524-023-01188-0.
    """
    pixels = as_pixels(image)
    # Below this the nearest neighbours get less than 4e-6 of the weight.
    if parameters.sigma_px < 0.2:
        return pixels
    reach = math.ceil(4 * parameters.sigma_px)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / parameters.sigma_px) ** 2)
    weights /= weights.sum()
    return correlate1d(correlate1d(pixels, weights, axis=0), weights, axis=1)
