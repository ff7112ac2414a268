"""Amorphous graphene: a continuous random network of three-fold carbon with rings of 5, 6, 7.

The rings of a flat three-fold network are the vertices of a triangulation, its atoms the
triangles, and a Stone–Wales turn of a bond is the flip of the edge that it crosses. So the
network is a triangular lattice of rings, of which edges are flipped at random, as long as every
ring keeps 5, 6 or 7 sides; the atoms are then relaxed with a harmonic force field after
Keating 1966 (doi:10.1103/PhysRev.145.637) in its form for flat carbon. Bond-switching:
Wooten, Winer & Weaire 1985 (doi:10.1103/PhysRevLett.54.1392).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from crewe.errors import SpecimenError
from crewe.specimens.cloud import Array, AtomCloud, Box, checked_box
from crewe.specimens.planar_network import Network, flip_edges, triangular_rings
from crewe.specimens.planar_relaxation import relax, tutte_positions

CARBON = 6
BOND = 1.42


def amorphous_graphene(
    box: Box,
    rng: Generator,
    flips_per_ring: float = 0.5,
    bond_length: float = BOND,
    block_angstrom: float = 60.0,
) -> AtomCloud:
    """Cover a box with one sheet of amorphous graphene, in the middle of its height.

    `flips_per_ring` bonds are tried for each ring: 0 gives graphene, 0.5 a network with
    little long-range order left, in which half of the rings have six sides and bonds vary by
    0.05 Å (standard deviation); more hardly changes the rings and strains the bonds. The sheet
    is a piece, cut at random, of a network that is periodic in x and y, with periods a little
    larger than the box or about `block_angstrom`, whichever is less: relaxing takes longer than
    in proportion. Its mean bond is `bond_length` Å; positions are rounded to 0.001 Å.
    Raises SpecimenError for an impossible box or a negative number of flips.
    """
    box = checked_box(box)
    if flips_per_ring < 0 or not bond_length > 0:
        raise SpecimenError(
            f"{flips_per_ring} flips and bonds of {bond_length} Å are impossible: give positive"
        )
    width, height = (min(length, block_angstrom) for length in box[:2])
    positions, _, periods = random_network(width, height, rng, flips_per_ring, bond_length)
    positions = (positions + rng.random(2) * periods) % periods
    copies = np.ceil(np.array(box[:2]) / periods).astype(int)
    steps = np.stack(np.meshgrid(*(np.arange(n) for n in copies)), axis=-1).reshape(-1, 1, 2)
    # Solvers differ in the last bits from processor to processor; a thousandth of an Å does not.
    positions = np.round((positions + steps * periods).reshape(-1, 2), 3)
    inside = (positions < np.array(box[:2])).all(axis=1)
    flat = np.column_stack([positions[inside], np.full(int(inside.sum()), 0.5 * box[2])])
    return AtomCloud(np.full(len(flat), CARBON, np.uint8), flat, box)


def random_network(
    width: float, height: float, rng: Generator, flips_per_ring: float, bond_length: float = BOND
) -> tuple[Array, Network, Array]:
    """Make a periodic network at least as large as width times height, in Å.

    Returns positions (n, 2), not wrapped, the network, and the periods x, y. The periods
    are such that the mean bond of the relaxed network has the length asked for.
    """
    spacing = np.sqrt(3) * bond_length
    # Disorder shrinks the sheet by a few per cent; a margin keeps it larger than the box.
    columns = int(np.ceil(1.08 * width / spacing)) + 2
    rows = 2 * (int(np.ceil(1.08 * height / (np.sqrt(3) * spacing))) + 1)
    rings = triangular_rings(max(columns, 4), max(rows, 4))
    flip_edges(rings, round(flips_per_ring * rings.count), rng)
    network = rings.network()
    periods = spacing * rings.periods
    positions = tutte_positions(network, periods)
    for _ in range(4):
        positions = relax(positions, network, periods, bond_length)
        scale = bond_length / network.bond_lengths(positions, periods).mean()
        positions, periods = positions * scale, periods * scale
    return positions, network, periods
