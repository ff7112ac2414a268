"""Where a cell may lie on a patch of columns: every turn, either hand, any site on the first."""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.spatial import Delaunay, QhullError, cKDTree

from crewe.atoms.lattice.placement import correlation, nearest_sites, stretch, turned
from crewe.atoms.lattice.sites import least_distance, site_weights
from crewe.atoms.stamps import Array, Index
from crewe.atoms.unit_cell import ProjectedCell

# A column belongs to a site when it lies within this part of the least distance between sites.
TOLERANCE = 0.3
# The image may be calibrated wrongly, or strained, by this part, not by more.
STRETCH = 0.12
# Columns on which a pose is judged, and those among them on which it is first looked for.
PATCH, FEW = 60, 10
# Poses that are worth fitting to the patch.
CANDIDATES = 48
STEP_DEG = 1.0
# Agreement in brightness, and bright sites that stay empty, against a column out of place.
BRIGHTNESS = 0.3
EMPTY = 0.3
# A cell fits a patch when this part lies on sites, and on average this well; not when it must be
# stretched as well as left empty in part, as another cell must be.
SHARE, FIT = 0.6, 0.45
STRETCHED, LEFT_EMPTY = 0.05, 0.2
# Poses whose scores differ by less are the same by symmetry.
EQUAL = 0.01


class Crystal(NamedTuple):
    """What the search needs of a cell."""

    cell: ProjectedCell
    vectors: Array
    sites: Array
    weights: Array
    tolerance: float

    @classmethod
    def of(cls, cell: ProjectedCell) -> "Crystal":
        """Prepare a cell."""
        tolerance = TOLERANCE * least_distance(cell)
        sites = np.ascontiguousarray(cell.sites, dtype=float)
        return cls(cell, cell.vectors(), sites, site_weights(cell), tolerance)


class Pose(NamedTuple):
    """A cell laid on columns."""

    origin: Array
    """Corner of cell (0, 0), (x, y) in Å."""
    vectors: Array
    """Edges (2, 2) in Å, rows."""
    score: float
    """How well it fits: at most about 1, the higher the better."""
    share: float
    """Part of the patch that lies on sites."""
    fit: float
    """The same, columns off their sites counting less: 1 − (distance / tolerance)² on average."""
    empty: float
    """Part of the sites, by weight, on which no column stands."""
    stretched: float
    """By which part the cell is stretched or squeezed at most."""
    n_columns: int
    """Columns of the patch."""

    def fits(self) -> bool:
        """Whether this cell explains the patch."""
        other = self.stretched > STRETCHED and self.empty > LEFT_EMPTY
        # a handful of columns anywhere lies on some lattice or other
        enough = FIT + 2 / self.n_columns
        return self.share >= SHARE and self.fit >= enough and not other


def find_pose(points: Array, brightness: Array, crystal: Crystal) -> Pose:
    """Best pose on a patch of columns (N, 2), sorted by distance from the first.

    Rigid poses are compared on the columns next to the first, where strain has hardly moved
    them; the best are fitted to ever more of the patch. `brightness` (N,) is any measure that
    grows with the atoms of a column, without NaN. Of poses that symmetry makes equal
    the one that is not mirrored and turned least is returned.
    """
    patch, bright = points[:PATCH], brightness[:PATCH]
    around = _Surroundings.of(patch)
    found = []
    for origin, vectors in _rigid(patch, bright, crystal):
        size = FEW
        while True:
            origin, vectors = refined(patch[:size], crystal, origin, vectors)
            if size >= len(patch):
                break
            size = min(2 * size, len(patch))
        found.append(_judged(patch, bright, crystal, (origin, vectors), around))
    best = max(pose.score for pose in found)
    return min((pose for pose in found if pose.score > best - EQUAL), key=_oddness)


def _oddness(pose: Pose) -> tuple[bool, float, float]:
    turn = float(np.arctan2(pose.vectors[0, 1], pose.vectors[0, 0]))
    # half a turn either way is the same; a turn of +45° goes before −45°
    return bool(np.linalg.det(pose.vectors) < 0), round(abs(turn), 1), -turn


