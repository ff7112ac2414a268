"""The compiled loop under the centre of mass: moments to shifts about a fixed point."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


@njit(cache=True, nogil=True)
def shift_vectors(
    counts: Array,
    first: Array,
    rows: NDArray[np.int64],
    pivot: Array,
    to_scan_axes: Array,
    by_pattern: bool,
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return shift × weight (2, row, column), weights and where they are known, for chosen rows.

    A weight is 1, or the counts unless `by_pattern`; all is zero where counts are not positive.
    """
    columns = counts.shape[1]
    vectors = np.zeros((2, rows.size, columns))
    weights = np.zeros((rows.size, columns))
    known = np.zeros((rows.size, columns), np.bool_)
    for index in range(rows.size):
        row = rows[index]
        for column in range(columns):
            total = counts[row, column]
            along_y, along_x = first[0, row, column], first[1, row, column]
            if not (total > 0 and np.isfinite(total + along_y + along_x)):
                continue
            if by_pattern:
                weight, along_y, along_x = 1.0, along_y / total, along_x / total
            else:
                weight = total
            along_y -= weight * pivot[0]
            along_x -= weight * pivot[1]
            vectors[0, index, column] = to_scan_axes[0, 0] * along_y + to_scan_axes[0, 1] * along_x
            vectors[1, index, column] = to_scan_axes[1, 0] * along_y + to_scan_axes[1, 1] * along_x
            weights[index, column] = weight
            known[index, column] = True
    return vectors, weights, known
