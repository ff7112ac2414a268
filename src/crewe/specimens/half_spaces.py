"""Convex regions as intersections of half-spaces: the one form of every shape here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.errors import SpecimenError
from crewe.physics.small_matrices import product
from crewe.specimens.cloud import Array, AtomCloud, Numbers

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class HalfSpaces:
    """The points r with n·r ≤ d for every normal n and offset d."""

    normals: Array
    """Outward normals, (m, 3); of any length, which scales the offset too."""
    offsets: Array
    """Offsets in Å, (m,)."""

    def __post_init__(self) -> None:
        normals = np.ascontiguousarray(self.normals, dtype=np.float64).reshape(-1, 3)
        offsets = np.ascontiguousarray(self.offsets, dtype=np.float64).reshape(-1)
        if len(normals) != len(offsets):
            raise SpecimenError(f"{len(normals)} normals need as many offsets, not {len(offsets)}")
        object.__setattr__(self, "normals", normals)
        object.__setattr__(self, "offsets", offsets)

    def __and__(self, other: HalfSpaces) -> HalfSpaces:
        """Return what lies in both."""
        return HalfSpaces(
            np.concatenate([self.normals, other.normals]),
            np.concatenate([self.offsets, other.offsets]),
        )

    def inside(self, positions: Array) -> Mask:
        """Return which positions (n, 3) lie inside or on the surface."""
        return _inside(np.ascontiguousarray(positions), self.normals, self.offsets)

    def cut(self, cloud: AtomCloud, keep: bool = True) -> AtomCloud:
        """Return the atoms inside, or with `keep` false those outside."""
        numbers, positions = _cut(
            cloud.numbers,
            np.ascontiguousarray(cloud.positions),
            self.normals,
            self.offsets,
            keep,
        )
        return AtomCloud(numbers, positions, cloud.box)

    def turned(self, rotation: Array) -> HalfSpaces:
        """Return the region turned about the origin by a rotation (3, 3)."""
        return HalfSpaces(product(self.normals, np.asarray(rotation).T), self.offsets)

    def moved(self, shift: tuple[float, float, float] | Array) -> HalfSpaces:
        """Return the region moved by x, y, z Å."""
        return HalfSpaces(self.normals, self.offsets + product(self.normals, shift))


def cut(cloud: AtomCloud, region: HalfSpaces, keep: bool = True) -> AtomCloud:
    """Return the atoms inside a region, or with `keep` false those outside."""
    return region.cut(cloud, keep)


@njit(cache=True, nogil=True)
def _contains(x: float, y: float, z: float, normals: Array, offsets: Array) -> bool:
    for m in range(len(offsets)):
        if normals[m, 0] * x + normals[m, 1] * y + normals[m, 2] * z > offsets[m]:
            return False
    return True


@njit(cache=True, nogil=True)
def _inside(positions: Array, normals: Array, offsets: Array) -> Mask:
    mask = np.empty(len(positions), np.bool_)
    for n in range(len(positions)):
        mask[n] = _contains(positions[n, 0], positions[n, 1], positions[n, 2], normals, offsets)
    return mask


@njit(cache=True, nogil=True)
def _cut(
    numbers: Numbers, positions: Array, normals: Array, offsets: Array, keep: bool
) -> tuple[Numbers, Array]:
    """Atoms inside (keep) or outside, in one pass."""
    chosen, places = np.empty_like(numbers), np.empty_like(positions)
    count = 0
    for n in range(len(positions)):
        x, y, z = positions[n, 0], positions[n, 1], positions[n, 2]
        if _contains(x, y, z, normals, offsets) == keep:
            chosen[count] = numbers[n]
            places[count, 0], places[count, 1], places[count, 2] = x, y, z
            count += 1
    return chosen[:count], places[:count]
