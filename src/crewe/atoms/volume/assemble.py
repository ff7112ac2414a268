"""Runs of rungs become atoms in a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crewe.atoms.stamps import Array, Index
from crewe.atoms.volume.ladders import Ladder
from crewe.atoms.volume.stacking import Stack

if TYPE_CHECKING:
    from ase import Atoms

# Empty room, in Å, around the outermost nuclei.
MARGIN = 2.0


class Matter(NamedTuple):
    """Atoms, those of a column together, the counted ones of it first."""

    element: list[str]
    position: Array
    """Places (N, 3) in Å; z = 0 is the plane about which, or on which, the columns stand."""
    column: Index
    """Which of the stacked columns each atom (N,) belongs to."""


def assemble(ladders: Sequence[Ladder], counts: Index, stack: Stack, places: Array) -> Matter:
    """Atoms of n columns with `counts` (n,) atoms that stand at `places` (n, 2) in Å."""
    element, height, column = [], [], []
    for n, ladder in enumerate(ladders):
        run = int(stack.first[n]), int(counts[n])
        groups = [(ladder.element, ladder.heights(*run)), *ladder.companions(*run)]
        for name, heights in groups:
            element += [name] * len(heights)
            height.append(heights - stack.plane[n])
            column.append(np.full(len(heights), n))
    of = np.concatenate(column)
    return Matter(element, np.column_stack([places[of], np.concatenate(height)]), of)


def boxed(matter: Matter) -> tuple[Atoms, Array]:
    """The atoms in their bounding box with a margin, and the place (x, y, z) of its corner."""
    from ase import Atoms

    low, high = matter.position.min(axis=0), matter.position.max(axis=0)
    atoms = Atoms(
        matter.element,
        positions=matter.position - low + MARGIN,
        cell=high - low + 2 * MARGIN,
        pbc=False,
    )
    return atoms, low - MARGIN
