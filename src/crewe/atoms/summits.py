"""Divide a landscape between its summits, each with the slopes that lead up to it."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.atoms.stamps import Array

Labels = NDArray[np.int32]


@njit(cache=True, nogil=True)
def divide_at_saddles(landscape: Array, order: NDArray[np.int64], least_dip: float) -> Labels:
    """Give each pixel of `order`, from the highest down, to the summit that lies uphill of it.

    Where two summits meet, the lower one joins the higher if it rises above the meeting point
    by less than `least_dip` of its height.
    """
    rows, columns = landscape.shape
    labels = np.zeros((rows, columns), np.int32)
    parent = np.zeros(len(order) + 1, np.int32)
    top = np.zeros(len(order) + 1)
    count = 0
    for place in order:
        i, j = place // columns, place % columns
        level = landscape[i, j]
        uphill, steepest = 0, -np.inf
        for u in range(max(i - 1, 0), min(i + 2, rows)):
            for v in range(max(j - 1, 0), min(j + 2, columns)):
                if labels[u, v] == 0:
                    continue
                other = _root(parent, labels[u, v])
                uphill = uphill if uphill == 0 else _root(parent, uphill)
                if uphill != 0 and other != uphill:
                    low = uphill if top[uphill] < top[other] else other
                    if top[low] - level < least_dip * top[low]:
                        parent[low] = uphill + other - low
                if landscape[u, v] > steepest:
                    uphill, steepest = other, landscape[u, v]
        if uphill == 0:
            count += 1
            uphill = count
            parent[uphill], top[uphill] = uphill, level
        labels[i, j] = uphill
    return _numbered(labels, parent, count)


@njit(cache=True, nogil=True)
def _root(parent: Labels, label: int) -> int:
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return label


@njit(cache=True, nogil=True)
def _numbered(labels: Labels, parent: Labels, count: int) -> Labels:
    number = np.zeros(count + 1, np.int32)
    used = 0
    for label in range(1, count + 1):
        if parent[label] == label:
            used += 1
            number[label] = used
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            if labels[i, j]:
                labels[i, j] = number[_root(parent, labels[i, j])]
    return labels
