"""Burgers vectors: how far a circuit of lattice steps around a place fails to close."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from crewe.atoms.lattice.results import FittedLattice
from crewe.atoms.lattice.translations import (
    lattice_translations,
    nearest_translation,
    shortest_vectors,
    site_classes,
)
from crewe.atoms.stamps import Array, Index
from crewe.errors import PlanError

# Waypoints along the circle lie this part of the shortest translation apart.
STRIDE = 0.5
# A waypoint may be farther from its column than in a perfect lattice by this factor.
GAP = 1.4
# A step farther than this part of the shortest translation from any of the lattice is no step.
MISFIT = 0.35
# Least radius of a circuit in shortest translations: within, cores are too distorted to count.
LEAST_RADIUS = 1.5


@dataclass(frozen=True)
class BurgersCircuit:
    """A closed walk from column to column and what it lacks to close in the perfect lattice."""

    around: tuple[float, float]
    """Middle (x, y) in Å of the circuit."""
    radius: float
    """Its radius in Å."""
    fractions: Array
    """Burgers vector (2,) in multiples of a and b: whole numbers, or the fractions that a centred
    cell allows. Exact."""
    vector: Array
    """Burgers vector (x, y) in Å by the mean steps of the path, without its part along the beam,
    which no image shows."""
    vector_std: Array
    """Standard errors (2,) of it, by how the steps along the path scatter."""
    length: float
    """Its length in Å."""
    length_std: float
    """Standard error of the length."""
    path: Array
    """Columns (n, 2) visited, in Å, clockwise as displayed."""
    largest_misfit: float
    """Largest distance in Å of a step from that of the lattice."""


def burgers_vector(
    columns: pd.DataFrame, lattice: FittedLattice, *, around: tuple[float, float], radius: float
) -> BurgersCircuit:
    """Burgers vector of what a circle around a place encloses, by a circuit of lattice steps.

    `columns` has x, y in Å; where the cell has several sites that no translation joins, also
    `site` from indexing, and the most frequent kind is walked along. The walk visits the columns
    nearest to the circle, clockwise as displayed, that is right-handed about the direction into
    the screen (+z, the line's sense here), and counts each step in whole translations of the
    lattice. The walk closes in the image; the vector from finish to start in the perfect lattice
    is the Burgers vector (FS/RH: Hirth & Lothe, Theory of Dislocations, 1982, section 1-7; equally
    ∮ du with u the displacement from the perfect lattice). Zero: no dislocation, or several that
    cancel.

    Raises PlanError for a radius too small to step around a core, and where columns are missing
    on the path or do not step like the lattice.
    """
    moves = lattice_translations(lattice.cell)
    basis = shortest_vectors(lattice.vectors, moves)
    spacing = float(np.linalg.norm(basis[0]))
    _check_place(around, radius, spacing)
    points = circuit_columns(columns, lattice)
    rows = _walk(points, around, radius, basis)
    steps = points[np.roll(rows, -1)] - points[rows]
    counted = nearest_translation(steps @ np.linalg.inv(lattice.vectors), lattice.vectors, moves)
    misfit = np.linalg.norm(steps - counted @ lattice.vectors, axis=1)
    if misfit.max() > MISFIT * spacing:
        x, y = points[rows[misfit.argmax()]]
        raise PlanError(
            f"the columns near ({x:.1f}, {y:.1f}) Å do not step like the lattice: they are too "
            "near the core, another grain, or missing; give another radius or place"
        )
    # multiples of one over the number of translations, as the cell's file may round them
    fractions = -np.round(counted.sum(axis=0) * len(moves)) / len(moves) + 0.0
    edges, covariance = _edges_along(steps, counted)
    vector = fractions @ edges
    slope = np.kron(fractions, np.eye(2))
    return _circuit(
        (around, radius, points[rows], float(misfit.max())),
        (fractions, vector, slope @ covariance @ slope.T),
    )


def _edges_along(steps: Array, counted: Array) -> tuple[Array, Array]:
    """Edges (2, 2) that the steps along the path have on average, and their covariance (4, 4).

    Those of the lattice fitted to the whole image would not do: beyond the extra half-plane a
    dislocated crystal is out of step with its own indices.
    """
    normal = counted.T @ counted
    edges: Array = np.linalg.solve(normal, counted.T @ steps).astype(float)
    scatter = np.sum((steps - counted @ edges) ** 2, axis=0) / max(len(steps) - 2, 1)
    return edges, np.kron(np.linalg.inv(normal), np.diag(scatter))


def circuit_columns(columns: pd.DataFrame, lattice: FittedLattice) -> Array:
    """Places (N, 2) of columns that translations of the lattice join.

    Raises PlanError where the cell has several kinds of sites and the table does not name them.
    """
    points = columns[["x", "y"]].to_numpy(float)
    classes = site_classes(lattice.cell)
    chosen = np.isfinite(points).all(axis=1)
    if classes.max() > 0:
        if "site" not in columns:
            raise PlanError(
                "a circuit in a cell of several sites needs to know them: give the columns of "
                "index_columns"
            )
        sites = columns["site"].to_numpy()
        kind = np.where(np.logical_and(sites >= 0, chosen), classes[sites], -1)
        counts = np.bincount(kind[kind >= 0], minlength=1)
        chosen = kind == counts.argmax()
    return points[chosen]


def _check_place(around: tuple[float, float], radius: float, spacing: float) -> None:
    if not np.isfinite([*around, radius]).all() or radius < LEAST_RADIUS * spacing:
        raise PlanError(
            f"a circuit around {around} with a radius of {radius} Å cannot be walked: give finite "
            f"numbers and a radius of at least {LEAST_RADIUS * spacing:.1f} Å"
        )


def _walk(points: Array, around: tuple[float, float], radius: float, basis: Array) -> Index:
    """Rows of the columns along the circle, each different from the one before."""
    spacing = float(np.linalg.norm(basis[0]))
    count = int(np.ceil(2 * np.pi * radius / (STRIDE * spacing)))
    angle = 2 * np.pi * np.arange(count) / count
    circle = np.array(around) + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    allowed = GAP * _circumradius(basis)
    distance, rows = cKDTree(points).query(circle)
    if distance.max() > allowed:
        x, y = circle[distance.argmax()]
        raise PlanError(
            f"no column lies within {allowed:.1f} Å of ({x:.1f}, {y:.1f}) Å on the circuit: give "
            "a radius that stays among the columns"
        )
    rows = rows[rows != np.roll(rows, 1)]
    if _winding(points[rows] - np.array(around)) != 1:
        raise PlanError(
            f"the columns along a radius of {radius:g} Å do not go once around {around}: give a "
            "larger radius"
        )
    return rows.astype(np.int64)


def _circumradius(basis: Array) -> float:
    """Farthest that a place can be from a perfect lattice, given its two shortest vectors."""
    one, two = basis
    two = two if one @ two >= 0 else -two
    sides = np.linalg.norm([one, two, one - two], axis=1)
    return float(np.prod(sides) / (2 * abs(np.linalg.det(basis))))


def _winding(path: Array) -> int:
    following = np.roll(path, -1, axis=0)
    sine = path[:, 0] * following[:, 1] - path[:, 1] * following[:, 0]
    turns = np.arctan2(sine, (path * following).sum(axis=1)).sum() / (2 * np.pi)
    return int(np.round(turns))


def _circuit(
    walk: tuple[tuple[float, float], float, Array, float], found: tuple[Array, Array, Array]
) -> BurgersCircuit:
    (around, radius, path, misfit), (fractions, vector, covariance) = walk, found
    length = float(np.linalg.norm(vector))
    along = vector / length if length > 0 else np.zeros(2)
    return BurgersCircuit(
        (float(around[0]), float(around[1])),
        float(radius),
        fractions,
        vector,
        np.sqrt(np.maximum(np.diag(covariance), 0)),
        length,
        float(np.sqrt(np.maximum(along @ covariance @ along, 0.0))),
        path,
        misfit,
    )
