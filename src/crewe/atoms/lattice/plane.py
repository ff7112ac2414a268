"""Lattices of whole numbers and of the plane: bases, reduced and in the shape usually drawn."""

import math

import numpy as np

from crewe.atoms.stamps import Array, Index

# Two lengths, or a cosine and its ideal, that differ by less than this part are the same.
SAME = 2e-3


def integer_basis(rows: Index) -> Index:
    """Basis (D, D) of the lattice that whole-number rows (N, D) span, upper triangular.

    The Hermite normal form but for what stands above the diagonal. The rows must span D
    dimensions.
    """
    left = [np.array(row, dtype=np.int64) for row in rows]
    basis = []
    for axis in range(rows.shape[1]):
        pivot = None
        for n, row in enumerate(left):
            while pivot is not None and row[axis]:
                step = pivot[axis] // row[axis]
                pivot, row = row, pivot - step * row
            if pivot is None and row[axis]:
                pivot, row = row, np.zeros_like(row)
            left[n] = row
        if pivot is None:
            raise ValueError("the rows span fewer dimensions than they have")
        basis.append(pivot if pivot[axis] > 0 else -pivot)
    return np.array(basis)


def completed(direction: Index) -> Index:
    """Whole-number basis (3, 3) of all whole numbers, determinant ±1, whose first row is given.

    The direction (3,) must have no common divisor.
    """
    u, v, w = (int(value) for value in direction)
    if u == 0 and v == 0:
        return np.array([[0, 0, w], [1, 0, 0], [0, 1, 0]], dtype=np.int64)
    common = math.gcd(u, v)
    first, second = u // common, v // common
    p, q = _bezout(first, second)
    s, t = _bezout(common, w)
    # in the basis (first, second), (−q, p), z the rows are (common, 0, w), (0, 1, 0), (−t, 0, s)
    return np.array([[u, v, w], [-q, p, 0], [-t * first, -t * second, s]], dtype=np.int64)


def _bezout(first: int, second: int) -> tuple[int, int]:
    """Numbers p and q with first·p + second·q = 1, for numbers without common divisor."""
    p, q, next_p, next_q = 1, 0, 0, 1
    while second:
        step = first // second
        first, second = second, first - step * second
        p, q, next_p, next_q = next_p, next_q, p - step * next_p, q - step * next_q
    return (p, q) if first > 0 else (-p, -q)


def reduced(vectors: Array) -> Index:
    """Whole-number change (2, 2) to the two shortest vectors of a plane lattice, rows.

    Gauss's reduction: afterwards |a·b| ≤ a²/2 and a ≤ b.
    """
    change = np.eye(2, dtype=np.int64)
    while True:
        a, b = change @ vectors
        if a @ a > b @ b * (1 + 1e-9):
            change = change[::-1].copy()
            continue
        step = int(np.round(a @ b / (a @ a)))
        # exactly half a step back and forth would never end
        if step == 0 or abs(a @ b) <= 0.5 * (a @ a) * (1 + 1e-9):
            return change
        change[1] -= step * change[0]


def usual_shape(vectors: Array) -> Index:
    """Whole-number change (2, 2) from a basis to the cell that one draws of a plane lattice.

    The two shortest vectors at 90° to 120°; where the lattice is centred rectangular (a rhombus
    that is neither square nor hexagonal) the rectangle, which is twice as large.
    """
    change = reduced(vectors)
    a, b = change @ vectors
    size = a @ a
    if a @ b > 0:
        change[1] = -change[1]
        b = -b
    if abs(a @ b) < SAME * size:
        return change
    if abs(b @ b - size) < SAME * size:
        hexagonal = abs(a @ b / size + 0.5) < SAME
        return change if hexagonal else np.array([[1, 1], [1, -1]]) @ change
    if abs(a @ b / size + 0.5) < 0.5 * SAME:
        return np.array([[1, 0], [1, 2]]) @ change
    return change
