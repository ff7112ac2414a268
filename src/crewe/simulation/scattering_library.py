"""Libraries of scattering cross-section against thickness from our own multislice.

One run through a crystal that is as thick as the library is long; after every atom of a column the
image is integrated over the column's Voronoi cell. Cross-sections: H. E et al., Ultramicroscopy 133
(2013) 109, doi:10.1016/j.ultramic.2013.07.002.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from crewe.errors import SpecimenError
from crewe.physics.optics import Optics
from crewe.simulation.field import Field
from crewe.simulation.multislice import AnnularDetector, MultisliceSettings, annular_series
from crewe.specimens.orthogonal_cell import orthogonal_crystal

if TYPE_CHECKING:
    import xarray as xr
    from ase import Atoms

Array = NDArray[np.float64]

MERGE_ANGSTROM = 0.3
"""Atoms closer than this in projection stand in one column."""
SMALLEST_ANGSTROM = 14.0
"""Least extent of the simulated crystal across the beam."""
USUAL = MultisliceSettings(vibration_angstrom=0.08, configurations=4, window_angstrom=8.0)
"""A metal at room temperature, for a HAADF detector."""
PIXEL_ANGSTROM = 0.15
POINT_ANGSTROM = 0.05
"""Spacing of the points over which a Voronoi cell is summed."""


@dataclass(frozen=True)
class Column:
    """One column of a cell with right angles."""

    name: str
    """Its elements, the heaviest first, such as Sr or TiO."""
    place: tuple[float, float]
    """Position (x, y) in Å."""
    heights: tuple[float, ...]
    """Heights in Å of its atoms of the heaviest element within one period."""


def simulated_library(
    atoms: Atoms,
    zone_axis: tuple[int, int, int] | None,
    optics: Optics,
    detector: AnnularDetector,
    rng: Generator,
    *,
    most_atoms: int = 20,
    settings: MultisliceSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, xr.DataArray]:
    """Cross-section in Å² of 1 … `most_atoms` atoms in each kind of column of a crystal.

    `atoms` is a crystal with a cell, `zone_axis` [uvw] points along the beam. Keys are the elements
    of a column, the heaviest first; it is the atoms of the heaviest that are counted. Columns of
    the same elements and number of atoms per period are averaged. `settings` tell vibration
    (by default 0.08 Å; of a crystal at rest the layers interfere, and the library is wrong) and
    number of phonon configurations, whose displacements `rng` draws; their slice thickness is an
    upper limit. A library ends where it stops to rise. `progress` hears blocks done and all.

    Raises SpecimenError for a crystal that has no such cell, and what `annular_series` raises.
    """
    if most_atoms < 2:
        raise SpecimenError(f"a library of {most_atoms} atoms: ask for at least 2")
    settings = settings or USUAL
    cell, slices = _with_layers(orthogonal_crystal(atoms, zone_axis), settings)
    columns = columns_of(cell)
    edges = np.diag(np.asarray(cell.cell))
    periods = max(math.ceil(most_atoms / len(one.heights)) for one in columns)
    across = [math.ceil(max(SMALLEST_ANGSTROM, settings.window_angstrom or 0) / edges[0])]
    across += [math.ceil(max(SMALLEST_ANGSTROM, settings.window_angstrom or 0) / edges[1])]
    thickness = float(edges[2]) / slices
    exits = {id(one): exit_slices(one, thickness, slices, most_atoms) for one in columns}
    planes = sorted({plane for places in exits.values() for plane in places})
    series = annular_series(
        cell * (*across, periods),
        optics,
        [detector],
        PIXEL_ANGSTROM,
        rng,
        settings=replace(settings, slice_thickness_angstrom=thickness * (1 + 1e-6)),
        thicknesses_angstrom=[thickness * (plane + 1) for plane in planes],
        field=Field((0.0, 0.0), _shape(edges), True),
        repeats=(across[0], across[1]),
        progress=progress,
    )
    places = np.array([one.place for one in columns])
    sums = column_integrals(series.to_numpy()[:, 0], PIXEL_ANGSTROM, edges[:2], places)
    rows = [[planes.index(plane) for plane in exits[id(one)]] for one in columns]
    curves = [sums[row, number] for number, row in enumerate(rows)]
    return _by_kind(columns, curves, detector)


def _shape(edges: Array) -> tuple[int, int]:
    """Pixels (y, x) that cover the cell and one more, to interpolate up to its edge."""
    x, y = (math.ceil(float(edge) / PIXEL_ANGSTROM) + 1 for edge in edges[:2])
    return y, x


def _with_layers(cell: Atoms, settings: MultisliceSettings) -> tuple[Atoms, int]:
    """The crystal moved along z so that no slice cuts through a layer, and the slices of a period.

    Layers that lie closer than a slice fall in one; atoms next to an edge of a slice would come to
    lie before or behind it by rounding.
    """
    period = float(cell.cell[2, 2])
    slices = math.ceil(period / settings.slice_thickness_angstrom - 1e-6)
    thickness = period / slices
    heights = cell.positions[:, 2] % thickness
    gaps = np.linspace(0, thickness, 200, endpoint=False)
    away = np.abs((heights[:, None] + gaps) % thickness - 0.5 * thickness).max(axis=0)
    moved = cell.copy()
    moved.positions[:, 2] += gaps[np.argmin(away)]
    moved.wrap(pbc=True)
    return moved, slices


def columns_of(cell: Atoms) -> list[Column]:
    """Columns of a crystal in a cell with right angles."""
    edges = np.diag(np.asarray(cell.cell))
    left = list(range(len(cell)))
    found = []
    while left:
        first = cell.positions[left[0], :2]
        apart = cell.positions[left, :2] - first
        apart -= edges[:2] * np.round(apart / edges[:2])
        near = np.hypot(*apart.T) < MERGE_ANGSTROM
        members = [atom for atom, inside in zip(left, near, strict=True) if inside]
        left = [atom for atom, inside in zip(left, near, strict=True) if not inside]
        place = (first + apart[near].mean(axis=0)) % edges[:2]
        found.append(_column(cell, members, place))
    return found


def _column(cell: Atoms, members: list[int], place: Array) -> Column:
    numbers = cell.numbers[members]
    symbols = {cell.numbers[atom]: cell.symbols[atom] for atom in members}
    heavy = [
        float(cell.positions[atom, 2]) for atom in members if cell.numbers[atom] == max(numbers)
    ]
    name = "".join(symbols[number] for number in sorted(symbols, reverse=True))
    return Column(name, (float(place[0]), float(place[1])), tuple(sorted(heavy)))


def exit_slices(column: Column, thickness: float, slices: int, most: int) -> list[int]:
    """Slice, from 0, after which the column has 1, 2, … `most` atoms.

    Raises SpecimenError where one slice holds two of its atoms.
    """
    own = [int(height / thickness) for height in column.heights]
    if len(set(own)) < len(own):
        raise SpecimenError(
            f"a slice of {thickness:.2f} Å holds two atoms of a {column.name} column: use a "
            "smaller slice_thickness_angstrom"
        )
    found = [period * slices + one for period in range(most) for one in own]
    return found[:most]


def column_integrals(images: Array, pixel_angstrom: float, edges: Array, places: Array) -> Array:
    """Integrals (T, N) of images (T, y, x) over the Voronoi cells of N places (x, y) in Å.

    The images show one cell of a crystal with `edges` (x, y), whose corner is pixel (0, 0), and a
    little more; the places repeat with it.
    """
    steps = [math.ceil(float(edge) / POINT_ANGSTROM) for edge in edges]
    along = [(np.arange(step) + 0.5) * edge / step for step, edge in zip(steps, edges, strict=True)]
    x, y = np.meshgrid(*along)
    nearest = _nearest(x.ravel(), y.ravel(), edges, places)
    area = float(edges[0] * edges[1]) / (steps[0] * steps[1])
    at = np.stack([y.ravel(), x.ravel()]) / pixel_angstrom
    sums = [
        np.bincount(nearest, ndimage.map_coordinates(image, at, order=1), len(places))
        for image in images
    ]
    return np.asarray(np.array(sums) * area, dtype=np.float64)


def _nearest(x: Array, y: Array, edges: Array, places: Array) -> NDArray[np.int64]:
    """Index (n,) of the place nearest to each point of a periodic cell."""
    best, square = np.zeros(len(x), int), np.full(len(x), np.inf)
    for number, place in enumerate(places):
        dx, dy = x - place[0], y - place[1]
        dx -= edges[0] * np.round(dx / edges[0])
        dy -= edges[1] * np.round(dy / edges[1])
        closer = dx**2 + dy**2 < square
        best[closer], square[closer] = number, (dx**2 + dy**2)[closer]
    return best


def _by_kind(
    columns: list[Column], curves: list[Array], detector: AnnularDetector
) -> dict[str, xr.DataArray]:
    """Mean curve of each kind of column, by its name; a second kind of a name gets a number."""
    kinds: dict[tuple[str, int], list[Array]] = {}
    for column, curve in zip(columns, curves, strict=True):
        kinds.setdefault((column.name, len(column.heights)), []).append(curve)
    libraries: dict[str, xr.DataArray] = {}
    for (name, _), members in kinds.items():
        number = sum(known.split()[0] == name for known in libraries) + 1
        key = name if number == 1 else f"{name} {number}"
        libraries[key] = _library(np.mean(members, axis=0), key, detector)
    return libraries


def _library(curve: Array, name: str, detector: AnnularDetector) -> xr.DataArray:
    import xarray as xr

    falls = np.diff(curve) <= 0
    rising = curve[: int(np.argmax(falls)) + 1] if falls.any() else curve
    library = xr.DataArray(rising, {"atoms": np.arange(1, len(rising) + 1)}, ("atoms",), "scs")
    return library.assign_attrs(
        units="Å²",
        source="multislice",
        column=name,
        inner_mrad=detector.inner_mrad,
        outer_mrad=detector.outer_mrad,
    )
