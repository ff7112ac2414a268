"""Which columns surround a column in the ideal cell, and their rows in the table."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from crewe.atoms.lattice.results import IndexedColumns
from crewe.atoms.stamps import Array, Index
from crewe.atoms.unit_cell import ProjectedCell
from crewe.errors import PlanError

# Distances that differ by no more than this part belong to one shell: a polar cell puts its ion
# up to so much nearer to one side.
SAME_SHELL = 0.15
# Cells searched to each side; more than a shell of neighbours needs in any usual cell.
REACH = 2


class Shell(NamedTuple):
    """Neighbours of one site in the ideal cell."""

    sites: Index
    """Their sites (n,)."""
    cells: Index
    """Their cells (n, 2), counted from that of the site."""
    offsets: Array
    """Vectors (n, 2) to them in multiples of a and b."""


def sites_named(cell: ProjectedCell, names: Sequence[str]) -> Index:
    """Indices of the sites with one of these names; none where the cell has no such site."""
    return np.array([k for k, name in enumerate(cell.names) if name in names], dtype=np.int64)


def check_names(indexed: IndexedColumns, names: Sequence[str]) -> None:
    """Raise PlanError where no lattice has sites of all these names."""
    known = [sorted(set(lattice.cell.names)) for lattice in indexed.lattices]
    if not any(set(names) <= set(cell) for cell in known):
        given = "; ".join(", ".join(cell) for cell in known) or "none, as there is no lattice"
        raise PlanError(f"no cell has sites named {' and '.join(names)}: given are {given}")


def nearest_shell(
    cell: ProjectedCell, site: int, around: Sequence[str], count: int | None = None
) -> Shell:
    """The nearest neighbours named `around` of a site in the ideal cell.

    `count` of them, or by default all of the nearest shell, whose distances differ by up to 15 %.
    Raises PlanError where `count` would have to choose among equally distant ones.
    """
    whole = np.array(
        [[i, j] for i in range(-REACH, REACH + 1) for j in range(-REACH, REACH + 1)], dtype=np.int64
    )
    others = sites_named(cell, around)
    sites = np.repeat(others, len(whole))
    cells = np.tile(whole, (len(others), 1))
    offsets = cells + np.asarray(cell.sites, float)[sites] - cell.sites[site]
    distance = np.linalg.norm(offsets @ cell.vectors(), axis=1)
    order = np.argsort(distance, kind="stable")
    order = order[distance[order] > 0]
    distance = distance[order]
    if count is None:
        count = int(np.sum(distance <= (1 + SAME_SHELL) * distance[0]))
    _check_count(count, distance, cell.names[site], around)
    chosen = order[:count]
    return Shell(sites[chosen], cells[chosen], offsets[chosen])


def _check_count(count: int, distance: Array, name: str, around: Sequence[str]) -> None:
    if not 1 <= count < len(distance):
        raise PlanError(f"{count} neighbours about {name} were asked for: give 1 to 12")
    if distance[count] - distance[count - 1] < 1e-3:
        whole = np.flatnonzero(np.diff(distance) > 1e-3)[:3] + 1
        raise PlanError(
            f"{name} has no {count} nearest neighbours {' or '.join(around)}, as some are equally "
            f"far: ask for {', '.join(map(str, whole))}"
        )


def rows_of_site(table: pd.DataFrame, lattice: int, site: int) -> Index:
    """Rows of the columns that stand on a site of a lattice."""
    own = (table["lattice"].to_numpy() == lattice) & (table["site"].to_numpy() == site)
    return np.flatnonzero(own)


def neighbour_rows(table: pd.DataFrame, lattice: int, rows: Index, shell: Shell) -> Index:
    """Rows (N, n) of the neighbours of the columns in these rows; −1 where one is missing."""
    members = np.flatnonzero(table["lattice"].to_numpy() == lattice)
    place = table[["site", "cell_a", "cell_b"]].to_numpy(np.int64)
    row_of = dict(zip(map(tuple, place[members].tolist()), members.tolist(), strict=True))
    found = [
        [
            row_of.get((site, a + da, b + db), -1)
            for site, (da, db) in zip(shell.sites.tolist(), shell.cells.tolist(), strict=True)
        ]
        for _, a, b in place[rows].tolist()
    ]
    return np.array(found, dtype=np.int64).reshape(len(rows), len(shell.sites))
