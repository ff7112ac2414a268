"""Image of a specimen as the sum of one radial function per atom, Eq. (16) of Lobato et al.

I. Lobato, T. Friedrich and S. Van Aert, npj Comput. Mater. 10 (2024) 10,
doi:10.1038/s41524-023-01188-0. Two ways lead to the same image: atoms are stamped one by one where
they cover few pixels, and convolved in Fourier space where they cover many.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CalibrationError, CreweError
from crewe.simulation.convolve import Grid, apply_radial, padded_grid, read_image, transform
from crewe.simulation.deposit import deposit_by_element
from crewe.simulation.radial_model import RadialModel, draw_radial_model
from crewe.simulation.radial_stamps import stamp

__all__ = ["RadialModel", "draw_radial_model", "radial_image"]

Image = NDArray[np.float32]
# The exponential has fallen to 1/400 at six radii, f to less than 1/1000 of its top.
REACH_IN_RADII = 6.0
# A grid of r_m/4 with a blur of 0.8 of its pitch keeps images the same to a few 10⁻³ of an atom's
# top wherever it lies in a pixel, even at the sharpest edge (n = 16).
PITCHES_PER_RADIUS = 2.0
BLUR_IN_PITCHES = 0.8
# Thermal vibration (about 0.08 Å along each axis) blurs everything finer than this grid shows.
FINEST_PITCH_ANGSTROM = 0.1
LOW_RANK_ERROR = 1e-4


def radial_image(
    numbers: Any,
    positions: Any,
    shape: tuple[int, int],
    pixel_size_angstrom: float,
    model: RadialModel,
    margin_px: int | None = None,
    method: str | None = None,
) -> Image:
    """Sum of f_Z(|r − r_i|) over all atoms at the centre of each pixel, (y, x) float32.

    `numbers` (n,) and `positions` (n, 3) as (x, y, z) in Å; pixel (0, 0) lies at x = y = 0. Atoms
    outside the image count as far as their image reaches (six r_m, or `margin_px`). Atoms whose
    position is NaN are left out.

    `method` is 'stamps', 'fourier' or None for the quicker. Stamps are the function itself, point
    by point. The Fourier image is f_Z blurred by a Gaussian of at most σ = r_m/5 of the smallest
    atom or 0.08 Å: without a blur the sharp edge of f_Z, sampled on a grid, would let the image
    depend on where in a pixel an atom lies. Both agree to about 1 % of an atom's top, where r_m is
    several 0.1 Å.

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
    grid = _grid(shape, pixel_size_angstrom, model, float(reach.max()))
    if (method or _quicker(numbers, model, reach, pixel_size_angstrom, grid)) == "stamps":
        return stamp(numbers, positions, shape, pixel_size_angstrom, model, reach)
    return _convolved(numbers, positions, shape, model, grid)


def _occurring(model: RadialModel, numbers: Any) -> tuple[RadialModel, NDArray[np.uint8]]:
    """The part of a model that concerns the elements of these atoms."""
    given = np.asarray(numbers)
    present = np.flatnonzero(np.bincount(given, minlength=256)) if given.size else np.zeros(0, int)
    missing = np.setdiff1d(present, model.elements)
    if len(missing):
        raise CreweError(
            f"the radial model knows elements {model.elements.tolist()} but the specimen holds "
            f"{missing.tolist()}: draw the model for all elements of the specimen"
        )
    kept = np.isin(model.elements, present)
    part = RadialModel(
        model.elements[kept],
        model.heights[:, kept],
        model.orders[kept],
        model.radii[kept],
        model.alpha,
    )
    return part, given.astype(np.uint8)


def _grid(
    shape: tuple[int, int], pixel_size: float, model: RadialModel, reach_angstrom: float
) -> Grid:
    pitch = max(model.radii.min() / PITCHES_PER_RADIUS, FINEST_PITCH_ANGSTROM)
    return padded_grid(shape, pixel_size, pitch, reach_angstrom)


def _quicker(
    numbers: NDArray[np.uint8],
    model: RadialModel,
    reach: NDArray[np.float64],
    pixel_size: float,
    grid: Grid,
) -> str:
    """Compare the times in ns that the two ways take on one core, as measured."""
    counts = np.bincount(numbers, minlength=256)[model.elements]
    stamps = np.sum(counts * (10 + 1.4 * np.pi * (reach / pixel_size) ** 2))
    points = grid.shape[0] * grid.shape[1]
    channels = min(len(model.elements), 5)
    fourier = 15 * len(numbers) + points * (
        2 * len(model.elements) + 9 * channels + 6 * grid.zoom**2
    )
    return "stamps" if stamps < fourier else "fourier"


def _convolved(
    numbers: NDArray[np.uint8],
    positions: Any,
    shape: tuple[int, int],
    model: RadialModel,
    grid: Grid,
) -> Image:
    _, grids = deposit_by_element(
        numbers, positions, grid.shape, grid.pitch_angstrom, grid.origin_angstrom, periodic=False
    )
    corner = np.sqrt(0.5) / grid.pitch_angstrom
    # As fine as the table of the Butterworth transform's own lobes, for the largest radius.
    count = int(np.clip(128 * corner * model.radii.max(), 256, 4096))
    k = np.linspace(0, 1.01 * corner, count)
    blur = BLUR_IN_PITCHES * grid.pitch_angstrom
    mixing, tables = _low_rank(model.transform(k), k, np.exp(-2 * (np.pi * blur * k) ** 2))
    if len(mixing) < len(grids):
        flat = grids.reshape(len(grids), -1)
        grids = (mixing.astype(np.float32) @ flat).reshape(-1, *grid.shape)
    else:
        tables = model.transform(k)
    # The transform of a sampled function is its integral: one grid cell per sample.
    tables = tables / grid.pitch_angstrom**2
    spectrum = apply_radial(transform(grids), tables, k[1], grid, blur)
    return read_image(spectrum, grid, shape)


def _low_rank(
    transforms: NDArray[np.float64], k: NDArray[np.float64], blur: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Write transforms (element, k) as mixingᵀ · tables with as few tables as the error allows.

    The functions of all elements are much alike, and each table costs one Fourier transform. The
    error is bounded at every point of the image by its integral over the plane of k.
    """
    plane = 2 * np.pi * k * k[1] * blur
    root = np.sqrt(plane)
    values, vectors = np.linalg.eigh((transforms * plane) @ transforms.T)
    tops = np.abs(transforms @ plane)
    for rank in range(1, len(values) + 1):
        mixing = vectors[:, -rank:].T
        tables = mixing @ transforms
        residual = np.abs(transforms - mixing.T @ tables) * root @ root
        if np.all(residual < LOW_RANK_ERROR * tops):
            break
    return mixing, tables
