"""The affine map that carries a column's ideal surroundings onto the measured ones.

Around every column, measured places p of columns are fitted by offset + F·d, d their ideal
vectors from the column: weighted least squares with one offset for each lattice of equal sites,
so that neither a shift of one sublattice against another nor the column's own error tilts F.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from crewe.atoms.lattice.translations import nearest_translation, shortest_vectors
from crewe.atoms.stamps import Array, Index, Mask

# A neighbour farther than this part of the shortest translation from its ideal place is none.
MISFIT = 0.3
# The measured distance may exceed the ideal one by this part.
STRETCH = 0.2
# Least ratio of the squared extents of the surroundings across and along.
COLLINEAR = 1e-3
# Å; errors below it would divide by zero.
LEAST_ERROR = 1e-6


@dataclass(frozen=True)
class LocalGradients:
    """Deformation gradients of N columns; NaN where the surroundings do not fix them."""

    gradient: Array
    """F (N, 2, 2): change of the measured x, y (first) with the ideal x, y (second)."""
    covariance: Array
    """Covariance (N, 2, 2, 2): [n, i] is that of gradient[n, i, :]; rows are independent."""
    n_neighbours: Index
    """Neighbours (N,) that were used."""
    reduced_chi_square: Array
    """Mean square (N,) of what the fit leaves, in units of the given variances."""
    freedom: Index
    """Degrees of freedom (N,) in it."""


class _Members(NamedTuple):
    """Who surrounds whom: one entry for each column of each neighbourhood, its centre included."""

    centre: Index
    column: Index
    ideal: Array
    """Ideal vectors (M, 2) from the centre in Å."""
    group: Index
    """Number of the centre and class: entries that share an offset."""


def local_gradients(
    points: Array,
    errors: Array,
    places: Array,
    classes: Index,
    vectors: Array,
    translations: Array,
    *,
    radius: float,
    all_sites: bool = False,
) -> LocalGradients:
    """Fit the deformation gradient around each of N columns of one lattice.

    `points` and their standard `errors` (N, 2) in Å (NaN: not known), `places` (N, 2) in
    multiples of a and b, `classes` (N,) by `site_classes`, `vectors` (2, 2) of the reference
    lattice in Å, `translations` by `lattice_translations`. Neighbours are the columns of the same
    class, or all, with an ideal distance up to `radius` in Å. Their ideal vectors are those
    nearest to the measured ones, so that indices which jump, as beside a dislocation, do no harm.

    Fewer than three neighbours, or neighbours on one line, give NaN.
    """
    members = _members(points, places, classes, vectors, translations, radius, all_sites)
    variance = np.maximum(errors, LEAST_ERROR) ** 2
    weight = _weights(variance)[members.column]
    measured = points[members.column] - points[members.centre]
    ideal = _without_mean(members.ideal, weight, members.group)
    moments = _sums(
        weight[:, None, None] * ideal[:, :, None] * ideal[:, None, :], members, len(points)
    )
    n_neighbours = np.bincount(members.centre, minlength=len(points)) - 1
    inverse = _inverse(moments, n_neighbours >= 3)
    share = np.einsum("mkl,ml->mk", inverse[members.centre], weight[:, None] * ideal)
    gradient = _sums(measured[:, :, None] * share[:, None, :], members, len(points))
    covariance = _sums(
        np.einsum("mi,mk,ml->mikl", variance[members.column], share, share), members, len(points)
    )
    chi_square, freedom = _misfit(members, measured, ideal, weight, gradient)
    return LocalGradients(gradient, covariance, n_neighbours, chi_square, freedom)


def _members(
    points: Array,
    places: Array,
    classes: Index,
    vectors: Array,
    translations: Array,
    radius: float,
    all_sites: bool,
) -> _Members:
    one, two = cKDTree(points).query_pairs((1 + STRETCH) * radius, output_type="ndarray").T
    if not all_sites:
        one, two = one[classes[one] == classes[two]], two[classes[one] == classes[two]]
    ideal = _ideal_vectors(
        points[two] - points[one], places[two] - places[one], vectors, translations
    )
    shortest = np.linalg.norm(shortest_vectors(vectors, translations)[0])
    misfit = np.linalg.norm(points[two] - points[one] - ideal, axis=1)
    near = np.logical_and(misfit < MISFIT * shortest, np.linalg.norm(ideal, axis=1) <= radius)
    one, two, ideal = one[near], two[near], ideal[near]
    own = np.arange(len(points))
    centre, column = np.concatenate([own, one, two]), np.concatenate([own, two, one])
    group = centre * (int(classes.max(initial=0)) + 1) + classes[column]
    vectors_from = np.concatenate([np.zeros((len(points), 2)), ideal, -ideal])
    return _Members(centre, column, vectors_from, group)


def _ideal_vectors(measured: Array, places: Array, vectors: Array, translations: Array) -> Array:
    """Vector in Å of the reference lattice nearest to each measured one; places in cells."""
    off = measured @ np.linalg.inv(vectors) - places
    return (places + nearest_translation(off, vectors, translations)) @ vectors


def _weights(variance: Array) -> Array:
    """Weight of each column; one without a known error gets the usual one."""
    weight = 1 / variance.mean(axis=1)
    known = np.isfinite(weight)
    return np.where(known, weight, np.median(weight[known]) if known.any() else 1.0)


def _without_mean(values: Array, weight: Array, group: Index) -> Array:
    """Values (M, 2) less the weighted mean of their group."""
    total = np.bincount(group, weight)
    sums = [np.bincount(group, weight * column) for column in values.T]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.stack(sums, axis=1) / total[:, None]
    return values - mean[group]


def _sums(values: Array, members: _Members, count: int) -> Array:
    """Sum of the values (M, ...) over each neighbourhood."""
    flat = values.reshape(len(values), int(np.prod(values.shape[1:])))
    sums: list[Array] = []
    for column in flat.T:
        sums.append(np.bincount(members.centre, column, minlength=count).astype(float))
    return np.stack(sums, axis=1).reshape(count, *values.shape[1:])


def _inverse(moments: Array, enough: Mask) -> Array:
    """Inverse (N, 2, 2) of the moments, NaN where they are (nearly) those of a line."""
    low, high = np.linalg.eigvalsh(moments).T
    good = np.logical_and(enough, low > COLLINEAR * high)
    inverse = np.full_like(moments, np.nan)
    inverse[good] = np.linalg.inv(moments[good])
    return inverse


def _misfit(
    members: _Members, measured: Array, ideal: Array, weight: Array, gradient: Array
) -> tuple[Array, Index]:
    """Reduced χ² of each neighbourhood and its degrees of freedom."""
    count = len(gradient)
    left = _without_mean(measured, weight, members.group)
    left = left - np.einsum("mik,mk->mi", gradient[members.centre], ideal)
    chi_square = _sums((weight[:, None] * left**2).sum(axis=1)[:, None], members, count)[:, 0]
    first_of_group = np.unique(members.group, return_index=True)[1]
    offsets = np.bincount(members.centre[first_of_group], minlength=count)
    freedom: Index = 2 * (np.bincount(members.centre, minlength=count) - offsets - 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(freedom > 0, chi_square / freedom, np.nan), freedom