def _rigid(points: Array, brightness: Array, crystal: Crystal) -> list[tuple[Array, Array]]:
    """Origin and vectors of the most promising rigid poses with a site on the first point."""
    few = points[:FEW]
    bright = brightness[:FEW] - brightness[:FEW].mean()
    angles = np.deg2rad(np.arange(0.0, 360.0, STEP_DEG))
    sites, edges = crystal.sites, crystal.vectors
    scores = _scores(few, bright, angles, edges, sites, crystal.weights, crystal.tolerance)
    peak = (scores >= np.roll(scores, 1, axis=1)) & (scores > np.roll(scores, -1, axis=1))
    places = np.argwhere(peak)
    if not len(places):
        places = np.argwhere(scores == scores.max())[:1]
    order = np.argsort(-scores[tuple(places.T)], kind="stable")[:CANDIDATES]
    poses = []
    for hand, angle, site in places[order]:
        vectors = turned(edges, angles[angle], 1 - 2 * int(hand))
        poses.append((points[0] - sites[site] @ vectors, vectors))
    return poses


@njit(cache=True, nogil=True)
def _scores(
    points: Array,
    bright: Array,
    angles: Array,
    edges: Array,
    sites: Array,
    weights: Array,
    tolerance: float,
) -> Array:
    """Score (hand, angle, site on the first point) of rigid poses."""
    scores = np.zeros((2, len(angles), len(sites)))
    for hand in range(2):
        for turn in range(len(angles)):
            vectors = turned(edges, angles[turn], 1 - 2 * hand)
            for anchor in range(len(sites)):
                origin = points[0] - (sites[anchor, 0] * vectors[0] + sites[anchor, 1] * vectors[1])
                site, _, error = nearest_sites(points, origin, vectors, sites)
                fit = np.maximum(0.0, 1 - (error / tolerance) ** 2).mean()
                agreed = correlation(weights[site], bright)
                scores[hand, turn, anchor] = fit + BRIGHTNESS * agreed
    return scores


def refined(points: Array, crystal: Crystal, origin: Array, vectors: Array) -> tuple[Array, Array]:
    """Affine fit of the lattice to the points on it, held to where it was by half a column.

    Returns what was given where fewer than four points lie on sites, or where the fit stretches
    the cell by more than STRETCH.
    """
    for _ in range(2):
        site, cell, error = nearest_sites(points, origin, vectors, crystal.sites)
        near = error < crystal.tolerance
        if near.sum() < 4:
            break
        place = cell[near] + crystal.sites[site[near]]
        middle, centre = place.mean(axis=0), points[near].mean(axis=0)
        arms = place - middle
        # the ridge keeps a patch that lies along one line from tipping over
        normal = arms.T @ arms + 0.5 * np.eye(2)
        fitted = np.linalg.solve(normal, arms.T @ (points[near] - centre) + 0.5 * vectors)
        if stretch(crystal.vectors, fitted) > STRETCH:
            break
        vectors, origin = fitted, centre - middle @ fitted
    return origin, vectors


class _Surroundings(NamedTuple):
    """What tells whether a site that stays empty should not."""

    tree: cKDTree
    hull: Delaunay | None

    @classmethod
    def of(cls, points: Array) -> "_Surroundings":
        try:
            return cls(cKDTree(points), Delaunay(points))
        except QhullError:
            return cls(cKDTree(points), None)

    def empty(self, crystal: Crystal, origin: Array, vectors: Array, cell: Index) -> float:
        """Part of the sites among the columns, by weight, on which none stands."""
        first, last = cell.min(axis=0) - 1, cell.max(axis=0) + 2
        steps = np.stack(np.meshgrid(*map(np.arange, first, last)), axis=-1).reshape(-1, 1, 2)
        places = (steps + crystal.sites).reshape(-1, 2) @ vectors + origin
        weights = crystal.weights if crystal.weights.any() else np.ones(len(crystal.sites))
        weight = np.tile(weights, len(steps))
        filled = self.tree.query(places)[0] < crystal.tolerance
        inside = filled.copy()
        if self.hull is not None:
            # the crystal may end beside the patch
            inside |= self.hull.find_simplex(places) >= 0
        total = float(weight[inside].sum())
        return float(weight[inside & ~filled].sum()) / total if total > 0 else 0.0


def _judged(
    points: Array,
    brightness: Array,
    crystal: Crystal,
    lattice: tuple[Array, Array],
    around: _Surroundings,
) -> Pose:
    site, cell, error = nearest_sites(points, *lattice, crystal.sites)
    on = error < crystal.tolerance
    fit = float(np.maximum(0.0, 1 - (error / crystal.tolerance) ** 2).mean())
    agreed = correlation(crystal.weights[site[on]], brightness[on]) if on.sum() > 1 else 0.0
    empty = around.empty(crystal, *lattice, cell)
    stretched = stretch(crystal.vectors, lattice[1])
    score = fit + BRIGHTNESS * agreed - EMPTY * empty - stretched
    return Pose(*lattice, score, float(on.mean()), fit, empty, stretched, len(points))
