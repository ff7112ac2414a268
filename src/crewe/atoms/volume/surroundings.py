"""What counts as a neighbour in the crystals of a model, and how many an atom of the bulk has."""

from collections.abc import Sequence

import numpy as np

from crewe.atoms.lattice.results import FittedLattice
from crewe.atoms.stamps import Array
from crewe.atoms.volume.crystal import (
    beyond_first_shell,
    bulk_coordination,
    cell_atoms,
    neighbour_distances,
)
from crewe.atoms.volume.ladders import ladder_of

Sites = dict[int, list[int]]
"""The sites of each crystal that stand in the model."""


def touching_radius(lattices: Sequence[FittedLattice], sites: Sites) -> Array:
    """Radius in Å for each lattice within which counted atoms of two columns touch.

    It ends between the first two shells of the counted atoms of other columns; 0 for a lattice
    that has no columns.
    """
    radius = np.zeros(len(lattices))
    for number, own in sites.items():
        cell = lattices[number].cell
        counted = {ladder_of(cell, site).element for site in own}
        atoms = cell_atoms(cell, own, counted)
        radius[number] = beyond_first_shell(neighbour_distances(atoms, across=True))
    return radius


def bulk_neighbours(
    lattices: Sequence[FittedLattice], sites: Sites, radius: float | None
) -> tuple[float, dict[tuple[int, int, str], int]]:
    """Radius of the neighbours in Å, and their number in each crystal, site and element.

    Without a radius it ends between the first two shells; of several crystals the longest.
    """
    cells = {number: cell_atoms(lattices[number].cell, own) for number, own in sites.items()}
    distances = {number: neighbour_distances(atoms) for number, atoms in cells.items()}
    if radius is None:
        radius = max(beyond_first_shell(near) for near in distances.values())
    bulk = {
        (number, *kind): count
        for number, atoms in cells.items()
        for kind, count in bulk_coordination(atoms, distances[number], radius).items()
    }
    return float(radius), bulk
