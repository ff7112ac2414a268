"""Standard errors of the columns from the Fisher information, for any number of columns.

The information matrix of a large image cannot be inverted whole, but a column's variance depends
only on its neighbourhood and on what all columns share. So the block of each column is taken from
the inverse over its own neighbours, and the shared parameters (common widths, background) are put
back exactly by their Schur complement.
"""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit, prange
from scipy import sparse

from crewe.atoms.conjugate import block_preconditioner, conjugate_gradients
from crewe.atoms.equations import WIDTH, ColumnModel
from crewe.atoms.noise import NoiseModel
from crewe.atoms.problem import Problem
from crewe.atoms.stamps import Array, Index

# Knots of a constant or plane background reach every column; those of a local one do not.
MOST_SHARED_KNOTS = 4


@dataclass(frozen=True)
class Covariance:
    """Covariance of each column's own parameters, of the shared ones, and between the two.

    own (N, P, P); shared (G, G); cross (N, P, G).
    """

    own: Array
    shared: Array
    cross: Array


@njit(cache=True)
def _window_matrix(
    indptr: Index, indices: Index, data: Array, members: Index, position: Index
) -> Array:
    size = len(members)
    matrix = np.zeros((size, size))
    for a in range(size):
        for k in range(indptr[members[a]], indptr[members[a] + 1]):
            b = position[indices[k]] if indices[k] < len(position) else -1
            if b >= 0:
                matrix[a, b] = data[k]
    return matrix


@njit(cache=True, parallel=True)
def _own_blocks(
    indptr: Index,
    indices: Index,
    fisher: Array,
    spread: Array,
    scores: Array,
    count: int,
    block: int,
    local: int,
) -> tuple[Array, Array]:
    result = np.zeros((count, block, block))
    mixed = np.zeros((count, block, scores.shape[1]))
    chunks = min(count, 64)
    for chunk in prange(chunks):
        position = np.full(local, -1)
        for n in range(chunk * count // chunks, (chunk + 1) * count // chunks):
            row = indices[indptr[n * block] : indptr[n * block + 1]]
            members = row[row < local]
            for k in range(len(members)):
                position[members[k]] = k
            matrix = _window_matrix(indptr, indices, fisher, members, position)
            noise = _window_matrix(indptr, indices, spread, members, position)
            unit = np.zeros((len(members), block))
            for p in range(block):
                unit[position[n * block + p], p] = 1.0
            for k in range(len(members)):
                matrix[k, k] += 1e-12 * matrix[k, k] + 1e-300
            response = np.linalg.solve(matrix, unit)
            result[n] = response.T @ (noise @ response)
            mixed[n] = response.T @ scores[members]
            for k in range(len(members)):
                position[members[k]] = -1
    return result, mixed


def column_covariance(
    fisher: sparse.csr_array,
    count: int,
    block: int,
    shared: int,
    spread: sparse.csr_array | None = None,
) -> Covariance:
    """Blocks of F⁻¹·V·F⁻¹ (of F⁻¹ when `spread` V is not given).

    `fisher` is ordered as `count` columns of `block` parameters, then local background knots,
    then `shared` parameters. `spread` must have the same pattern; it is JᵀW·var·WJ when the
    weights W are not the inverse of the noise variance.
    """
    fisher.sort_indices()
    spread = fisher if spread is None else spread
    spread.sort_indices()
    local = fisher.shape[0] - shared
    none = np.zeros((local, 0))
    if not shared:
        own, _ = _own_blocks(
            fisher.indptr, fisher.indices, fisher.data, spread.data, none, count, block, local
        )
        return Covariance(own, np.zeros((0, 0)), np.zeros((count, block, 0)))
    head, border = fisher[:local, :local], fisher[:local, local:].toarray()
    answer = conjugate_gradients(head, border, block_preconditioner(head, block, count), 1e-6)
    schur = fisher[local:, local:].toarray() - border.T @ answer
    response = np.concatenate([-answer, np.eye(shared)]) @ np.linalg.inv(schur)
    scores = spread @ response
    own, mixed = _own_blocks(
        fisher.indptr, fisher.indices, fisher.data, spread.data, scores, count, block, local
    )
    # A column's error is that of its neighbourhood minus what the shared parameters pass on.
    joint = response.T @ scores
    share = answer[: count * block].reshape(count, block, shared)
    passed = mixed @ share.transpose(0, 2, 1)
    own = own - passed - passed.transpose(0, 2, 1) + share @ joint @ share.transpose(0, 2, 1)
    return Covariance(own, joint, mixed - share @ joint)


def fit_covariance(model: ColumnModel, problem: Problem, noise: NoiseModel) -> Array:
    """Covariance (N, 4, 4) of height, x, y, width with all of them free, equation 2.27.

    F⁻¹ where the weights are the inverse variance; otherwise F⁻¹·V·F⁻¹, with V the covariance
    of the score under the noise as estimated.
    """
    problem = replace(problem, free="hxyw")
    expected = model.image()
    weight = problem.weight(noise, expected)
    fisher = problem.information(model, weight)
    spread = None
    if problem.uniform:
        spread = problem.information(model, weight**2 * noise.variance(expected))
    count, knots = len(model.columns), len(model.knots)
    widths = fisher.shape[0] - problem.own * count - knots
    shared = widths + (knots if knots <= MOST_SHARED_KNOTS else 0)
    found = column_covariance(fisher, count, problem.own, shared, spread)
    covariance = np.zeros((count, 4, 4))
    covariance[:, : problem.own, : problem.own] = found.own
    if widths and problem.kinds is not None:
        _insert_widths(covariance, found, shared - widths + problem.kinds)
    return covariance


def _insert_widths(covariance: Array, found: Covariance, index: Index) -> None:
    cross = np.take_along_axis(found.cross, index[:, None, None], axis=2)[:, :, 0]
    covariance[:, :WIDTH, WIDTH] = covariance[:, WIDTH, :WIDTH] = cross
    covariance[:, WIDTH, WIDTH] = found.shared[index, index]
