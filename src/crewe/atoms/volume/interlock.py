"""How well neighbouring columns interlock, and the choice between equally central places."""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from crewe.atoms.stamps import Array, Index

# A column may change its place this often; each change gains a bond, so this is never reached.
SWEEPS = 200


class Ranges(NamedTuple):
    """For each column the heights that its atoms are chosen from, as flat arrays."""

    heights: Array
    """Rungs in Å of all columns, one column after the other, rising within each."""
    begin: Index
    """Where the rungs of each column (n,) begin."""
    atoms: Index
    """Atoms in each column (n,)."""
    options: Index
    """Number of places (n,) for the run of atoms: it begins on rung 0, 1, … of the column."""


class Neighbours(NamedTuple):
    """Pairs of columns that can touch."""

    first: Index
    """Where the neighbours of each column begin (n + 1,)."""
    other: Index
    """The neighbours (2 × pairs,)."""
    reach: Array
    """Least difference in height (2 × pairs,), in Å, at which atoms of the two do not touch."""


def column_neighbours(places: Array, radius: Array) -> Neighbours:
    """Pairs among columns at places (n, 2) in Å whose atoms touch within a radius (n,) in Å.

    Between columns of two crystals the longer radius counts.
    """
    size = len(places)
    pairs = cKDTree(places).query_pairs(float(radius.max(initial=0.0)), output_type="ndarray")
    pairs = np.concatenate([pairs, pairs[:, ::-1]]).astype(np.int64)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    apart = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    longest = np.maximum(radius[pairs[:, 0]], radius[pairs[:, 1]])
    near = apart < longest
    reach = np.sqrt(longest[near] ** 2 - apart[near] ** 2)
    first = np.searchsorted(pairs[near, 0], np.arange(size + 1))
    return Neighbours(first.astype(np.int64), np.ascontiguousarray(pairs[near, 1]), reach)


@njit(cache=True, nogil=True)
def touching(lower: Array, upper: Array, reach: float) -> int:
    """Number of pairs of heights, one of each rising list, that differ by less than `reach`."""
    total, begin, end = 0, 0, 0
    for height in lower:
        while begin < len(upper) and upper[begin] <= height - reach:
            begin += 1
        while end < len(upper) and upper[end] < height + reach:
            end += 1
        total += max(0, end - begin)
    return total


@njit(cache=True, nogil=True)
def _bonds(n: int, option: int, choice: Index, ranges: Ranges, neighbours: Neighbours) -> int:
    start = ranges.begin[n] + option
    own = ranges.heights[start : start + ranges.atoms[n]]
    total = 0
    for pair in range(neighbours.first[n], neighbours.first[n + 1]):
        m = neighbours.other[pair]
        start = ranges.begin[m] + choice[m]
        theirs = ranges.heights[start : start + ranges.atoms[m]]
        total += touching(own, theirs, neighbours.reach[pair])
    return total


@njit(cache=True, nogil=True)
def interlock(ranges: Ranges, neighbours: Neighbours) -> tuple[Index, int]:
    """Let each column take the place with most bonds to its neighbours, until none moves.

    Columns move one after the other in the order of the table and stay where they are when
    nothing is gained, so that the same table gives the same model. Returns the place of every
    column and the number of bonds between columns.
    """
    size = len(ranges.atoms)
    choice = np.zeros(size, np.int64)
    for _ in range(SWEEPS):
        moved = False
        for n in range(size):
            best, most = choice[n], _bonds(n, choice[n], choice, ranges, neighbours)
            for option in range(ranges.options[n]):
                found = _bonds(n, option, choice, ranges, neighbours)
                if found > most:
                    best, most = option, found
            moved = moved or best != choice[n]
            choice[n] = best
        if not moved:
            break
    total = 0
    for n in range(size):
        total += _bonds(n, choice[n], choice, ranges, neighbours)
    return choice, total // 2
