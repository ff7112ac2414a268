"""Image of a specimen as the sum of one radial function per atom, Eq. (16) of Lobato et al.

I. Lobato, T. Friedrich and S. Van Aert, npj Comput. Mater. 10 (2024) 10,
doi:10.1038/s41524-023-01188-0. Two ways lead to the same image: atoms are stamped one by one where
they cover few pixels, and convolved in Fourier space where they cover many.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.errors import CalibrationError, CreweError
from crewe.simulation.convolve import Grid, apply_radial, padded_grid, read_image, transform
from crewe.simulation.deposit import deposit_by_element, elements_in
from crewe.simulation.radial_model import RadialModel, draw_radial_model
from crewe.simulation.radial_stamps import FINEST_SHIFT_ANGSTROM, stamp

__all__ = ["RadialModel", "draw_radial_model", "radial_image"]

Image = NDArray[np.float32]
Method = Literal["stamps", "fourier", "pixels"]
# The exponential has fallen to 1/150 at five radii, f to about 1/400 of its top.
REACH_IN_RADII = 5.0
# The grid follows the pixels between these parts of the smallest r_m. With a blur of 0.8 of its
# pitch the image of an atom is the same to 1 % of its top (typically 0.2 %) wherever it lies in a
# pixel, even at the coarsest grid and the sharpest edge (n = 16).
FINEST_PITCH_IN_RADII = 0.25
COARSEST_PITCH_IN_RADII = 0.67
BLUR_IN_PITCHES = 0.8
# A square of one pixel has a standard deviation of 0.29, and neither scan nor camera is that sharp.
BLUR_IN_PIXELS = 0.5
# Thermal vibration (about 0.08 Å along each axis) blurs everything finer than this grid shows.
FINEST_PITCH_ANGSTROM = 0.1
LOW_RANK_ERROR = 0.01


def radial_image(
    numbers: Any,
    positions: Any,
    shape: tuple[int, int],
    pixel_size_angstrom: float,
    model: RadialModel,
    margin_px: int | None = None,
    method: Method | None = None,
) -> Image:
    """Sum of f_Z at the distance of every atom at the centre of each pixel, (y, x) float32.

    `numbers` (n,) and `positions` (n, 3) as (x, y, z) in Å; pixel (0, 0) lies at x = y = 0. Atoms
    outside the image count as far as their image reaches (five r_m, or `margin_px`). Atoms whose
    position is NaN are left out.

    `method` is 'stamps', 'fourier' or None for the one that should be quicker, which depends on the
    arguments alone. Stamps are the function itself at each pixel's centre, cut off at its reach; as
    it is not band-limited, coarse pixels alias. The Fourier image is f_Z blurred by a Gaussian of
    0.8 pixel, but at least 0.08 Å or a fifth and at most about half of the smallest r_m: without it
    the sharp edge of f_Z would make the image of an atom depend on where in a pixel it lies.
    'pixels' takes no grid finer than the pixels and blurs coarse ones by half a pixel only: what a
    pixel averages, and much the quickest for coarse pixels, where an atom's image then depends a
    little on its place in the pixel, as it does in any image that is sampled so coarsely.

    Raises CreweError for an element that the model lacks, CalibrationError for a pixel size that is
    not positive.
    """
    if not (np.isfinite(pixel_size_angstrom) and pixel_size_angstrom > 0):
        raise CalibrationError(f"a pixel size must be positive, got {pixel_size_angstrom}")
    model, numbers = _occurring(model, numbers)
    reach = REACH_IN_RADII * model.radii
    if margin_px is not None:
        reach = np.minimum(reach, margin_px * pixel_size_angstrom)
    if not len(model.elements):
        return np.zeros(shape, dtype=np.float32)
    by_pixels = method == "pixels"
    grid = _grid(shape, pixel_size_angstrom, model, float(reach.max()), by_pixels)
    if (method or _quicker(numbers, model, reach, pixel_size_angstrom, grid)) == "stamps":
        return stamp(numbers, positions, shape, pixel_size_angstrom, model, reach)
    at_pixels = by_pixels and grid.zoom == 1
    blur = (BLUR_IN_PIXELS if at_pixels else BLUR_IN_PITCHES) * grid.pitch_angstrom
    return _convolved(numbers, positions, shape, model, grid, blur)


def _occurring(model: RadialModel, numbers: Any) -> tuple[RadialModel, NDArray[np.uint8]]:
    """The part of a model that concerns the elements of these atoms."""
    given = np.ascontiguousarray(numbers, dtype=np.uint8)
    present = elements_in(given)
    missing = np.setdiff1d(present, model.elements)
    if len(missing):
        raise CreweError(
            f"the radial model knows elements {model.elements.tolist()} but the specimen holds "
            f"{missing.tolist()}: draw the model for all elements of the specimen"
        )
    return model.only(np.isin(model.elements, present)), given


def _grid(
    shape: tuple[int, int],
    pixel_size: float,
    model: RadialModel,
    reach_angstrom: float,
    by_pixels: bool = False,
) -> Grid:
    smallest = float(model.radii.min())
    finest = max(FINEST_PITCH_IN_RADII * smallest, FINEST_PITCH_ANGSTROM)
    coarsest = max(COARSEST_PITCH_IN_RADII * smallest, FINEST_PITCH_ANGSTROM)
    pitch = max(pixel_size, finest)
    pitch = pitch if by_pixels else min(pitch, coarsest)
    return padded_grid(shape, pixel_size, pitch, reach_angstrom)


def _quicker(
    numbers: NDArray[np.uint8],
    model: RadialModel,
    reach: NDArray[np.float64],
    pixel_size: float,
    grid: Grid,
) -> Method:
    """Compare the times in ns that the two ways take on one core, as measured."""
    counts = np.bincount(numbers, minlength=256)[model.elements]
    sides = 2 * reach / pixel_size + 6
    shifts = np.ceil(pixel_size / FINEST_SHIFT_ANGSTROM) + 1
    stamps = np.sum(counts * (40 + 0.3 * sides**2) + 4 * (shifts * sides) ** 2)
    points = grid.shape[0] * grid.shape[1]
    channels = min(len(model.elements), 8)
    fourier = 15 * len(numbers) + points * (2 + 5 * channels + 6 * grid.zoom**2)
    return "stamps" if stamps < fourier else "fourier"


def _convolved(
    numbers: NDArray[np.uint8],
    positions: Any,
    shape: tuple[int, int],
    model: RadialModel,
    grid: Grid,
    blur: float,
) -> Image:
    _, grids = deposit_by_element(
        numbers, positions, grid.shape, grid.pitch_angstrom, grid.origin_angstrom, periodic=False
    )
    corner = np.sqrt(0.5) / grid.pitch_angstrom
    # As fine as the table of the Butterworth transform's own lobes, for the largest radius.
    count = int(np.clip(128 * corner * model.radii.max(), 256, 4096))
    k = np.linspace(0, 1.01 * corner, count)
    mixing, tables = _low_rank(model.transform(k), k * np.exp(-2 * (np.pi * blur * k) ** 2))
    if len(mixing) < len(grids):
        grids = _mixed(mixing.astype(np.float32), grids)
    # The transform of a sampled function is its integral: one grid cell per sample.
    spectrum = apply_radial(transform(grids), tables / grid.pitch_angstrom**2, k[1], grid, blur)
    return read_image(spectrum, grid, shape)


def _low_rank(
    transforms: NDArray[np.float64], plane: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Write transforms (element, k) as mixingᵀ · tables with as few tables as the error allows.

    The functions of all elements are much alike, and each table costs a Fourier transform. Tables
    are found by Gram–Schmidt, from whichever element is described worst so far. The integral of the
    error over the plane of k, with weight `plane`, bounds it at every point of the image; what is
    found there is about a fifth of the bound. Sums run in one order, without BLAS, so that images
    are the same on every processor.
    """
    tops = (np.abs(transforms) * plane).sum(axis=1)
    rest = transforms / tops[:, None]
    mixing: list[NDArray[np.float64]] = []
    tables: list[NDArray[np.float64]] = []
    while len(tables) < len(tops):
        errors = (np.abs(rest) * plane).sum(axis=1)
        if errors.max() < LOW_RANK_ERROR:
            return np.stack(mixing) * tops, np.stack(tables)
        worst = rest[int(errors.argmax())]
        table = worst / np.sqrt((worst**2 * plane).sum())
        shares = (rest * (table * plane)).sum(axis=1)
        rest = rest - shares[:, None] * table
        mixing.append(shares)
        tables.append(table)
    return np.eye(len(tops)), transforms


@njit(cache=True, nogil=True)
def _mixed(mixing: NDArray[np.float32], grids: Image) -> Image:
    """Linear combinations (table, y, x) of grids (element, y, x), summed element by element."""
    tables, rows, columns = len(mixing), grids.shape[1], grids.shape[2]
    result = np.zeros((tables, rows, columns), np.float32)
    for row in range(rows):
        for element in range(len(grids)):
            line = grids[element, row]
            for table in range(tables):
                share = mixing[table, element]
                for column in range(columns):
                    result[table, row, column] += share * line[column]
    return result
