"""Least-squares fit of a whole lattice to its columns, with errors from how they scatter."""

from typing import Literal, NamedTuple

import numpy as np

from crewe.atoms.stamps import Array

Refine = Literal["lattice", "scale", "rotation"]


class LatticeFit(NamedTuple):
    """A lattice and how well it is known; parameters are origin x, y, a x, a y, b x, b y."""

    origin: Array
    vectors: Array
    covariance: Array
    """Covariance (6, 6) in Å² that explains the scatter of the columns about the lattice."""
    covariance_of_fits: Array
    """What the standard errors of the columns alone would make of it; NaN where unknown."""
    residuals: Array
    """Fitted minus expected places (N, 2) in Å."""


def fit_lattice(
    places: Array,
    points: Array,
    errors: Array,
    edges: Array,
    refine: Refine = "lattice",
) -> LatticeFit:
    """Fit origin and edges of a lattice to columns at known places in it.

    `places` (N, 2) are multiples of a and b, `points` (N, 2) the columns in Å, `errors` (N, 2)
    their standard errors, NaN where unknown, and `edges` (2, 2) those of the cell. With
    "lattice" a and b are free; with "scale" the shape of the cell is kept, with "rotation" its
    lengths too. Each coordinate is weighted by 1/(error² + scatter²), the scatter being what
    the residuals have beyond the errors, so that neither a bright column nor one moved by strain
    rules. The covariance holds for scatter without correlation between columns: drift and long
    waves of strain are not in it.
    """
    known = np.isfinite(errors).all()
    noise = errors**2 if known else np.zeros_like(points)
    scatter, design = 0.0, _design(places, edges, refine)
    target = points.reshape(-1)
    for _ in range(4):
        weight = 1 / np.maximum(noise + scatter, 1e-12).reshape(-1)
        normal = design.T @ (weight[:, None] * design)
        inverse = np.linalg.pinv(normal)
        solution = inverse @ (design.T @ (weight * target))
        residual = target - design @ solution
        freedom = max(len(target) - design.shape[1], 1)
        scatter = max(residual @ residual / freedom - noise.mean(), 0.0)
    misfit = max(1.0, float(weight @ residual**2) / freedom)
    gain = inverse @ (design.T * weight)
    own = gain @ (noise.reshape(-1)[:, None] * gain.T) if known else np.full_like(inverse, np.nan)
    return _lattice_fit(solution, inverse * misfit, own, places, points, edges, refine)


def _design(places: Array, edges: Array, refine: Refine) -> Array:
    """Rows (2 N, P): how x and y of each column follow from the parameters."""
    if refine == "lattice":
        columns = np.concatenate([np.ones((len(places), 1)), places], axis=1)
        return np.kron(columns, np.eye(2))
    rigid = places @ edges
    shift = np.tile(np.eye(2), (len(places), 1))
    turn = np.stack([rigid, rigid[:, ::-1] * [-1.0, 1.0]], axis=-1).reshape(-1, 2)
    return np.concatenate([shift, turn], axis=1)


def _lattice_fit(
    solution: Array,
    covariance: Array,
    own: Array,
    places: Array,
    points: Array,
    edges: Array,
    refine: Refine,
) -> LatticeFit:
    if refine == "lattice":
        origin, vectors = solution[:2], solution[2:].reshape(2, 2)
    else:
        origin, vectors, spread = _similar(solution, edges, places, points, refine)
        covariance, own = spread @ covariance @ spread.T, spread @ own @ spread.T
    residuals = points - origin - places @ vectors
    return LatticeFit(origin, vectors, covariance, own, residuals)


def _similar(
    solution: Array, edges: Array, places: Array, points: Array, refine: Refine
) -> tuple[Array, Array, Array]:
    """Origin, edges, and the derivative (6, 4) of both by shift and turn.

    The turn is (c, s) with c² + s² the squared scale.
    """
    origin, turn = solution[:2], solution[2:]
    along = np.eye(2)
    if refine == "rotation":
        turn = turn / np.linalg.norm(turn)
        along -= np.outer(turn, turn)
        origin = points.mean(axis=0) - _turned(places.mean(axis=0) @ edges, turn)
    slopes = np.concatenate([_slope(edge) for edge in edges]) @ along
    spread = np.zeros((6, 4))
    spread[:2, :2], spread[2:, 2:] = np.eye(2), slopes
    return origin, np.stack([_turned(edge, turn) for edge in edges]), spread


def _slope(edge: Array) -> Array:
    return np.array([[edge[0], -edge[1]], [edge[1], edge[0]]])


def _turned(edge: Array, turn: Array) -> Array:
    return np.asarray(_slope(edge) @ turn)


def length_errors(vectors: Array, covariance: Array) -> tuple[float, float, float, float]:
    """Standard errors of |a|, |b| in Å, and of the angle between them and a's own in degrees."""
    own = covariance[2:, 2:]
    lengths = np.linalg.norm(vectors, axis=1)
    units = vectors / lengths[:, None]
    across = np.stack([-units[:, 1], units[:, 0]], axis=1) / lengths[:, None]
    zero = np.zeros(2)
    rows = np.stack(
        [
            np.concatenate([units[0], zero]),
            np.concatenate([zero, units[1]]),
            np.rad2deg(np.concatenate([-across[0], across[1]])),
            np.rad2deg(np.concatenate([across[0], zero])),
        ]
    )
    a, b, gamma, turn = np.sqrt(np.maximum(np.einsum("pi,ij,pj->p", rows, own, rows), 0))
    return float(a), float(b), float(gamma), float(turn)
