"""Vacancies, and atoms knocked off their places."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.random import Generator

from crewe.errors import SpecimenError
from crewe.specimens.cloud import Array, AtomCloud, Index, Numbers
from crewe.specimens.elements import atomic_radii


def with_vacancies(cloud: AtomCloud, count: int, rng: Generator) -> AtomCloud:
    """Remove `count` atoms drawn at random. Raises SpecimenError if there are not as many."""
    chosen = _checked(cloud, count)
    numbers, positions = _without(
        cloud.numbers, np.ascontiguousarray(cloud.positions), chosen, rng.random(len(cloud))
    )
    return AtomCloud(numbers, positions, cloud.box)


def with_displaced_atoms(
    cloud: AtomCloud, count: int, rng: Generator, step_radii: float = 1.0
) -> AtomCloud:
    """Displace `count` atoms drawn at random by a normal step along each of x, y and z.

    The standard deviation of the step is `step_radii` atomic (covalent) radii of the element.
    Raises SpecimenError if there are not as many atoms.
    """
    chosen = _checked(cloud, count)
    picked = _picked(len(cloud), chosen, rng.random(len(cloud)))
    positions = cloud.positions.copy()
    steps = rng.standard_normal((chosen, 3))
    _displace(positions, cloud.numbers, picked, steps, step_radii * atomic_radii())
    return AtomCloud(cloud.numbers, positions, cloud.box)


def _checked(cloud: AtomCloud, count: int) -> int:
    if not 0 <= count <= len(cloud):
        raise SpecimenError(f"{count} defects among {len(cloud)} atoms: give a count between")
    return int(count)


@njit(cache=True, nogil=True)
def _picked(size: int, count: int, draws: Array) -> Index:
    """Indices of `count` out of `size`, every choice alike likely (Knuth, algorithm S)."""
    chosen = np.empty(count, np.int64)
    found = 0
    for n in range(size):
        if (size - n) * draws[n] < count - found:
            chosen[found] = n
            found += 1
    return chosen


@njit(cache=True, nogil=True)
def _displace(
    positions: Array, numbers: Numbers, picked: Index, steps: Array, deviations: Array
) -> None:
    for n in range(len(picked)):
        deviation = deviations[numbers[picked[n]]]
        for axis in range(3):
            positions[picked[n], axis] += deviation * steps[n, axis]


@njit(cache=True, nogil=True)
def _without(numbers: Numbers, positions: Array, count: int, draws: Array) -> tuple[Numbers, Array]:
    """Atoms that `_picked` leaves, in one pass."""
    size = len(numbers)
    left, places = np.empty(size - count, np.uint8), np.empty((size - count, 3))
    found = 0
    for n in range(size):
        if (size - n) * draws[n] < count - found:
            found += 1
            continue
        left[n - found] = numbers[n]
        for axis in range(3):
            places[n - found, axis] = positions[n, axis]
    return left, places
