"""Metal nanoparticles of a given number of atoms, from crystalline to amorphous.

After the particles of Combs et al. 2019, Adv. Struct. Chem. Imaging 5, 2
(doi:10.1186/s40679-019-0064-2), section "Dataset".
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from crewe.errors import SpecimenError
from crewe.physics.small_matrices import length, product
from crewe.specimens.cloud import Array, AtomCloud, Box
from crewe.specimens.cluster_relaxation import relax_cluster
from crewe.specimens.orientation import random_rotation
from crewe.specimens.particles import centred

PLATINUM_LATTICE = 3.9231
NANOPARTICLES: dict[str, dict[int, int]] = {
    "Pt": {78: 561},
    "Pt-Mo 5 %": {78: 557, 42: 29},
    "Pt-Mo 50 %": {78: 281, 42: 280},
}
"""The paper's particles: number of atoms of each element, by its atomic number."""

# Standard deviation of the first displacement in nearest-neighbour distances: enough to melt.
_SHAKE = 0.6
# Shaken atoms nearer than this to the core, in the same unit, would sit in its interstices.
_CLEARANCE = 0.8
# What counts as physical: 2.2 Å for Pt.
_LEAST_DISTANCE = 0.793
_ATTEMPTS = 10


def nanoparticle(
    counts: Mapping[int, int],
    rng: Generator,
    disorder: float = 0.0,
    lattice_parameter: float = PLATINUM_LATTICE,
    rotation: Array | None = None,
    box: Box | None = None,
) -> AtomCloud:
    """Make an fcc particle of exactly these atoms, its elements mixed at random.

    At no disorder it is a cuboctahedron about an atom, or its next shell begun, where the number
    is not one of 13, 55, 147, 309, 561, … . At a disorder of d the (1 − d) part of the atoms that
    is nearest to a random point of the surface keeps its lattice sites, as a crystal that has
    grown from there; the others are shaken out of theirs by 0.6 nearest-neighbour distances
    (standard deviation along each axis) and quenched in a Morse potential. So at d = 1 nothing
    crystalline is left, and distances stay physical throughout (for Pt 2.2 Å and more).
    `rotation` (3, 3) turns the particle, at random if None.
    Raises SpecimenError for impossible counts, or a box that is too small.
    """
    if not counts or min(counts.values()) < 0 or sum(counts.values()) == 0:
        raise SpecimenError(f"a particle needs atoms: give counts by atomic number, not {counts}")
    if not 0 <= disorder <= 1:
        raise SpecimenError(f"disorder lies between 0 and 1, not at {disorder}")
    sites = cuboctahedral_sites(sum(counts.values()), lattice_parameter)
    positions = _disordered(sites, disorder, lattice_parameter / np.sqrt(2), rng)
    numbers = np.repeat(list(counts), list(counts.values())).astype(np.uint8)
    turn = random_rotation(rng) if rotation is None else np.asarray(rotation)
    cloud = AtomCloud(rng.permutation(numbers), product(positions, turn.T), (1.0, 1.0, 1.0))
    return centred(cloud, box)


def cuboctahedral_sites(count: int, lattice_parameter: float) -> Array:
    """Return the `count` fcc sites that fill cuboctahedra about an atom shell by shell, (n, 3).

    Within a shell the sites nearest to the centre come first: islands on the facets.
    """
    shells = 1
    while (10 * shells**3 + 15 * shells**2 + 11 * shells + 3) // 3 < count:
        shells += 1
    steps = np.arange(-shells, shells + 1)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[grid.sum(axis=1) % 2 == 0]
    size = np.abs(grid)
    # Sites in halves of a: the shell is the largest of |x| and half of |x| + |y| + |z|.
    shell = np.maximum(size.max(axis=1), (size.sum(axis=1) + 1) // 2)
    order = np.lexsort((grid[:, 2], grid[:, 1], grid[:, 0], (grid**2).sum(axis=1), shell))
    return grid[order[:count]] * lattice_parameter / 2


def _disordered(sites: Array, disorder: float, distance: float, rng: Generator) -> Array:
    """Sites of which a part is melted and quenched."""
    core = _core(sites, 1 - disorder, rng)
    if core.all():
        return sites
    for _ in range(_ATTEMPTS):
        shaken = _shaken(sites, core, distance, rng)
        positions = relax_cluster(shaken, core, distance)
        if cKDTree(positions).query(positions, k=2)[0][:, 1].min() >= _LEAST_DISTANCE * distance:
            return positions
    raise SpecimenError(f"no physical arrangement of {len(sites)} atoms at disorder {disorder}")


def _shaken(sites: Array, core: NDArray[np.bool_], distance: float, rng: Generator) -> Array:
    """Sites with those outside the core displaced, neither into the core nor off the particle."""
    positions = sites.copy()
    radius = float(np.linalg.norm(sites, axis=1).max())
    tree = cKDTree(sites[core]) if core.any() else None
    moving = np.flatnonzero(~core)
    for _ in range(100):
        draw = sites[moving] + _SHAKE * distance * rng.standard_normal((len(moving), 3))
        bad = np.linalg.norm(draw, axis=1) > radius
        if tree is not None:
            bad |= tree.query(draw)[0] < _CLEARANCE * distance
        positions[moving] = np.where(bad[:, None], sites[moving], draw)
        moving = moving[bad]
        if len(moving) == 0:
            break
    return positions


def _core(sites: Array, share: float, rng: Generator) -> NDArray[np.bool_]:
    """The share of the sites that lies nearest to a random point on the surface."""
    direction = rng.standard_normal(3)
    point = np.linalg.norm(sites, axis=1).max() * direction / length(direction)
    order = np.argsort(np.round(np.linalg.norm(sites - point, axis=1), 6), kind="stable")
    core = np.zeros(len(sites), dtype=bool)
    core[order[: round(share * len(sites))]] = True
    return core
