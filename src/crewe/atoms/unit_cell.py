"""Types of columns from a projected unit cell laid over the image."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from crewe.atoms.stamps import Array, Index
from crewe.errors import PlanError, ReadError

# A column belongs to a site when it lies within this part of the least distance between sites.
TOLERANCE = 0.3
# The image may be calibrated wrongly, or strained, by this part, not by more.
STRETCH = 0.08
# Columns over which the orientation of the cell is searched.
PATCH = 60


@dataclass(frozen=True)
class ProjectedCell:
    """A unit cell seen along the beam.

    `a` and `b` are its edges in Å, `angle_deg` the angle between them; `sites` (S, 2) are
    fractional coordinates and `names` (S,) what stands there, which may repeat. Where the third
    dimension is known, `repeat_angstrom` is the period along the beam and `atoms` (S,) lists the
    element and the height (in periods, 0 to 1) of every atom of a site; heights grow along the
    beam. `climb` is what one step along a, and one along b, adds to these heights (in periods):
    zero, unless no cell of reasonable size repeats at the same height, as in a monoclinic crystal
    seen along an oblique axis.
    """

    a: float
    b: float
    angle_deg: float
    sites: Array
    names: tuple[str, ...]
    repeat_angstrom: float | None = None
    atoms: tuple[tuple[tuple[str, float], ...], ...] = ()
    climb: tuple[float, float] = (0.0, 0.0)

    def vectors(self) -> Array:
        """The edges as rows (x, y) in Å, a along x."""
        angle = np.deg2rad(self.angle_deg)
        return np.array([[self.a, 0.0], [self.b * np.cos(angle), self.b * np.sin(angle)]])


def read_projected_cell(path: str | Path) -> ProjectedCell:
    """Projected cell in StatSTEM's text format: `length_a`, `length_b`, `angle_ab`, an atom table.

    Lines `name a b` name the sites. Where a `length_c` and, under the word `zInfo`, one line of
    pairs `element height` per site follow, they become `repeat_angstrom` and `atoms`.
    Raises ReadError when the file is missing, holds no such cell or not one line for each site.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise ReadError(f"{path}: {error.strerror}; give a text file with a unit cell") from error
    rows = [line.replace(":", " ").replace("=", " ").split() for line in lines]
    third = next((n for n, row in enumerate(rows) if row and row[0].lower() == "zinfo"), len(rows))
    numbers, names, sites = _numbers_and_sites(rows[:third])
    if {"length_a", "length_b", "angle_ab"} - numbers.keys() or not sites:
        raise ReadError(
            f"{path}: no projected unit cell; needs lines length_a, length_b, angle_ab and one "
            "line 'name a b' with fractional coordinates per site"
        )
    a, b, angle = numbers["length_a"], numbers["length_b"], numbers["angle_ab"]
    repeat, heights = numbers.get("length_c"), _heights(rows[third + 1 :])
    if not (a > 0 and b > 0 and 0 < angle < 180 and (repeat is None or repeat > 0)):
        raise ReadError(
            f"{path}: lengths must be positive and the angle between 0 and 180°; given {a:g}, "
            f"{b:g}, {repeat or 0:g} Å and {angle:g}°"
        )
    if heights and len(heights) != len(sites):
        raise ReadError(
            f"{path}: {len(sites)} sites, but {len(heights)} lines under zInfo; give one line of "
            "'element height' pairs for each site, in their order"
        )
    known = heights if repeat is not None else ()
    return ProjectedCell(a, b, angle, np.array(sites, dtype=float), tuple(names), repeat, known)


def _numbers_and_sites(
    rows: list[list[str]],
) -> tuple[dict[str, float], list[str], list[list[float]]]:
    """Lines of a word and one number, and names and places of lines with two numbers."""
    numbers: dict[str, float] = {}
    names: list[str] = []
    sites: list[list[float]] = []
    for words in rows:
        values = [value for value in map(_number, words[1:3]) if value is not None]
        if len(values) == 2:
            names.append(words[0])
            sites.append(values)
        elif len(values) == 1:
            numbers[words[0].lower()] = values[0]
    return numbers, names, sites


def _heights(rows: list[list[str]]) -> tuple[tuple[tuple[str, float], ...], ...]:
    """Element and height of each atom, one row for each site."""
    found = []
    for words in rows:
        heights = [_number(word) for word in words[1::2]]
        pairs = zip(words[::2], heights, strict=False)
        atoms = tuple((name, height) for name, height in pairs if height is not None)
        if atoms:
            found.append(atoms)
    return tuple(found)


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def assign_sites(columns: pd.DataFrame, cell: ProjectedCell) -> pd.DataFrame:
    """The table with `type` and `site_name` from the cell; `type` −1 where no site is near.

    `columns` has `x`, `y` in Å. The orientation, handedness and origin of the cell are searched
    on the columns around the middle of the image, heavier elements on brighter columns where
    the geometry leaves a choice; from there the lattice is followed outwards and refined on the
    way, so that moderate strain and drift do not matter. Needs `height` or `scs` in the table.

    Raises PlanError when the cell fits fewer than three in five columns of the middle.
    """
    points = columns[["x", "y"]].to_numpy(float)
    brightness = columns["scs" if "scs" in columns else "height"].to_numpy(float)
    if len(points) < 4:
        raise PlanError(f"a unit cell needs at least 4 columns to lie on, {len(points)} given")
    tolerance = TOLERANCE * _least_distance(cell)
    origin, vectors = _best_pose(points, brightness, cell, tolerance)
    origin, vectors = _grow(points, cell, tolerance, origin, vectors)
    site, _, error = _nearest_site(points, cell, origin, vectors)
    kinds = {name: number for number, name in enumerate(dict.fromkeys(cell.names))}
    near = error < tolerance
    assigned = columns.copy()
    assigned.attrs = dict(columns.attrs)
    assigned["type"] = np.where(near, np.array([kinds[name] for name in cell.names])[site], -1)
    assigned["site_name"] = np.where(near, np.array(cell.names)[site], "")
    return assigned


