"""Lay one or several unit cells over the columns: each column's place in its lattice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from crewe.atoms.lattice.competition import share_out
from crewe.atoms.lattice.fitting import Refine
from crewe.atoms.lattice.growth import (
    AROUND,
    Grown,
    grow,
    neighbours,
    nothing_grown,
    sow,
)
from crewe.atoms.lattice.indexed_table import Member, indexed_columns
from crewe.atoms.lattice.misfit import misfit_message
from crewe.atoms.lattice.one_line import check_two_directions, one_line
from crewe.atoms.lattice.placement import nearest_sites
from crewe.atoms.lattice.pose import SHARE, STRETCH, Crystal
from crewe.atoms.lattice.results import IndexedColumns
from crewe.atoms.lattice.seeds import Seed, find_seeds, strain_limit
from crewe.atoms.stamps import Array, Index, Mask
from crewe.atoms.unit_cell import ProjectedCell
from crewe.errors import PlanError

Progress = Callable[[str, float], None]

# Columns of the best patch that start the growth.
START = 20
# Patches from which a lattice is grown, unless it already reaches this part of the columns.
TRIALS, ENOUGH = 4, 0.8
# Columns that any lattice must have, and that make a further one.
FEWEST, FURTHER = 4, 10


class _Columns(NamedTuple):
    """What indexing needs of the rows that have a place."""

    rows: Index
    points: Array
    brightness: Array
    around: Index


def index_columns(
    columns: pd.DataFrame,
    cells: ProjectedCell | Sequence[ProjectedCell],
    *,
    most_lattices: int = 1,
    refine: Refine = "lattice",
    progress: Progress | None = None,
) -> IndexedColumns:
    """Give each column its site and its cell in a lattice that follows the image.

    `columns` has `x`, `y` in Å, and may have `x_std`, `y_std`, `scs` or `height`, and `flag`;
    `cells` are the phases that the image may hold. On patches all over the image each cell is
    tried in every turn, mirrored or not; heavier sites go on brighter columns where geometry
    leaves a choice. From the best patch the lattice is followed column by column through strain
    (up to 12 % from the cell; between several cells up to half their difference), drift and
    around dislocations. Columns left over start further lattices, up to `most_lattices`: other
    phases, grains or twins; a column that several reach goes to the one that places it best.
    Then one straight lattice is fitted to each (`fit_lattice`): with `refine` "lattice" a, b and
    their angle are free, "scale" keeps the shape of the cell, "rotation" its lengths too. Cell
    (0, 0) is the one in the middle of its columns.

    Rows without a place (NaN) and columns that fit no lattice have `lattice` −1. Raises
    PlanError for fewer than 4 columns, for columns that all lie on one line, and for cells that
    lie on fewer than three in five columns of every patch; it says what the image has, and
    whether another calibration fits.
    """
    crystals = _checked(cells, most_lattices, refine)
    data = _usable(columns)
    report = progress or _silent
    reached: list[tuple[Crystal, Grown]] = []
    free = np.ones(len(data.points), dtype=bool)
    while len(reached) < most_lattices:
        report("indexing columns", len(reached) / (most_lattices + 1))
        largest = _largest(data, free, crystals, first=not reached)
        if largest is None:
            break
        reached.append(largest)
        free &= largest[1].site < 0
    report("fitting lattices", most_lattices / (most_lattices + 1))
    _fill(data, reached)
    owner = share_out(reached, data.around)
    members = [
        Member(crystal, data.rows[owner == n], *_own(grown, owner == n))
        for n, (crystal, grown) in enumerate(reached)
    ]
    members = _in_two_directions(data, members)
    report("fitting lattices", 1.0)
    return indexed_columns(columns, members, refine)


def _silent(stage: str, fraction: float) -> None:
    """Hear nothing."""


def _own(grown: Grown, mine: Mask) -> tuple[Index, Index]:
    return grown.site[mine], grown.cell[mine]


def _checked(
    cells: ProjectedCell | Sequence[ProjectedCell], most_lattices: int, refine: str
) -> list[Crystal]:
    listed = [cells] if isinstance(cells, ProjectedCell) else list(cells)
    if not listed:
        raise PlanError("no unit cell to lay over the columns: give at least one")
    if most_lattices < 1:
        raise PlanError(f"most_lattices must be 1 or more, {most_lattices} given")
    if refine not in ("lattice", "scale", "rotation"):
        raise PlanError(f"refine = {refine!r} is unknown: give 'lattice', 'scale' or 'rotation'")
    for cell in listed:
        if len(cell.sites) == 0 or not cell.a * cell.b * np.sin(np.deg2rad(cell.angle_deg)) > 0:
            raise PlanError(
                f"a cell of {cell.a:g} × {cell.b:g} Å, {cell.angle_deg:g}° with "
                f"{len(cell.sites)} sites has no columns: give positive edges, an angle between "
                "0 and 180° and one site or more"
            )
    return [Crystal.of(cell) for cell in listed]


def _usable(columns: pd.DataFrame) -> _Columns:
    points = columns[["x", "y"]].to_numpy(float)
    rows = np.flatnonzero(np.isfinite(points).all(axis=1))
    if len(rows) < FEWEST:
        raise PlanError(f"a unit cell needs at least {FEWEST} columns to lie on, {len(rows)} given")
    check_two_directions(points[rows])
    name = next((name for name in ("scs", "height") if name in columns), None)
    brightness = np.zeros(len(rows)) if name is None else columns[name].to_numpy(float)[rows]
    known = np.isfinite(brightness)
    middle = np.median(brightness[known]) if known.any() else 0.0
    brightness = np.where(known, brightness, middle)
    points = np.ascontiguousarray(points[rows])
    return _Columns(rows, points, brightness, neighbours(points))


def _in_two_directions(data: _Columns, members: list[Member]) -> list[Member]:
    """Members whose columns fix both edges; raises PlanError where there are only others."""
    enough = [member for member in members if len(member.rows) >= FEWEST]
    kept = [one for one in enough if np.linalg.matrix_rank(np.diff(one.places(), axis=0)) == 2]
    if enough and not kept:
        largest = max(enough, key=lambda member: len(member.rows))
        raise one_line(data.points[np.isin(data.rows, largest.rows)])
    return kept


def _largest(
    data: _Columns, free: Mask, crystals: list[Crystal], first: bool
) -> tuple[Crystal, Grown] | None:
    """The lattice that reaches most free columns from one of the best patches.

    None when no cell fits what is left or a further lattice stays small; raises when it is the
    first.
    """
    rows, fewest = np.flatnonzero(free), FEWEST if first else FURTHER
    if len(rows) < fewest:
        return None
    seeds = find_seeds(data.points, data.brightness, rows, crystals)
    fitting = [seed for seed in seeds if seed.pose.fits()]
    best, most = None, fewest - 1
    for seed in fitting[:TRIALS]:
        grown = _followed(data, seed, free, crystals)
        count = int(((grown.site >= 0) & free).sum())
        if count > most:
            best, most = (seed.crystal, grown), count
        if most > ENOUGH * len(rows):
            break
    if best is None and first:
        raise _misfit(data, seeds, crystals)
    return best


def _misfit(data: _Columns, seeds: list[Seed], crystals: list[Crystal]) -> PlanError:
    best = seeds[0]
    patches = [(data.points[seed.rows], data.brightness[seed.rows]) for seed in seeds]
    return PlanError(misfit_message(patches, crystals, best.pose, best.crystal))


def _followed(data: _Columns, seed: Seed, free: Mask, crystals: list[Crystal]) -> Grown:
    """The lattice grown from a seed."""
    # at the border two lattices may claim a column, and the better one gets it; other cells keep
    # to themselves by their strain
    near = free[data.around[:, :AROUND]].any(axis=1)
    allowed = np.full_like(free, True) if len(crystals) > 1 else free | near
    grown = nothing_grown(len(data.points))
    bounds = (_reference(seed, crystals), strain_limit(seed.crystal, crystals))
    sow(grown, data.points, seed.rows[:START], seed.crystal, seed.pose.origin, seed.pose.vectors)
    grow(grown, data.points, data.around, allowed, seed.crystal, *bounds)
    if _adopt_islands(data, grown, free, seed.crystal):
        grow(grown, data.points, data.around, allowed, seed.crystal, *bounds)
    return grown


def _reference(seed: Seed, crystals: list[Crystal]) -> Array:
    """Edges from which the lattice may differ by strain."""
    edges = seed.crystal.vectors
    if len(crystals) > 1:
        # they are told apart by their lengths
        return edges
    # one cell may be calibrated wrongly; the strain of the patch is only its own
    area = np.linalg.det(seed.pose.vectors) / np.linalg.det(edges)
    return np.asarray(edges * np.sqrt(abs(area)))


def _fill(data: _Columns, reached: list[tuple[Crystal, Grown]]) -> None:
    """Let each lattice have, strained as they are, the columns that no cell claimed."""
    for crystal, grown in reached:
        left = np.all([other.site < 0 for _, other in reached], axis=0)
        if left.any() and len(reached) > 1:
            grow(grown, data.points, data.around, left, crystal, crystal.vectors, 2 * STRETCH)


def _adopt_islands(data: _Columns, grown: Grown, free: Mask, crystal: Crystal) -> bool:
    """Index columns beyond gaps that lie, with those around them, on the straight lattice."""
    inside = grown.site >= 0
    if not inside.any():
        return False
    place = grown.cell[inside] + crystal.sites[grown.site[inside]]
    design = np.column_stack([place, np.ones(len(place))])
    solution, _, rank, _ = np.linalg.lstsq(design, data.points[inside], rcond=None)
    vectors = np.array(solution[:2], dtype=np.float64)
    if rank < 3:
        return False
    origin = np.array(solution[2], dtype=np.float64)
    _, _, error = nearest_sites(data.points, origin, vectors, crystal.sites)
    near = error < 0.6 * crystal.tolerance
    together = near[data.around[:, :AROUND]].mean(axis=1) >= SHARE
    rows = np.flatnonzero(free & ~inside & near & together)
    sow(grown, data.points, rows, crystal, origin, vectors, part=0.6)
    return len(rows) > 0
