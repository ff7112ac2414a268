"""Products of small matrices that come out the same on every processor.

A BLAS library picks its code by the processor, and the last bit with it; from there a different
atom may be the nearest, and a different number of random numbers may be drawn. These sums run in
one order everywhere. For matrices of a few rows they are as quick.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def product(first: Any, *others: Any) -> Array:
    """Return the matrix product of two or more factors, each (m, n) or, at an end, (n,)."""
    result = np.asarray(first, dtype=np.float64)
    for factor in others:
        right = np.asarray(factor, dtype=np.float64)
        if result.ndim == 1:
            result = (result[:, None] * (right if right.ndim == 2 else right[:, None])).sum(axis=0)
        elif right.ndim == 1:
            result = (result * right).sum(axis=1)
        else:
            result = np.einsum("ij,jk->ik", result, right, optimize=False)
    return result


def length(vector: Any) -> float:
    """Return the Euclidean length of a vector of a few numbers."""
    return math.hypot(*np.asarray(vector, dtype=np.float64).tolist())


def determinant(matrix: Any) -> float:
    """Return the determinant of a (3, 3) matrix."""
    a, b, c = np.asarray(matrix, dtype=np.float64)
    return float((a * np.cross(b, c)).sum())


def inverse(matrix: Any) -> Array:
    """Return the inverse of a (3, 3) matrix that has a volume."""
    a, b, c = np.asarray(matrix, dtype=np.float64)
    columns = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
    return np.ascontiguousarray(columns / determinant(matrix))