def _least_distance(cell: ProjectedCell) -> float:
    shifts = np.array([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)])
    places = (cell.sites[:, None, :] + shifts).reshape(-1, 2) @ cell.vectors()
    distance, _ = cKDTree(places).query(cell.sites @ cell.vectors(), k=2)
    return float(distance[:, 1].min())


def _nearest_site(
    points: Array, cell: ProjectedCell, origin: Array, vectors: Array
) -> tuple[Index, Array, Array]:
    """Nearest site of each point, its place in the lattice (cells), and the distance to it."""
    cells = (points - origin) @ np.linalg.inv(vectors)
    offset = cells[:, None, :] - cell.sites[None, :, :]
    whole = np.round(offset)
    distance = np.linalg.norm((offset - whole) @ vectors, axis=2)
    site = np.argmin(distance, axis=1)
    rows = np.arange(len(points))
    return site, (whole[rows, site] + cell.sites[site]), distance[rows, site]


def _poses(cell: ProjectedCell, anchor: Array) -> Iterator[tuple[Array, Array]]:
    """Origin and vectors of the cell in every orientation that puts a site on the anchor."""
    for degrees in np.arange(0.0, 360.0, 1.0):
        angle = np.deg2rad(degrees)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        for hand in (1.0, -1.0):
            vectors = cell.vectors() * np.array([1.0, hand]) @ turn
            for site in cell.sites:
                yield anchor - site @ vectors, vectors


def _best_pose(
    points: Array, brightness: Array, cell: ProjectedCell, tolerance: float
) -> tuple[Array, Array]:
    """Origin and vectors under which most columns of the middle lie on sites."""
    middle = np.median(points, axis=0)
    near = np.argsort(np.linalg.norm(points - middle, axis=1))[:PATCH]
    patch, few = points[near], near[:20]
    bright, weight = brightness[few] - brightness[few].mean(), _weights(cell)

    def score(pose: tuple[Array, Array]) -> float:
        site, _, error = _nearest_site(points[few], cell, *pose)
        fit = float(np.sum(np.maximum(0.0, 1 - (error / tolerance) ** 2)))
        heavy = weight[site] - weight[site].mean()
        size = np.linalg.norm(heavy) * np.linalg.norm(bright)
        # a tie-break: no agreement in brightness outweighs one misplaced column
        return fit + (0.5 * float(heavy @ bright / size) if size > 0 else 0.0)

    best = max(_poses(cell, patch[0]), key=score)
    _, _, error = _nearest_site(patch, cell, *_refine(patch, cell, *best, tolerance))
    if np.mean(error < tolerance) < 0.6:
        raise PlanError(
            f"the unit cell {cell.a:g} × {cell.b:g} Å fits {np.mean(error < tolerance):.0%} of the "
            "columns in the middle of the image; check the calibration and the zone axis"
        )
    return best


def _weights(cell: ProjectedCell) -> Array:
    """Atomic number of each site, 0 where its name is no element."""
    from ase.data import atomic_numbers

    return np.array([float(atomic_numbers.get(name, 0)) for name in cell.names])


def _refine(
    points: Array, cell: ProjectedCell, origin: Array, vectors: Array, tolerance: float
) -> tuple[Array, Array]:
    """Affine least-squares fit of the lattice to the points that lie on it."""
    _, place, error = _nearest_site(points, cell, origin, vectors)
    near = error < tolerance
    if near.sum() < 6:
        return origin, vectors
    design = np.concatenate([place[near], np.ones((near.sum(), 1))], axis=1)
    solution, *_ = np.linalg.lstsq(design, points[near], rcond=None)
    stretch = np.linalg.norm(solution[:2], axis=1) / np.linalg.norm(cell.vectors(), axis=1)
    if np.abs(stretch - 1).max() > STRETCH:
        return origin, vectors
    return solution[2], solution[:2]


def _grow(
    points: Array, cell: ProjectedCell, tolerance: float, origin: Array, vectors: Array
) -> tuple[Array, Array]:
    """Refine the lattice on ever larger discs around the middle."""
    distance = np.linalg.norm(points - np.median(points, axis=0), axis=1)
    order = np.argsort(distance)
    size = 20
    while True:
        for _ in range(2):
            disc = points[order[:size]]
            origin, vectors = _refine(disc, cell, origin, vectors, tolerance)
        if size >= len(points):
            return origin, vectors
        size = min(2 * size, len(points))
