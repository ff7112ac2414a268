"""Heights at which the atoms of a site can stand along the beam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crewe.atoms.stamps import Array, Index
from crewe.atoms.unit_cell import ProjectedCell
from crewe.errors import SpecimenError

# Heights nearer than this, in Å, are one height: files round their coordinates.
SAME_HEIGHT = 0.02


@dataclass(frozen=True)
class Ladder:
    """The rungs of one site: heights that its counted atoms can take, and what comes with them.

    Rungs are numbered through all periods: rung k + q stands one period above rung k.
    """

    element: str
    """The heaviest element of the site, whose atoms are counted."""
    rungs: Array
    """Heights (q,) in Å of the counted atoms of one period, rising, from 0 up to the period."""
    period: float
    """Period along the beam in Å."""
    lighter: tuple[tuple[str, float], ...]
    """Element and height in Å, within one period, of every other atom of the site."""

    def heights(self, first: int, number: int) -> Array:
        """Heights (number,) in Å of the rungs from `first` upwards."""
        rung = np.arange(first, first + number)
        return rung // len(self.rungs) * self.period + self.rungs[rung % len(self.rungs)]

    def middle(self, first: int, number: int) -> float:
        """Height in Å half-way between the first and the last of a run of atoms."""
        ends = self.heights(first, number)[[0, -1]]
        return float(ends.mean())

    def companions(self, first: int, number: int) -> list[tuple[str, Array]]:
        """Heights in Å of the lighter atoms that come along with a run of counted ones.

        Each counted atom brings the lighter atoms that lie nearer to it than to the next
        counted one, and half-way those below it: as many per counted atom as in the crystal.
        """
        around = self.heights(first - 1, number + 2)
        low = (around[0] + around[1]) / 2 - SAME_HEIGHT
        high = (around[-2] + around[-1]) / 2 - SAME_HEIGHT
        found = []
        for element, height in self.lighter:
            periods = np.arange(
                np.ceil((low - height) / self.period), np.ceil((high - height) / self.period)
            )
            found.append((element, height + periods * self.period))
        return found


def ladder_of(cell: ProjectedCell, site: int, lift: float = 0.0) -> Ladder:
    """The ladder of a site of a projected cell, lifted by a part of the period.

    Raises SpecimenError when the cell holds no heights, no period or an unknown element.
    """
    from ase.data import atomic_numbers

    if not cell.atoms or cell.repeat_angstrom is None or not cell.repeat_angstrom > 0:
        raise SpecimenError(
            f"the unit cell with sites {', '.join(dict.fromkeys(cell.names))} is known in "
            "projection only; a 3D model needs the heights of its atoms: give the crystal as a "
            "CIF file with the zone axis"
        )
    atoms = cell.atoms[site]
    unknown = [element for element, _ in atoms if element not in atomic_numbers]
    if unknown or not atoms:
        raise SpecimenError(
            f"site {cell.names[site]!r} holds {', '.join(unknown) or 'no atoms'}; name chemical "
            "elements in the unit cell"
        )
    period = cell.repeat_angstrom
    heaviest = max((element for element, _ in atoms), key=lambda name: atomic_numbers[name])
    heights = [(element, _within(height + lift, period)) for element, height in atoms]
    rungs = sorted(height for element, height in heights if element == heaviest)
    lighter = tuple(pair for pair in heights if pair[0] != heaviest)
    return Ladder(heaviest, np.array(rungs), period, lighter)


def _within(height: float, period: float) -> float:
    """Height in Å from 0 up to the period; what rounding left just below a period is 0."""
    inside = (height % 1.0) * period
    return 0.0 if period - inside < SAME_HEIGHT else float(inside)


def middles(ladder: Ladder, number: int) -> Array:
    """Middles (q,) in Å of runs of `number` atoms, one for each rung of a period to begin on."""
    return np.array([ladder.middle(first, number) for first in range(len(ladder.rungs))])


def centred_runs(ladder: Ladder, number: int, plane: float) -> Index:
    """First rungs of the runs whose middle is nearest to a plane at a height in Å; 1, or 2 tied."""
    nearest = int(np.floor(plane / ladder.period)) * len(ladder.rungs) - len(ladder.rungs) * (
        number // (2 * len(ladder.rungs))
    )
    span = 3 * len(ladder.rungs)
    first = np.arange(nearest - span, nearest + span + 1)
    distance = np.abs([ladder.middle(int(k), number) - plane for k in first])
    return first[distance <= distance.min() + SAME_HEIGHT]


def runs_from(ladder: Ladder, number: int, plane: float) -> Index:
    """First rung (1,) of the run that begins on or next above a plane at a height in Å."""
    first = int(np.floor(plane / ladder.period)) * len(ladder.rungs)
    rungs = np.arange(first, first + 2 * len(ladder.rungs) + 1)
    above = ladder.heights(first, len(rungs)) >= plane - SAME_HEIGHT
    return rungs[above][:1]


def runs_up_to(ladder: Ladder, number: int, plane: float) -> Index:
    """First rung (1,) of the run that ends on or next below a plane at a height in Å."""
    first = (int(np.floor(plane / ladder.period)) - 1) * len(ladder.rungs)
    rungs = np.arange(first, first + 3 * len(ladder.rungs) + 1)
    below = ladder.heights(first, len(rungs)) <= plane + SAME_HEIGHT
    return rungs[below][-1:] - number + 1
