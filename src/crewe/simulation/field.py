"""Which part of the plane an image of a specimen shows, and which atoms that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]
LARGEST_IMAGE_PX = 2**26


@dataclass(frozen=True)
class Field:
    """Field of view: position (x, y) of pixel (0, 0) in Å, shape in pixels, whether it repeats."""

    origin: tuple[float, float]
    shape: tuple[int, int]
    periodic: bool


def choose_field(
    atoms: Atoms,
    pixel_size_angstrom: float,
    shape: tuple[int, int] | None,
    margin_angstrom: float,
    periodic: bool | None,
) -> Field:
    """Field of a specimen: the bounding box of its cell in x and y, or of its atoms and a margin.

    A periodic specimen's field holds whole pixels only, so it may stop short of the period. Raises
    ImageError for a specimen without atoms, a periodic one without a cell along x and y, or an
    image beyond 2²⁶ pixels.
    """
    if len(atoms) == 0:
        raise ImageError("the specimen holds no atoms: nothing to image")
    vectors = np.asarray(atoms.cell)[:, :2]
    has_cell = _plane_vectors(vectors) is not None
    repeats = bool(atoms.pbc[:2].all() and has_cell) if periodic is None else periodic
    if repeats and not has_cell:
        raise ImageError("a periodic specimen needs two cell vectors that span the image plane")
    if has_cell:
        low = np.minimum(vectors, 0).sum(axis=0)
        extent = np.abs(vectors).sum(axis=0)
        found = [max(1, round(size / pixel_size_angstrom)) for size in extent[::-1]]
    else:
        places = atoms.positions[:, :2]
        low = places.min(axis=0) - margin_angstrom
        extent = np.ptp(places, axis=0) + 2 * margin_angstrom
        found = [math.ceil(size / pixel_size_angstrom) + 1 for size in extent[::-1]]
    rows, columns = shape or found
    if not 0 < rows * columns <= LARGEST_IMAGE_PX:
        raise ImageError(f"an image of {rows} × {columns} pixels: choose shape or pixel size")
    return Field((float(low[0]), float(low[1])), (rows, columns), repeats)


def images_within(
    atoms: Atoms, field: Field, pixel_size_angstrom: float, reach_angstrom: float
) -> tuple[NDArray[np.int64], Array]:
    """Atomic numbers and positions (n, 3), from the field's origin, that show in the field.

    Periodic specimens are repeated as far as `reach_angstrom` around it.
    """
    positions = np.asarray(atoms.positions, dtype=np.float64) - [*field.origin, 0.0]
    numbers = np.asarray(atoms.numbers, dtype=np.int64)
    if not field.periodic:
        return numbers, positions
    low = np.full(2, -reach_angstrom)
    high = np.array(field.shape[::-1]) * pixel_size_angstrom + reach_angstrom
    pair: Any = _plane_vectors(np.asarray(atoms.cell)[:, :2])
    parts = []
    for shift in _translations(pair, positions[:, :2], low, high):
        moved = positions[:, :2] + shift
        inside = np.all((moved >= low) & (moved <= high), axis=1)
        parts.append((numbers[inside], np.column_stack([moved, positions[:, 2]])[inside]))
    return np.concatenate([n for n, _ in parts]), np.concatenate([p for _, p in parts])


def _plane_vectors(vectors: Array) -> Array | None:
    """The two cell vectors of largest projected area, None where they span no plane."""
    best, area = None, 1e-6
    for i, j in ((0, 1), (0, 2), (1, 2)):
        found = abs(np.linalg.det(vectors[[i, j]]))
        # The first pair wins a tie: by custom c lies along the beam.
        if found > area * (1 + 1e-9):
            best, area = vectors[[i, j]], found
    return best


def _translations(pair: Array, places: Array, low: Array, high: Array) -> Array:
    """Lattice translations that may bring an atom into a box."""
    corners = np.array([[x, y] for x in (low[0], high[0]) for y in (low[1], high[1])])
    inverse = np.linalg.inv(pair)
    reached = corners @ inverse
    own = places @ inverse
    first = np.floor(reached.min(axis=0) - own.max(axis=0)).astype(int)
    last = np.ceil(reached.max(axis=0) - own.min(axis=0)).astype(int)
    steps = np.stack(
        np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(first, last, strict=True))), axis=-1
    )
    result: Array = steps.reshape(-1, 2) @ pair
    return result
