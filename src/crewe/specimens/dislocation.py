"""An edge dislocation in an fcc metal, seen along its line.

Isotropic linear elasticity: Hirth & Lothe, Theory of Dislocations (1982), eqs. 3-45 and 3-46.
"""

from __future__ import annotations

import numpy as np

from crewe.errors import SpecimenError
from crewe.specimens.cloud import Array, AtomCloud, Box, checked_box
from crewe.specimens.fill import Crystal, fill_box
from crewe.specimens.minerals import mineral, mineral_crystal

PLATINUM_POISSON_RATIO = 0.39


def edge_displacement(
    x: Array, y: Array, burgers: float, poisson_ratio: float
) -> tuple[Array, Array]:
    """Return the displacement (u_x, u_y) in Å about an edge dislocation along z at the origin.

    The Burgers vector points along x and has the length `burgers`; x and y in Å, of any one
    shape. u_x jumps by `burgers` across the negative x axis, where the atoms on both sides
    fall into register again. Undefined (NaN) on the line itself.
    """
    squared = x * x + y * y
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = np.arctan2(y, x)
        along = angle + x * y / (2 * (1 - poisson_ratio) * squared)
        across = (1 - 2 * poisson_ratio) * np.log(squared) + (x * x - y * y) / squared
    scale = burgers / (2 * np.pi)
    return scale * along, -scale * across / (4 * (1 - poisson_ratio))


def glide_axes() -> Array:
    """Return the axes of the box in those of the crystal, as rows: [1-10], [111], [11-2].

    Right-handed; in a box along them the Burgers vector ½[1-10] lies along x, the (111) glide
    plane is normal to y, and the line [11-2] is along the beam.
    """
    axes = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, 1.0], [-1.0, -1.0, 2.0]])
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def edge_dislocation(
    box: Box,
    material: str = "Pt",
    poisson_ratio: float = PLATINUM_POISSON_RATIO,
    core: tuple[float, float] | None = None,
) -> AtomCloud:
    """Fill a box with an fcc crystal that holds one edge dislocation, its line along z.

    The crystal is seen along ⟨112⟩, has the Burgers vector ½⟨110⟩ along x and the glide plane
    (111) normal to y, as the Pt of Friedrich's thesis (Antwerp 2023, section 2.3); the extra
    half-plane lies at greater y, where the crystal is compressed. `core` is x, y in Å of
    the line, by default the middle of the box; the crystal is shifted so that it lies between
    glide planes. Isotropic elasticity does not relax the core, where atoms within about one
    Burgers vector are only roughly placed.
    Raises SpecimenError for a material that is not fcc, or a Poisson ratio outside −1..0.5.
    """
    box = checked_box(box)
    if not -1 < poisson_ratio < 0.5:
        raise SpecimenError(f"a Poisson ratio of {poisson_ratio} is impossible: give −1 to 0.5")
    entry = mineral(material)
    if entry.space_group != 225 or len(entry.sites) != 1:
        raise SpecimenError(f"{entry.formula} is no fcc metal: this dislocation is made in one")
    lattice = entry.cell[0]
    burgers = lattice / np.sqrt(2)
    x0, y0 = core if core is not None else (0.5 * box[0], 0.5 * box[1])
    block = _between_planes(mineral_crystal(entry.formula), box, x0, y0, 3 * burgers)
    return _displaced(block, box, (x0, y0), burgers, poisson_ratio)


def _between_planes(crystal: Crystal, box: Box, x0: float, y0: float, margin: float) -> AtomCloud:
    """A perfect crystal in the box and a margin around it, no glide plane through the core."""
    spacing = float(crystal.cell[0, 0]) / np.sqrt(3)
    wide = (box[0] + 2 * margin, box[1] + 2 * margin, box[2])
    offset = (x0 + margin, y0 + margin + 0.5 * spacing, 0.0)
    return fill_box(crystal, wide, glide_axes(), offset).moved((-margin, -margin, 0.0))


def _displaced(
    block: AtomCloud, box: Box, core: tuple[float, float], burgers: float, poisson_ratio: float
) -> AtomCloud:
    positions = block.positions
    shift_x, shift_y = edge_displacement(
        positions[:, 0] - core[0], positions[:, 1] - core[1], burgers, poisson_ratio
    )
    # The logarithm needs a length; measured at the edge of the box the field leaves it in place.
    radius = 0.5 * min(box[0], box[1])
    level = burgers / (2 * np.pi) * (1 - 2 * poisson_ratio) / (4 * (1 - poisson_ratio))
    positions[:, 0] += shift_x
    positions[:, 1] += shift_y + level * np.log(radius**2)
    inside = ((positions[:, :2] >= 0) & (positions[:, :2] < np.array(box[:2]))).all(axis=1)
    return AtomCloud(block.numbers[inside], positions[inside], box)
