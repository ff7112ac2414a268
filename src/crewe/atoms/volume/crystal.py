"""Neighbours in the undisturbed crystal, by which those in a model are judged."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from crewe.atoms.stamps import Array
from crewe.atoms.unit_cell import ProjectedCell

# Distances that differ by less than this part belong to one shell, as in a tetragonal cell.
SHELL = 0.05
# Atoms of one column lie within this, in Å, of each other across the beam.
SAME_COLUMN = 0.3


class CellAtoms(NamedTuple):
    """The atoms of one period of a cell."""

    element: list[str]
    site: list[int]
    position: Array
    """Places (N, 3) in Å, z along the beam."""
    vectors: Array
    """Edges (3, 3) in Å as rows."""


def cell_atoms(
    cell: ProjectedCell, sites: Collection[int], elements: Collection[str] | None = None
) -> CellAtoms:
    """The atoms of some sites of a cell whose heights are known; of some elements if named."""
    chosen = [
        (element, site, height)
        for site in sorted(set(sites))
        for element, height in cell.atoms[site]
        if elements is None or element in elements
    ]
    period = float(cell.repeat_angstrom or 0.0)
    vectors = np.zeros((3, 3))
    vectors[:2, :2], vectors[2, 2] = cell.vectors(), period
    vectors[:2, 2] = np.array(cell.climb) * period
    across = np.array([cell.sites[site] for _, site, _ in chosen]) @ cell.vectors()
    height = np.array([height for *_, height in chosen]) * period
    return CellAtoms(
        [element for element, *_ in chosen],
        [site for _, site, _ in chosen],
        np.column_stack([across, height]),
        vectors,
    )


def neighbour_distances(atoms: CellAtoms, *, across: bool = False) -> list[Array]:
    """Distances in Å, rising, from each atom to all within two of the shortest edges.

    With `across` only atoms of other columns are neighbours.
    """
    reach = 2 * float(np.linalg.norm(atoms.vectors, axis=1).min()) * (1 + SHELL)
    # Every other edge's distance between lattice planes says how many cells reach that far.
    whole = np.ceil(reach * np.linalg.norm(np.linalg.inv(atoms.vectors), axis=0)).astype(int)
    shifts = np.indices(2 * whole + 1).reshape(3, -1).T - whole
    crystal = (atoms.position[:, None] + shifts @ atoms.vectors).reshape(-1, 3)
    found = []
    for place, near in zip(
        atoms.position, cKDTree(crystal).query_ball_point(atoms.position, reach), strict=True
    ):
        offset = crystal[near] - place
        distance = np.linalg.norm(offset, axis=1)
        apart = np.linalg.norm(offset[:, :2], axis=1) if across else distance
        found.append(np.sort(distance[apart > SAME_COLUMN]))
    return found


def beyond_first_shell(distances: list[Array]) -> float:
    """Radius in Å within which every atom has its nearest neighbours, and none of the next.

    Half-way between the shell of the atom whose nearest neighbour is farthest and the next
    distance that any atom has.
    """
    farthest = max(float(near[0]) for near in distances)
    every = np.unique(np.concatenate(distances))
    every = every[every >= farthest * (1 - 1e-9)]
    steps = np.flatnonzero(every[1:] > every[:-1] * (1 + SHELL))
    return float(every[steps[0] : steps[0] + 2].mean())


def bulk_coordination(
    atoms: CellAtoms, distances: list[Array], radius: float
) -> dict[tuple[int, str], int]:
    """Neighbours within a radius in Å of an atom of each site and element in the crystal."""
    bulk: dict[tuple[int, str], int] = {}
    for site, element, near in zip(atoms.site, atoms.element, distances, strict=True):
        count = int(np.count_nonzero(near < radius))
        bulk[site, element] = max(count, bulk.get((site, element), 0))
    return bulk
