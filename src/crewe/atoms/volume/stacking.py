"""Where along the beam each column stands: about a mid-plane, or on a flat face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from crewe.atoms.stamps import Array, Index
from crewe.atoms.volume.interlock import Neighbours, Ranges, interlock
from crewe.atoms.volume.ladders import (
    SAME_HEIGHT,
    Ladder,
    centred_runs,
    middles,
    runs_from,
    runs_up_to,
)

Flat = Literal["centre", "bottom", "top"]
# Planes that are tried within one period, where the crystal has so many heights.
MOST_PLANES = 48
FLATS = ("centre", "bottom", "top")

Found = TypeVar("Found")


class Stack(NamedTuple):
    """The run of rungs that each column occupies."""

    first: Index
    """Number of the first rung (n,) of each column in its ladder."""
    plane: Array
    """Height in Å (n,), on the ladder, of what lies at z = 0: the mid-plane or the flat face."""


def stack_columns(
    ladders: Sequence[Ladder],
    counts: Index,
    crystal: Index,
    neighbours: Neighbours,
    flat: Flat = "centre",
) -> Stack:
    """Choose the rungs of n columns with `counts` (n,) atoms each on their ladders.

    With `flat="centre"` the middle of every column is as near to one mid-plane as its rungs
    allow. Where the mid-plane lies between the lattice planes is not known: all places that
    make a difference are tried, and of two equally central runs of a column the one is taken
    that has more neighbours. The mid-plane under which the columns have most bonds wins, then the
    one about which they lie most closely. With "top" all columns begin at one plane where the
    beam enters, with "bottom" they end at one where it leaves; the plane is tried likewise.
    Crystals, numbered by `crystal` (n,), are stacked in rising order, each with its own plane
    and with a view to the bonds with those before it; the planes come to lie at one height.
    """
    first, plane = np.zeros(len(counts), np.int64), np.zeros(len(counts))
    settled: list[Array] = [np.zeros(0) for _ in counts]
    for number in np.unique(crystal):
        members = np.flatnonzero(crystal == number).tolist()
        kinds = [(ladders[n], int(counts[n])) for n in members]
        trials = [
            _trial(members, kinds, height, settled, neighbours, flat)
            for height in _planes(kinds, flat)
        ]
        best = max(trials, key=lambda trial: trial.merit)
        first[members], plane[members] = best.first, best.plane
        for n, begin in zip(members, best.first, strict=True):
            settled[n] = ladders[n].heights(int(begin), int(counts[n])) - best.plane
    return Stack(first, plane)


class _Trial(NamedTuple):
    first: Index
    plane: float
    merit: tuple[int, float, float]


def _trial(
    members: list[int],
    kinds: list[tuple[Ladder, int]],
    plane: float,
    settled: list[Array],
    neighbours: Neighbours,
    flat: Flat,
) -> _Trial:
    """Stack the columns of one crystal about a plane, beside those already settled."""
    runs = _once_each(kinds, lambda ladder, number: _RUNS[flat](ladder, number, plane))
    rungs = _once_each(
        kinds,
        lambda ladder, number: (
            ladder.heights(
                int(runs[id(ladder), number][0]), number + len(runs[id(ladder), number]) - 1
            )
            - plane
        ),
    )
    heights = list(settled)
    count = np.array([len(column) for column in settled])
    options = np.ones(len(settled), np.int64)
    for n, (ladder, number) in zip(members, kinds, strict=True):
        heights[n] = rungs[id(ladder), number]
        count[n], options[n] = number, len(runs[id(ladder), number])
    length = np.array([len(column) for column in heights])
    ranges = Ranges(np.concatenate(heights), np.cumsum(length) - length, count, options)
    choice, bonds = interlock(ranges, neighbours)
    first = np.array(
        [
            runs[id(ladder), number][choice[n]]
            for n, (ladder, number) in zip(members, kinds, strict=True)
        ]
    )
    off = sum(
        (ladder.middle(int(begin), number) - plane) ** 2
        for begin, (ladder, number) in zip(first, kinds, strict=True)
    )
    # Rounded, so that what is equal but for the last digit stays equal on every machine.
    return _Trial(first, plane, (int(bonds), -round(off, 4), -round(plane, 4)))


_RUNS: dict[str, Callable[[Ladder, int, float], Index]] = {
    "centre": centred_runs,
    "top": runs_from,
    "bottom": runs_up_to,
}


def _once_each(
    kinds: list[tuple[Ladder, int]], find: Callable[[Ladder, int], Found]
) -> dict[tuple[int, int], Found]:
    """What is found for each ladder and number of atoms, each looked for once."""
    found: dict[tuple[int, int], Found] = {}
    for ladder, number in kinds:
        if (id(ladder), number) not in found:
            found[id(ladder), number] = find(ladder, number)
    return found


def _planes(kinds: list[tuple[Ladder, int]], flat: Flat) -> Array:
    """Heights in Å, within one period, of the planes that can lead to different stacks."""
    period = kinds[0][0].period
    if flat != "centre":
        faces = _once_each(kinds, lambda ladder, number: ladder.rungs)
        return _distinct(np.concatenate(list(faces.values())), period)
    ties = _distinct(np.concatenate(list(_once_each(kinds, _ties).values())), period)
    following = np.append(ties[1:], ties[0] + period)
    return _distinct(np.concatenate([ties, (ties + following) / 2]), period)


def _ties(ladder: Ladder, number: int) -> Array:
    """Heights in Å half-way between successive middles of runs of a number of atoms."""
    places = np.sort(middles(ladder, number) % ladder.period)
    return (places + np.append(places[1:], places[0] + ladder.period)) / 2


def _distinct(heights: Array, period: float) -> Array:
    """Heights within one period, those nearer than `SAME_HEIGHT` once, `MOST_PLANES` at most."""
    ordered = np.sort(np.where(period - heights % period < SAME_HEIGHT, 0.0, heights % period))
    different = ordered[np.append(True, np.diff(ordered) > SAME_HEIGHT)]
    if len(different) > MOST_PLANES:
        return np.linspace(0.0, period, MOST_PLANES, endpoint=False)
    return different
