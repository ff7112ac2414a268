"""All dislocations of an image: triangles of neighbouring columns whose lattice steps do not close.

Every side of a Delaunay triangle is rounded to a translation of the lattice. Around a triangle of
good crystal the three add up to nothing; around a core they add up to a Burgers vector. Triangles
that do not close, or are too distorted to tell, are joined to patches, whose sums do not depend
on how the sides inside were rounded.
"""

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay

from crewe.atoms.lattice.burgers import circuit_columns
from crewe.atoms.lattice.results import FittedLattice
from crewe.atoms.lattice.translations import (
    lattice_translations,
    nearest_translation,
    shortest_vectors,
)
from crewe.atoms.stamps import Array, Index, Mask

# A side farther than this part of the shortest translation from any of the lattice is in doubt.
MISFIT = 0.3
# Longer sides than this many times the longest of a perfect triangle span a gap or the border.
LONGEST = 1.5


def dislocations(columns: pd.DataFrame, lattice: FittedLattice) -> pd.DataFrame:
    """Find every dislocation line seen end-on, with its place and Burgers vector.

    `columns` as for `burgers_vector`, whose sign and sense hold here too. Returns a table with x,
    y (Å, the middle of the distorted triangles of the core), burgers_a, burgers_b (multiples of a
    and b), burgers_x, burgers_y, burgers_length (Å) and extent (Å, from that middle to the
    farthest column of the patch). Patches that touch the border or a gap are left out, as what
    lies beyond is not known; dislocations nearer to one another than their cores are wide come as
    one, with the sum of their vectors. Burgers vectors along the beam show in no image.
    Raises PlanError where the cell has several kinds of sites and the table does not name them.
    """
    points = circuit_columns(columns, lattice)
    rows = []
    if len(points) > 3:
        moves = lattice_translations(lattice.cell)
        mesh = Delaunay(points)
        closure, doubtful, open_ended = _closures(points, mesh.simplices, lattice, moves)
        patches = _patches(mesh.simplices, doubtful | closure.any(axis=1))
        for number in range(patches.max(initial=-1) + 1):
            inside = np.flatnonzero(patches == number)
            total = np.round(closure[inside].sum(axis=0) * len(moves)) / len(moves)
            if total.any() and not open_ended[inside].any():
                rows.append(_row(points[mesh.simplices[inside]], total, lattice))
    names = ["x", "y", "burgers_a", "burgers_b", "burgers_x", "burgers_y", "burgers_length"]
    table = pd.DataFrame(rows, columns=[*names, "extent"], dtype=float)
    lengths = ("x", "y", "burgers_x", "burgers_y", "burgers_length", "extent")
    table.attrs["units"] = dict.fromkeys(lengths, "Å")
    return table


def _closures(
    points: Array, triangles: Index, lattice: FittedLattice, moves: Array
) -> tuple[Array, Mask, Mask]:
    """Burgers vector (T, 2) in cells of each triangle; which are in doubt, which too long."""
    basis = shortest_vectors(lattice.vectors, moves)
    corners = points[triangles]
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    clockwise = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0] > 0
    corners = np.where(clockwise[:, None, None], corners, corners[:, ::-1])
    sides = np.roll(corners, -1, axis=1) - corners
    steps = (sides @ np.linalg.inv(lattice.vectors)).reshape(-1, 2)
    counted = nearest_translation(steps, lattice.vectors, moves).reshape(sides.shape)
    misfit = np.linalg.norm(sides - counted @ lattice.vectors, axis=2).max(axis=1)
    closure = -counted.sum(axis=1)
    closure[np.abs(closure).max(axis=1) < 0.5 / len(moves)] = 0.0
    diagonals = np.linalg.norm([basis[0] + basis[1], basis[0] - basis[1]], axis=1)
    limit = LONGEST * max(diagonals.min(), float(np.linalg.norm(basis[1])))
    too_long = np.linalg.norm(sides, axis=2).max(axis=1) > limit
    doubtful = misfit > MISFIT * float(np.linalg.norm(basis[0]))
    return closure, doubtful | too_long, too_long


def _patches(triangles: Index, chosen: Mask) -> Index:
    """Number (T,) of the patch of each chosen triangle, joined by their columns; −1: no patch."""
    rows = np.repeat(np.flatnonzero(chosen), 3)
    corners = len(triangles) + triangles[chosen].ravel()
    size = len(triangles) + int(triangles.max()) + 1
    graph = coo_matrix((np.ones(len(rows)), (rows, corners)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    patches = np.full(len(triangles), -1, dtype=np.int64)
    patches[chosen] = np.unique(label[: len(triangles)][chosen], return_inverse=True)[1]
    return patches


def _row(corners: Array, fractions: Array, lattice: FittedLattice) -> list[float]:
    vector = fractions @ lattice.vectors
    middle = corners.reshape(-1, 2).mean(axis=0)
    extent = np.linalg.norm(corners - middle, axis=2).max()
    return [*middle, *fractions, *vector, float(np.linalg.norm(vector)), float(extent)]
