"""Where in the image a lattice starts: the patch of columns on which a cell fits best."""

from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from crewe.atoms.lattice.pose import PATCH, STRETCH, Crystal, Pose, find_pose
from crewe.atoms.stamps import Array, Index
from crewe.atoms.unit_cell import ProjectedCell

# Patches, spread over the image, on which each cell is tried.
PATCHES = 9


class Seed(NamedTuple):
    """A cell on a patch."""

    crystal: Crystal
    pose: Pose
    rows: Index
    """Columns of the patch, nearest to its middle first."""


def find_seeds(
    points: Array, brightness: Array, rows: Index, crystals: list[Crystal]
) -> list[Seed]:
    """The best pose of each cell on each of several patches of the columns `rows`, best first."""
    tree = cKDTree(points[rows])
    seeds = []
    for start in _spread_out(points[rows]):
        _, near = tree.query(points[rows][start], k=min(PATCH, len(rows)))
        patch = rows[np.atleast_1d(near)]
        for crystal in crystals:
            pose = find_pose(points[patch], brightness[patch], crystal)
            seeds.append(Seed(crystal, pose, patch))
    return sorted(seeds, key=lambda seed: -seed.pose.score)


def _spread_out(points: Array) -> list[int]:
    """The point nearest the middle, then ever the one farthest from those chosen."""
    apart = np.linalg.norm(points - np.median(points, axis=0), axis=1)
    chosen = [int(np.argmin(apart))]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    # patches at the very rim hold fewer directions: the farthest tenth is left out
    inner = apart <= np.quantile(apart, 0.9)
    while len(chosen) < min(PATCHES, 1 + len(points) // 8):
        farthest = int(np.argmax(np.where(inner, distance, -1.0)))
        chosen.append(farthest)
        distance = np.minimum(distance, np.linalg.norm(points - points[farthest], axis=1))
    return chosen


def strain_limit(crystal: Crystal, crystals: list[Crystal]) -> float:
    """Local strain up to which columns are taken for this crystal and not for another.

    STRETCH for a single cell; else half of what tells the cell from the most similar other.
    """
    others = [other for other in crystals if other is not crystal]
    apart = [_difference(crystal.cell, other.cell) for other in others]
    return min([STRETCH, *(max(0.01, 0.5 * value) for value in apart)])


def _difference(first: ProjectedCell, second: ProjectedCell) -> float:
    """Largest relative difference of the edges, or of the angle in radians."""
    edges = [np.sort([cell.a, cell.b]) for cell in (first, second)]
    angles = [np.deg2rad(90 - abs(90 - cell.angle_deg)) for cell in (first, second)]
    return float(max(np.abs(edges[0] / edges[1] - 1).max(), abs(angles[0] - angles[1])))
