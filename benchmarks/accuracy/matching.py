"""Pairs detections with true columns, one to one, nearest first."""

import numpy as np
from scipy.spatial import KDTree

from benchmarks.accuracy.synthetic import SPACING

LARGEST_DISTANCE = 0.4 * SPACING


def match(truth: np.ndarray, found: np.ndarray, largest: float = LARGEST_DISTANCE) -> np.ndarray:
    """Return for each true position the index of its detection, or -1.

    Both arrays are (columns, 2). Pairs are taken in order of distance, and each
    position is used at most once.
    """
    partner = np.full(len(truth), -1)
    if len(found) == 0:
        return partner
    near = KDTree(truth).sparse_distance_matrix(KDTree(found), largest, output_type="ndarray")
    taken = np.zeros(len(found), dtype=bool)
    for pair in np.sort(near, order="v"):
        if partner[pair["i"]] < 0 and not taken[pair["j"]]:
            partner[pair["i"]] = pair["j"]
            taken[pair["j"]] = True
    return partner
