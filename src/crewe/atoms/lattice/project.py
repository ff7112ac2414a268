"""A crystal seen along a zone axis, as the cell that its columns repeat with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse.csgraph import connected_components

from crewe.atoms.lattice.primitive import primitive_crystal
from crewe.atoms.lattice.view import chosen_change, filled, seen_along
from crewe.atoms.stamps import Array, Index
from crewe.atoms.unit_cell import ProjectedCell, read_projected_cell
from crewe.errors import PlanError
from crewe.io import read_atoms

if TYPE_CHECKING:
    from ase import Atoms

STRUCTURES = (".cif", ".xyz", ".extxyz")
# Rounding of fractional coordinates in files.
SNAP = 1e-4


class _Column(NamedTuple):
    place: Array
    atoms: tuple[tuple[str, float], ...]
    name: str
    weight: float


def read_cell(
    path: str | Path, zone_axis: tuple[int, int, int] | None = None, *, merge_angstrom: float = 0.3
) -> ProjectedCell:
    """Projected cell from a crystal (.cif, .xyz with a cell) or from a text file of a cell.

    A crystal is projected along `zone_axis`, by default [001], as `project_cell` says; any other
    file is read by `read_projected_cell` and has its zone axis in it. Raises ReadError, and
    PlanError for a zone axis with a file that needs none.
    """
    if Path(path).suffix.lower() in STRUCTURES:
        axis = (0, 0, 1) if zone_axis is None else zone_axis
        return project_cell(read_atoms(path), axis, merge_angstrom=merge_angstrom)
    if zone_axis is not None:
        raise PlanError(
            f"{path}: a projected cell is already seen along its zone axis, {list(zone_axis)} "
            "cannot be chosen; leave it out, or give the crystal as a CIF file"
        )
    return read_projected_cell(path)


def project_cell(
    atoms: Atoms, zone_axis: Sequence[int] = (0, 0, 1), *, merge_angstrom: float = 0.3
) -> ProjectedCell:
    """Cell of the columns that a crystal shows along a zone axis [uvw] of the cell given.

    The smallest cell that repeats in projection with the same atoms at the same heights:
    translations that the cell given does not show (centring) are found from the atoms, those
    that only a screw or glide along the beam gives are none. Where this lattice is centred
    rectangular the cell is the rectangle, as usual for fcc [110]; else its two shortest vectors
    at 90° to 120°, or the edges of the cell given where they lie in the plane and are no larger.
    a is the longer one (with edges of the cell given: in their order) and x the direction in
    which it points; a, b and the beam are right-handed. Where heights repeat only in more than
    six cells or never, the smallest cell in projection is taken and `climb` says how they change.

    Atoms closer in projection than `merge_angstrom` (chained) are one column, at their mean
    weighted by Z², named by its elements by falling Z ("Ti O"). Sites are in order of falling Z;
    the first is the origin, and its first atom height 0. Raises PlanError for atoms without a
    cell, indices that are no direction, and axes along which columns are not separate.
    """
    axis = _checked_axis(zone_axis)
    if not merge_angstrom > 0:
        raise PlanError(f"merge_angstrom must be positive, {merge_angstrom:g} Å given: give 0.3")
    view = seen_along(primitive_crystal(atoms), np.array(atoms.cell.array), axis)
    change = chosen_change(view, np.array(atoms.cell.array), axis)
    vectors = change @ view.plane
    placed, heights, numbers = filled(view, change)
    climb = change @ view.climb
    climb = climb - np.round(climb)
    climb = np.where(np.abs(climb) < 1e-3, 0.0, climb)
    groups = _merged(placed, vectors, merge_angstrom, axis)
    columns = [_column(placed, heights, numbers, group, vectors, climb) for group in groups]
    return _assembled(columns, vectors, climb, view.repeat)


def _checked_axis(zone_axis: Sequence[int]) -> tuple[int, int, int]:
    values = np.asarray(zone_axis)
    if values.shape != (3,) or not np.all(np.equal(np.mod(values, 1), 0)) or not values.any():
        raise PlanError(
            f"{list(zone_axis)} is no zone axis: give three whole numbers u, v, w that are not "
            "all zero, the direction u·a + v·b + w·c"
        )
    u, v, w = (int(value) for value in values)
    common = math.gcd(u, v, w)
    return u // common, v // common, w // common


def _merged(parts: Array, vectors: Array, merge: float, axis: tuple[int, int, int]) -> list[Index]:
    """Rows of the atoms of each column."""
    apart = parts[:, None] - parts[None]
    distance = np.linalg.norm((apart - np.round(apart)) @ vectors, axis=-1)
    count, label = connected_components(distance < merge, directed=False)
    groups = [np.flatnonzero(label == n) for n in range(count)]
    longest = max(distance[np.ix_(group, group)].max() for group in groups)
    if longest > 2 * merge or np.linalg.norm(vectors, axis=1).min() < 3 * merge:
        raise PlanError(
            f"along {list(axis)} atoms follow each other so closely that merging those within "
            f"{merge:g} Å leaves no separate columns: give a zone axis of lower indices or a "
            "smaller merge_angstrom"
        )
    return groups


def _column(
    parts: Array, heights: Array, numbers: Index, group: Index, vectors: Array, climb: Array
) -> _Column:
    from ase.data import chemical_symbols

    whole = np.round(parts[group] - parts[group[0]])
    own, level = parts[group] - whole, heights[group] - whole @ climb
    weight = numbers[group].astype(float) ** 2
    place = weight @ own / weight.sum()
    order = np.lexsort((np.round(level % 1.0, 6) % 1.0, -numbers[group]))
    atoms = tuple((chemical_symbols[numbers[group[n]]], float(level[n])) for n in order)
    name = " ".join(dict.fromkeys(symbol for symbol, _ in atoms))
    return _Column(place, atoms, name, float(numbers[group].max() + 1e-3 * numbers[group].sum()))


def _assembled(
    columns: list[_Column], vectors: Array, climb: Array, repeat: float
) -> ProjectedCell:
    """The cell with its heaviest column as origin."""
    first = min(columns, key=lambda c: (-c.weight, *np.round(c.place % 1.0, 4)))
    level = first.atoms[0][1]
    sites, heights = [], []
    for column in columns:
        moved = column.place - first.place
        # a third in a file is 0.3333: what is that close below an edge lies on it
        whole = np.floor(moved + SNAP)
        sites.append(np.where(moved - whole < SNAP, 0.0, moved - whole))
        lift = level + float(whole @ climb)
        heights.append(tuple((name, _unit(height - lift)) for name, height in column.atoms))
    order = sorted(
        range(len(columns)), key=lambda n: (-columns[n].weight, *np.round(sites[n], 3).tolist())
    )
    a, b = np.linalg.norm(vectors, axis=1)
    angle = float(np.rad2deg(np.arccos(vectors[0] @ vectors[1] / (a * b))))
    return ProjectedCell(
        float(a),
        float(b),
        round(angle, 6),
        np.array([sites[n] for n in order]),
        tuple(columns[n].name for n in order),
        repeat,
        tuple(heights[n] for n in order),
        (float(climb[0]), float(climb[1])),
    )


def _unit(height: float) -> float:
    """Height from 0 up to, not including, 1 period."""
    inside = height % 1.0
    return 0.0 if inside > 1 - SNAP or inside < SNAP else float(inside)
