"""Flat three-fold networks as triangulations of their rings on a periodic rectangle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.random import Generator

from crewe.specimens.cloud import Array, Index

FEWEST, MOST = 5, 7


@dataclass(frozen=True)
class Network:
    """Atoms and bonds of a periodic network."""

    bonds: Index
    """Atoms at the two ends, (3n/2, 2)."""
    images: Index
    """Periods in x and y by which the second end lies away, (3n/2, 2)."""
    neighbours: Index
    """The three neighbours of each atom, (n, 3)."""
    neighbour_images: Index
    """Periods by which each lies away, (n, 3, 2)."""
    ring_sizes: Index
    """Number of atoms of every ring."""

    def bond_lengths(self, positions: Array, periods: Array) -> Array:
        """Return the length of every bond, (3n/2,)."""
        ends = positions[self.bonds[:, 1]] + self.images * periods
        return np.linalg.norm(ends - positions[self.bonds[:, 0]], axis=1)


@dataclass
class Rings:
    """A triangulation: half-edges in threes, each three one triangle, each triangle an atom."""

    origin: Index
    """Ring from which each half-edge starts, (3n,)."""
    twin: Index
    """The half-edge that runs the other way, (3n,)."""
    step: Array
    """Vector along each half-edge on the undisturbed lattice, spacing 1, (3n, 2)."""
    place: Array
    """Where each ring stands on the undisturbed lattice, (count, 2)."""
    degree: Index
    """Sides of each ring, (count,)."""
    periods: Array
    """Periods in x and y in lattice spacings, (2,)."""

    @property
    def count(self) -> int:
        """Number of rings."""
        return len(self.degree)

    def network(self) -> Network:
        """Return atoms, at the middles of the triangles, and their bonds across the edges."""
        half = np.arange(len(self.origin))
        following = half - half % 3 + (half + 1) % 3
        # The middle of a triangle as seen from the start of each of its half-edges.
        middle = (2 * self.step + self.step[following]) / 3
        across = self.step + middle[self.twin] - middle
        first = np.arange(0, len(half), 3)
        place = self.place[self.origin[first]] + middle[first]
        atom, other = half // 3, self.twin // 3
        images = np.rint((across - place[other] + place[atom]) / self.periods).astype(np.int64)
        once = half < self.twin
        return Network(
            np.stack([atom[once], other[once]], axis=1),
            images[once],
            other.reshape(-1, 3),
            images.reshape(-1, 3, 2),
            self.degree.copy(),
        )


def triangular_rings(columns: int, rows: int) -> Rings:
    """Return the rings of perfect graphene: a triangular lattice; an even number of rows."""
    across, up = np.meshgrid(np.arange(columns), np.arange(rows))
    i, j = up.ravel(), across.ravel()
    place = np.stack([j + 0.5 * (i % 2), i * np.sqrt(3) / 2], axis=1)
    slant = np.array([0.5, np.sqrt(3) / 2])
    right = i * columns + (j + 1) % columns
    above = (i + 1) % rows * columns + (j + i % 2) % columns
    above_left = (i + 1) % rows * columns + (j + i % 2 - 1) % columns
    here = i * columns + j
    upward = np.stack([here, right, above], axis=1)
    downward = np.stack([here, above, above_left], axis=1)
    e = np.array([1.0, 0.0])
    up_steps = np.stack([e, slant - e, -slant])
    down_steps = np.stack([slant, -e, e - slant])
    origin = np.concatenate([upward, downward]).ravel()
    step = np.concatenate([np.tile(up_steps, (len(i), 1)), np.tile(down_steps, (len(i), 1))])
    twin = _twins(origin)
    periods = np.array([columns, rows * np.sqrt(3) / 2])
    return Rings(origin, twin, step, place, np.full(len(i), 6, np.int64), periods)


def _twins(origin: Index) -> Index:
    half = np.arange(len(origin))
    end = origin[half - half % 3 + (half + 1) % 3]
    known = {(a, b): h for h, (a, b) in enumerate(zip(origin.tolist(), end.tolist(), strict=True))}
    return np.array([known[b, a] for a, b in zip(origin.tolist(), end.tolist(), strict=True)])


def flip_edges(rings: Rings, flips: int, rng: Generator) -> int:
    """Flip edges drawn at random, in place, where rings stay within 5..7; return how many were."""
    draws = rng.integers(len(rings.origin), size=flips)
    return _flip(draws, rings.origin, rings.twin, rings.step, rings.degree)


@njit(cache=True, nogil=True)
def _flip(draws: Index, origin: Index, twin: Index, step: Array, degree: Index) -> int:
    done = 0
    for h in draws:
        g = twin[h]
        h1, h2 = h - h % 3 + (h + 1) % 3, h - h % 3 + (h + 2) % 3
        g1, g2 = g - g % 3 + (g + 1) % 3, g - g % 3 + (g + 2) % 3
        a, b, c, d = origin[h], origin[h1], origin[h2], origin[g2]
        if len({a, b, c, d}) < 4:
            continue
        if min(degree[a], degree[b]) == FEWEST or max(degree[c], degree[d]) == MOST:
            continue
        if _joined(c, d, h2, origin, twin):
            continue
        degree[a], degree[b] = degree[a] - 1, degree[b] - 1
        degree[c], degree[d] = degree[c] + 1, degree[d] + 1
        _turn(h, h1, h2, g, g1, g2, origin, twin, step)
        done += 1
    return done


@njit(cache=True, nogil=True)
def _joined(c: int, d: int, start: int, origin: Index, twin: Index) -> bool:
    """Whether two rings already share a bond; `start` is a half-edge that leaves ring c."""
    h = start
    while True:
        if origin[h - h % 3 + (h + 1) % 3] == d:
            return True
        h = twin[h - h % 3 + (h + 2) % 3]
        if h == start:
            return False


@njit(cache=True, nogil=True)
def _turn(
    h: int, h1: int, h2: int, g: int, g1: int, g2: int, origin: Index, twin: Index, step: Array
) -> None:
    """Replace the edge a-b of the triangles a b c and b a d by c-d: now d c a and c d b."""
    a, b, c, d = origin[h], origin[h1], origin[h2], origin[g2]
    outer = (twin[h1], twin[h2], twin[g1], twin[g2])
    bc, ca, ad, db = step[h1].copy(), step[h2].copy(), step[g1].copy(), step[g2].copy()
    # Triangle of h: d → c → a → d.  Triangle of g: c → d → b → c.
    origin[h], origin[h1], origin[h2] = d, c, a
    origin[g], origin[g1], origin[g2] = c, d, b
    step[h], step[h1], step[h2] = -(ca + ad), ca, ad
    step[g], step[g1], step[g2] = ca + ad, db, bc
    for inner, other in ((h1, outer[1]), (h2, outer[2]), (g1, outer[3]), (g2, outer[0])):
        twin[inner] = other
        twin[other] = inner
