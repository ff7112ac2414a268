"""Crystals that nobody has seen: random cell, random space group, random sites.

Lobato et al. 2024, npj Comput. Mater. 10, 10 (doi:10.1038/s41524-023-01188-0), "Specimen
generation".
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from numba import njit
from numpy.random import Generator
from pydantic import field_validator

from crewe.errors import SpecimenError
from crewe.recipes import Distribution, RecipePart
from crewe.recipes.ranges import Count, Length, within
from crewe.specimens.cloud import Array, Index
from crewe.specimens.fill import Crystal
from crewe.specimens.nearest import nearest_image, plane_spacings
from crewe.specimens.space_groups import LAST_GROUP, draw_cell, operations
from crewe.specimens.special_positions import nearest_distance, orbit, to_special_position

SITE_TRIES = 24
CELL_TRIES = 200


class RandomCrystal(RecipePart):
    """What a random crystal is drawn from; the defaults are the paper's."""

    types: Annotated[Count, within(1, 103)] = {"integers": [1, 16]}
    """Number of elements, each on one site of the asymmetric unit; "up to 16"."""
    element: Annotated[Count, within(1, 103)] = {"integers": [1, 103]}
    """Atomic numbers, drawn until they differ; [1, 103]."""
    space_group: Annotated[Count, within(1, LAST_GROUP)] = {"integers": [1, 230]}
    """Number of the space group; [1, 230]."""
    lattice_parameter_angstrom: Annotated[Distribution, within(1, 1000)] = [3.1, 25.0]
    """Edges of the cell that its system leaves free; [3.1, 25.0] Å."""
    angle_deg: Annotated[Distribution, within(10, 170)] = [45.0, 120.0]
    """Angles of the cell that its system leaves free; [45°, 120°]."""
    merge_distance_angstrom: Length = [0.95, 2.5]
    """Distance below which symmetry images of a site merge to a special position. Ours: the
    paper only asks that the smallest distance lie in the range below."""
    smallest_distance_angstrom: tuple[float, float] = (0.95, 7.0)
    """Where the smallest distance between atoms must lie; [0.95, 7.0] Å."""

    @field_validator("smallest_distance_angstrom")
    @classmethod
    def _not_empty(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] < value[1]:
            raise ValueError(f"the range {list(value)} is empty: give 0 < lowest < highest")
        return value


class Drawn(NamedTuple):
    """A random crystal and what was drawn for it."""

    crystal: Crystal
    space_group: int
    elements: tuple[int, ...]
    """Atomic numbers, one for each site of the asymmetric unit."""
    smallest_distance: float
    """Smallest distance between two atoms in Å."""


def random_crystal(part: RandomCrystal, rng: Generator) -> Drawn:
    """Draw a crystal.

    Sites are drawn one after another in the whole cell, which is the asymmetric unit and its
    images. Where images of a site under the space group come closer than the merge distance, the
    site moves to their mean, a special position; without this, groups of high symmetry would
    leave room for hardly any atom in any but the largest cells. A site closer than allowed to
    those before is drawn again, then the whole cell; the space group and the number of elements
    stand, so that both keep their distribution. Raises SpecimenError after 200 cells.
    """
    group = part.draw("space_group", rng)
    elements = _elements(part, rng)
    rotations, shifts = operations(group)
    nearest, farthest = part.smallest_distance_angstrom
    for _ in range(CELL_TRIES):
        cell = draw_cell(
            group,
            lambda: part.draw("lattice_parameter_angstrom", rng),
            lambda: part.draw("angle_deg", rng),
        )
        merge = max(part.draw("merge_distance_angstrom", rng), nearest)
        draws = rng.random((len(elements), SITE_TRIES, 3))
        scaled, counts, smallest = _sites(
            draws, rotations, shifts, cell, plane_spacings(cell), merge, nearest, farthest
        )
        if len(scaled) and smallest <= farthest:
            numbers = np.repeat(np.array(elements, dtype=np.uint8), counts)
            return Drawn(Crystal(cell, numbers, scaled), group, elements, smallest)
    raise SpecimenError(
        f"no crystal of space group {group} with {len(elements)} elements and distances from "
        f"{nearest} to {farthest} Å came out of {CELL_TRIES} draws: widen the ranges"
    )


def _elements(part: RandomCrystal, rng: Generator) -> tuple[int, ...]:
    wanted = part.draw("types", rng)
    chosen: dict[int, None] = {}
    for _ in range(1000):
        chosen[part.draw("element", rng)] = None
        if len(chosen) == wanted:
            return tuple(chosen)
    raise SpecimenError(f"{wanted} different elements are not among those to draw from")


@njit(cache=True, nogil=True)
def _sites(
    draws: Array,
    rotations: Array,
    shifts: Array,
    cell: Array,
    spacings: Array,
    merge: float,
    nearest: float,
    farthest: float,
) -> tuple[Array, Index, float]:
    """Atoms of all sites, how many each has, and their smallest distance; none if it fails."""
    atoms = np.empty((len(draws) * len(shifts), 3))
    counts = np.zeros(len(draws), np.int64)
    total = 0
    zero = nearest_image(0.0, 0.0, 0.0, cell, spacings, farthest * 1.0001, True)[0]
    smallest = np.sqrt(zero)
    if smallest < nearest:
        return atoms[:0], counts, smallest
    for n in range(len(draws)):
        for t in range(draws.shape[1]):
            site = draws[n, t]
            order = to_special_position(site, rotations, shifts, cell, spacings, merge)
            if order == 0:
                continue
            gap = nearest_distance(site, atoms, total, cell, spacings, smallest)
            if gap < nearest:
                continue
            count = orbit(site, order, rotations, shifts, cell, spacings, atoms[total:])
            if count * order != len(shifts):
                continue
            gap = nearest_distance(site, atoms[total + 1 :], count - 1, cell, spacings, gap)
            if gap < nearest:
                continue
            counts[n], smallest = count, gap
            total += count
            break
        if counts[n] == 0:
            return atoms[:0], counts, smallest
    return atoms[:total], counts, smallest
