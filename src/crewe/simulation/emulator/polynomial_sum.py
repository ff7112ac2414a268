"""Horner's rule on the tree of monomials, for a block of pixels that stays in the first caches.

The workspace is flat: a row of BLOCK pixels for each standardised feature, one of ones, then one
for the running sum of each degree. Places in it are unsigned, which numba need not test for a sign,
and no array is sliced in here, which would cost more than the sums.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.simulation.emulator.terms import Index, Terms

Array = NDArray[np.float64]
Tree = tuple[Index, Index]
BLOCK = 256
ALIGNED_BYTES = 64
_ROW = np.uint64(BLOCK)
_1, _2, _3, _4, _5, _6, _7, _8 = (np.uint64(k) for k in range(1, 9))


def workspace(terms: Terms) -> Array:
    """Room for one block, aligned to the cache's lines: half the time of a misaligned one."""
    room = (terms.features + 1 + terms.degree) * BLOCK
    memory = np.zeros(room + ALIGNED_BYTES // 8)
    first = -memory.ctypes.data % ALIGNED_BYTES // 8
    result: Array = memory[first : first + room]
    result[terms.features * BLOCK : (terms.features + 1) * BLOCK] = 1.0
    return result


@njit(cache=True, nogil=True)
def add_polynomial(
    work: Array, features: int, coefficients: Array, tree: Tree, degree: int, path: Index
) -> None:
    """Leave the polynomial of the features in the row after the ones.

    `tree` is (first_children, factors) of the terms, `path` (2, degree + 1) is scratch: the
    monomial of each degree that is being summed, and the next of its children.
    """
    first, factors = tree
    ones = np.uint64(features) * _ROW
    top = ones + _ROW
    if degree == 1:
        _fill(work, top, 0.0)
        _add_leaves(work, top, ones, coefficients, 0, tree)
        return
    _fill(work, top, coefficients[0])
    depth = 0
    path[0, 0], path[1, 0] = 0, first[0]
    while depth >= 0:
        total = top + np.uint64(depth) * _ROW
        parent, child = path[0, depth], path[1, depth]
        if child == first[parent + 1]:
            if depth > 0:
                _fold(work, total - _ROW, np.uint64(factors[parent]) * _ROW, total)
            depth -= 1
            continue
        path[1, depth] += 1
        if depth + 2 == degree:
            _add_leaves(work, total, np.uint64(factors[child]) * _ROW, coefficients, child, tree)
        else:
            depth += 1
            path[0, depth], path[1, depth] = child, first[child]
            _fill(work, total + _ROW, coefficients[child])


@njit(cache=True, nogil=True)
def _fill(work: Array, total: np.uint64, value: float) -> None:
    for i in range(_ROW):
        work[total + i] = value


@njit(cache=True, nogil=True)
def _fold(work: Array, total: np.uint64, factor: np.uint64, inner: np.uint64) -> None:
    for i in range(_ROW):
        work[total + i] += work[factor + i] * work[inner + i]


@njit(cache=True, nogil=True)
def _add_leaves(
    work: Array, total: np.uint64, factor: np.uint64, coefficients: Array, node: int, tree: Tree
) -> None:
    """Add factor · (c_node + Σ c_child · feature), the children having none of their own."""
    first, factors = tree
    k, end = np.uint64(first[node]), np.uint64(first[node + 1])
    leaf = np.uint64(factors[first[node]]) * _ROW
    own = coefficients[node]
    while k + _8 <= end:
        _add_eight(work, total, factor, own, leaf, coefficients, k)
        k += _8
        leaf += _8 * _ROW
        own = 0.0
    if k + _4 <= end:
        _add_four(work, total, factor, own, leaf, coefficients, k)
        k += _4
        leaf += _4 * _ROW
        own = 0.0
    while k < end:
        _add_one(work, total, factor, own, leaf, coefficients[k])
        k += _1
        leaf += _ROW
        own = 0.0


@njit(cache=True, nogil=True)
def _add_eight(
    work: Array,
    total: np.uint64,
    factor: np.uint64,
    own: float,
    leaf: np.uint64,
    coefficients: Array,
    k: np.uint64,
) -> None:
    a, b, c, d = coefficients[k], coefficients[k + _1], coefficients[k + _2], coefficients[k + _3]
    k += _4
    e, f, g, h = coefficients[k], coefficients[k + _1], coefficients[k + _2], coefficients[k + _3]
    far = leaf + _4 * _ROW
    for i in range(_ROW):
        near_sum = (a * work[leaf + i] + b * work[leaf + _ROW + i]) + (
            c * work[leaf + _2 * _ROW + i] + d * work[leaf + _3 * _ROW + i]
        )
        far_sum = (e * work[far + i] + f * work[far + _ROW + i]) + (
            g * work[far + _2 * _ROW + i] + h * work[far + _3 * _ROW + i]
        )
        work[total + i] += work[factor + i] * (own + (near_sum + far_sum))


@njit(cache=True, nogil=True)
def _add_four(
    work: Array,
    total: np.uint64,
    factor: np.uint64,
    own: float,
    leaf: np.uint64,
    coefficients: Array,
    k: np.uint64,
) -> None:
    a, b, c, d = coefficients[k], coefficients[k + _1], coefficients[k + _2], coefficients[k + _3]
    for i in range(_ROW):
        inner = (a * work[leaf + i] + b * work[leaf + _ROW + i]) + (
            c * work[leaf + _2 * _ROW + i] + d * work[leaf + _3 * _ROW + i]
        )
        work[total + i] += work[factor + i] * (own + inner)


@njit(cache=True, nogil=True)
def _add_one(
    work: Array,
    total: np.uint64,
    factor: np.uint64,
    own: float,
    leaf: np.uint64,
    coefficient: float,
) -> None:
    for i in range(_ROW):
        work[total + i] += work[factor + i] * (own + coefficient * work[leaf + i])
