"""Radial functions drawn into an image atom by atom, for pixels as coarse as the atoms.

Each function is tabled as a small picture at S × S positions within a pixel. The image of an atom
is the mean of the four nearest pictures, weighted so that its centre is exact: the function is
blurred by at most a triangle of pixel/S ≤ 0.05 Å, less than atoms vibrate. Rows of pictures are
added whole, which is several times quicker than to evaluate the function pixel by pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

if TYPE_CHECKING:
    from crewe.simulation.radial_model import RadialModel

Image = NDArray[np.float32]
FINEST_SHIFT_ANGSTROM = 0.05
POINTS = 2048
LANES = 8


def stamp(
    numbers: NDArray[np.uint8],
    positions: Any,
    shape: tuple[int, int],
    pixel_size_angstrom: float,
    model: RadialModel,
    reach_angstrom: NDArray[np.float64],
) -> Image:
    """Sum the radial functions of atoms out to `reach_angstrom` (element,) from each.

    Atoms are given as to `radial_image`, the model holding the elements that occur.
    """
    reach = np.ceil(reach_angstrom / pixel_size_angstrom).astype(np.int64)
    subdivisions = int(np.ceil(pixel_size_angstrom / FINEST_SHIFT_ANGSTROM))
    pictures = [
        _pictures(profile, float(limit), int(pixels), subdivisions, pixel_size_angstrom)
        for profile, limit, pixels in zip(
            _profiles(model, reach_angstrom), reach_angstrom, reach, strict=True
        )
    ]
    starts = np.cumsum([0] + [part.size for part in pictures[:-1]])
    slot = np.zeros(256, dtype=np.int64)
    slot[model.elements] = np.arange(len(pictures))
    # A rim wide enough that the picture of no atom needs clipping.
    rim = 2 * int(reach.max()) + 2
    padded = np.zeros((shape[0] + 2 * rim, shape[1] + 2 * rim + LANES), dtype=np.float32)
    places = np.ascontiguousarray(positions, dtype=np.float64)
    _add_pictures(
        padded.reshape(-1),
        padded.shape,
        rim,
        numbers,
        slot,
        places,
        1 / pixel_size_angstrom,
        np.concatenate([part.reshape(-1) for part in pictures]),
        starts,
        reach,
        subdivisions,
    )
    return np.ascontiguousarray(padded[rim:-rim, rim : rim + shape[1]])


def _profiles(model: RadialModel, reach: NDArray[np.float64]) -> NDArray[np.float32]:
    fraction = np.linspace(0, 1, POINTS + 1)
    rows = [model.only([e]).profile(limit * fraction)[0] for e, limit in enumerate(reach)]
    return np.asarray(rows, dtype=np.float32)


@njit(cache=True, nogil=True)
def _pictures(
    profile: NDArray[np.float32], limit: float, reach: int, subdivisions: int, pixel_size: float
) -> NDArray[np.float32]:
    """Pictures (shift y, shift x, y, x) of a profile given at even steps up to `limit`."""
    wide = -(-(2 * reach + 2) // LANES) * LANES
    shifts = subdivisions + 1
    result = np.zeros((shifts, shifts, 2 * reach + 2, wide), dtype=np.float32)
    scale = (len(profile) - 1) / limit
    for a in range(shifts):
        for b in range(shifts):
            for i in range(2 * reach + 2):
                dy = (i - reach - a / subdivisions) * pixel_size
                for j in range(2 * reach + 2):
                    dx = (j - reach - b / subdivisions) * pixel_size
                    place = np.sqrt(dx * dx + dy * dy) * scale
                    below = int(place)
                    if below < len(profile) - 1:
                        step = profile[below + 1] - profile[below]
                        result[a, b, i, j] = profile[below] + (place - below) * step
    return result


@njit(cache=True, nogil=True)
def _add_pictures(
    image: Image,
    shape: tuple[int, int],
    rim: int,
    numbers: NDArray[np.uint8],
    slot: NDArray[np.int64],
    positions: NDArray[np.float64],
    density: float,
    pictures: NDArray[np.float32],
    starts: NDArray[np.int64],
    reaches: NDArray[np.int64],
    subdivisions: int,
) -> None:
    rows, columns = shape
    for n in range(len(numbers)):
        e = slot[numbers[n]]
        reach = reaches[e]
        x = positions[n, 0] * density + rim - reach
        y = positions[n, 1] * density + rim - reach
        size = 2 * reach + 2
        wide = -(-size // LANES) * LANES
        # Also false for NaN.
        if not (0 <= y < rows - size and 0 <= x < columns - wide):
            continue
        i, j = int(y), int(x)
        fy, fx = (y - i) * subdivisions, (x - j) * subdivisions
        a, b = int(fy), int(fx)
        ty, tx = np.float32(fy - a), np.float32(fx - b)
        w11 = ty * tx
        w10, w01 = ty - w11, tx - w11
        w00 = np.float32(1) - ty - w01
        # Unsigned, so that numba need not test for a sign and the row is summed in vectors.
        width, step = np.uint64(wide), size * wide
        first = starts[e] + (a * (subdivisions + 1) + b) * step
        p00, p01 = np.uint64(first), np.uint64(first + step)
        p10 = np.uint64(first + (subdivisions + 1) * step)
        p11 = p10 + np.uint64(step)
        out = np.uint64(i * columns + j)
        for _ in range(size):
            for c in range(width):
                image[out + c] += (
                    w00 * pictures[p00 + c]
                    + w01 * pictures[p01 + c]
                    + w10 * pictures[p10 + c]
                    + w11 * pictures[p11 + c]
                )
            out += np.uint64(columns)
            p00 += width
            p01 += width
            p10 += width
            p11 += width
