"""Amorphous matter: atoms at random that keep a minimum distance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from crewe.errors import SpecimenError
from crewe.specimens.cloud import Array, AtomCloud, Box, checked_box
from crewe.specimens.elements import atomic_mass_da
from crewe.specimens.points import separate_points
from crewe.specimens.stacking import stack_layers

# Da/Å³ in g/cm³
DALTON_PER_CUBIC_ANGSTROM = 1.66053906660
# Random sequential addition jams at a packing fraction of 0.384; close to it draws are wasted.
DENSEST_PACKING = 0.3
TRIES = 20
LAYER_THICKNESS = (6.0, 14.0)
# A slab of fewer layers than this gets wider blocks instead.
FEW_LAYERS = 2


class Amorphous(NamedTuple):
    """Amorphous matter and the density that it came out with."""

    cloud: AtomCloud
    density_g_cm3: float
    """The density of the cloud, which lies below the one asked for where atoms that keep the
    distance cannot be packed that densely at random."""


def amorphous_matter(
    element: int,
    box: Box,
    rng: Generator,
    density_g_cm3: float = 2.0,
    minimum_distance: float = 1.4,
    block_atoms: int | None = None,
) -> AtomCloud:
    """Fill a box (x, y, z in Å) with one element at random, as `amorphous` does, atoms only."""
    return amorphous(element, box, rng, density_g_cm3, minimum_distance, block_atoms).cloud


def amorphous(
    element: int,
    box: Box,
    rng: Generator,
    density_g_cm3: float,
    minimum_distance: float,
    block_atoms: int | None = None,
) -> Amorphous:
    """Fill a box with atoms of one element at random positions, `minimum_distance` Å apart.

    Random sequential addition up to the density, or to a packing fraction of 0.30, whichever is
    less. With `block_atoms` no more than about that many are drawn, in a periodic block about
    14 Å high, which is laid down in layers, each turned about z, mirrored, and shifted at random
    along x, y and z; between layers lies a gap of the minimum distance, made up for by a
    denser block. The projection of a few layers shows no period, because each layer's own points
    another way; and it takes a hundredth of the time. Without it the box is drawn as one.
    Raises SpecimenError for senseless numbers.
    """
    box = checked_box(box)
    if not (density_g_cm3 > 0 and minimum_distance > 0):
        raise SpecimenError(
            f"density {density_g_cm3} g/cm³ and distance {minimum_distance} Å must be positive"
        )
    per_volume = number_density(element, density_g_cm3)
    if block_atoms is None:
        positions = _one_block(box, per_volume, minimum_distance, rng)
    else:
        positions = _layers(box, per_volume, minimum_distance, block_atoms, rng)
    cloud = AtomCloud(np.full(len(positions), element, np.uint8), positions, box)
    reached = len(cloud) / (box[0] * box[1] * box[2])
    return Amorphous(cloud, reached * atomic_mass_da(element) * DALTON_PER_CUBIC_ANGSTROM)


def number_density(element: int, density_g_cm3: float) -> float:
    """Return the number of atoms per Å³ of an element at a density."""
    return density_g_cm3 / (atomic_mass_da(element) * DALTON_PER_CUBIC_ANGSTROM)


def reachable_density(per_volume: float, minimum_distance: float) -> float:
    """Return the atoms per Å³ that can be placed at random that far apart, at most `per_volume`."""
    return min(per_volume, DENSEST_PACKING / (np.pi / 6 * minimum_distance**3))


def _one_block(box: Box, per_volume: float, distance: float, rng: Generator) -> Array:
    count = round(reachable_density(per_volume, distance) * float(np.prod(box)))
    return separate_points(count, box, distance, rng, tries_per_point=TRIES).positions


def _layers(
    box: Box, per_volume: float, distance: float, block_atoms: int, rng: Generator
) -> Array:
    count = max(1, round(box[2] / (np.clip(box[2] / 3, *LAYER_THICKNESS) + distance)))
    # The gap lies between layers only, so that the outer faces are those of the box.
    height = (box[2] - (count - 1) * distance) / count
    wanted = per_volume * box[2] / (count * height)
    dense = reachable_density(wanted, distance)
    atoms = block_atoms * max(1.0, FEW_LAYERS / count)
    if dense * float(np.prod(box)) <= atoms:
        return _one_block(box, per_volume, distance, rng)
    diagonal = float(np.hypot(box[0], box[1]))
    side = min(float(np.sqrt(max(atoms, 1) / (dense * height))), diagonal)
    side = max(side, 2 * distance)
    placed = separate_points(
        max(1, round(dense * side * side * height)),
        (side, side, height),
        distance,
        rng,
        periodic=True,
        tries_per_point=TRIES,
    )
    return stack_layers(placed.positions, (side, side, height), box, count, distance, rng)
