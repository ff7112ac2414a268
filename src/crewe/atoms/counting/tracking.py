"""Follow columns from frame to frame through drift.

The drift of a frame is the shift under which most columns fall on known ones of a like
cross-section, which tells the right lattice vector from its neighbours; columns are then the
nearest within a third of the spacing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from crewe.errors import NoColumnsError

Array = NDArray[np.float64]
Index = NDArray[np.int64]

NEAR = 1 / 3
"""Distance within which a column is the same, in spacings."""
CANDIDATES = 30
MOST_PAIRS = 4_000_000
REACH_SPACINGS = 12.0
LIKENESS = 0.25
"""Difference in cross-section that makes a match half convincing, in their overall spread."""


@dataclass(frozen=True)
class Tracks:
    """Which row of each frame is which column."""

    rows: Index
    """Row (T, N) of the frame's table; −1 where the column is not in the frame."""
    shifts: Array
    """Drift (T, 2) of each frame against the first, (x, y) in Å."""
    places: Array
    """Mean place (N, 2) of each column in the first frame's coordinates, (x, y) in Å."""


def track_columns(points: Sequence[Array], scs: Sequence[Array]) -> Tracks:
    """Track columns of T frames, each (n, 2) places in Å with (n,) cross-sections.

    A column that no known one explains begins a track of its own; one that is missed in some
    frames is found again. Raises NoColumnsError for a frame of fewer than 3 columns.
    """
    for number, frame in enumerate(points):
        if len(frame) < 3:
            raise NoColumnsError(
                f"frame {number} has {len(frame)} columns; tracking needs at least 3: leave the "
                "frame out"
            )
    spacing = _spacing(points[0])
    places, brightness = points[0].copy(), scs[0].copy()
    seen = np.ones(len(places))
    rows = [np.arange(len(places))]
    shifts = [np.zeros(2)]
    for frame, values in zip(points[1:], scs[1:], strict=True):
        shift = find_shift(places, brightness, frame, values, spacing, shifts[-1])
        track, row = match(places, frame - shift, NEAR * spacing)
        # a running mean; brightness follows the last frames, since atoms come and go
        seen[track] += 1
        places[track] += ((frame - shift)[row] - places[track]) / seen[track, None]
        brightness[track] += 0.5 * (values[row] - brightness[track])
        new = np.setdiff1d(np.arange(len(frame)), row)
        found = np.full(len(places) + len(new), -1)
        found[track] = row
        found[len(places) :] = new
        places = np.concatenate([places, (frame - shift)[new]])
        brightness = np.concatenate([brightness, values[new]])
        seen = np.concatenate([seen, np.ones(len(new))])
        rows.append(found)
        shifts.append(shift)
    table = np.full((len(rows), len(places)), -1)
    for number, found in enumerate(rows):
        table[number, : len(found)] = found
    return Tracks(table, np.array(shifts), places)


def _spacing(points: Array) -> float:
    distance, _ = cKDTree(points).query(points, k=2)
    return float(np.median(distance[:, 1]))


def find_shift(
    places: Array, brightness: Array, frame: Array, values: Array, spacing: float, expected: Array
) -> Array:
    """Shift (x, y) that lays known places on the columns of a frame.

    `expected` is where the search is centred where there are too many columns to try all pairs.
    """
    tree = cKDTree(frame)
    scale = LIKENESS * max(float(np.std(brightness)), 1e-300)
    best, best_score = expected, -np.inf
    pairs = _pairs(places, frame, tree, spacing, expected)
    likeness = _likeness(values[pairs[1]] - brightness[pairs[0]], scale)
    for candidate in _candidates(frame[pairs[1]] - places[pairs[0]], likeness, spacing, expected):
        shift, score = candidate, 0.0
        for _ in range(3):
            distance, nearest = tree.query(places + shift, distance_upper_bound=NEAR * spacing)
            hit = np.isfinite(distance)
            if hit.sum() < 3:
                break
            score = float(_likeness(values[nearest[hit]] - brightness[hit], scale).sum())
            shift = np.median(frame[nearest[hit]] - places[hit], axis=0)
        if score > best_score:
            best, best_score = shift, score
    return best


def _likeness(apart: Array, scale: float) -> Array:
    return np.asarray(1 / (1 + (apart / scale) ** 2))


def _pairs(
    places: Array, frame: Array, tree: cKDTree, spacing: float, expected: Array
) -> tuple[Index, Index]:
    """Indices of places and columns that may be the same: all, or those within reach."""
    if len(places) * len(frame) <= MOST_PAIRS:
        first, second = np.divmod(np.arange(len(places) * len(frame)), len(frame))
        return first, second
    near = tree.query_ball_point(places + expected, REACH_SPACINGS * spacing)
    numbers = np.array([len(one) for one in near])
    second = np.concatenate([np.asarray(one, dtype=int) for one in near])
    return np.repeat(np.arange(len(places)), numbers), second


def _candidates(shifts: Array, likeness: Array, spacing: float, expected: Array) -> Array:
    """Shifts (K, 2) that many pairs of like columns agree on, the most agreed first."""
    size = spacing / 4
    corner = shifts.min(axis=0) - size
    cells = np.floor((shifts - corner) / size).astype(int)
    shape = cells.max(axis=0) + 2
    flat = np.ravel_multi_index(tuple(cells.T), tuple(shape))
    table = np.bincount(flat, likeness, int(np.prod(shape))).reshape(shape)
    # votes may fall on both sides of a cell's edge; the summit must stay that of the heap
    votes = ndimage.gaussian_filter(table, 0.8, mode="constant")
    chosen = [expected]
    for _ in range(CANDIDATES):
        i, j = np.unravel_index(np.argmax(votes), votes.shape)
        if votes[i, j] <= 0:
            break
        chosen.append((np.array([i, j]) + 0.5) * size + corner)
        votes[max(i - 2, 0) : i + 3, max(j - 2, 0) : j + 3] = 0.0
    return np.array(chosen)


def match(places: Array, frame: Array, reach: float) -> tuple[Index, Index]:
    """Indices of places and of the frame's columns that are each other's nearest within `reach`."""
    distance, there = cKDTree(frame).query(places, distance_upper_bound=reach)
    _, back = cKDTree(places).query(frame)
    own = np.arange(len(places))
    hit = np.isfinite(distance)
    hit[hit] = back[there[hit]] == own[hit]
    return own[hit], there[hit]
