"""Crystals by name, along a zone axis, as large as wanted.

The materials and orientations are those of Lin et al. 2021, Sci. Rep. 11, 5386
(doi:10.1038/s41598-021-84499-w), "Library composition and augmentation".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crewe.errors import SpecimenError
from crewe.physics.small_matrices import product
from crewe.specimens.cloud import AtomCloud, Box, checked_box
from crewe.specimens.fill import fill_box
from crewe.specimens.minerals import MINERALS, Direction, Mineral, mineral, mineral_crystal
from crewe.specimens.orientation import about_z, along_zone_axis


class NamedOrientation(NamedTuple):
    """One entry of the catalogue: a material seen along an axis."""

    mineral: Mineral
    zone_axis: Direction

    @property
    def label(self) -> str:
        """The name of the entry, such as ``Pt [110]``."""
        return f"{self.mineral.formula} [{''.join(map(str, self.zone_axis))}]"


def named_orientations() -> tuple[NamedOrientation, ...]:
    """Return all materials and orientations of the catalogue, in the order of `MINERALS`."""
    return tuple(
        NamedOrientation(entry, axis) for entry in MINERALS.values() for axis in entry.orientations
    )


def named_crystal(
    material: str,
    zone_axis: Direction,
    box: Box,
    rotation_deg: float = 0.0,
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> AtomCloud:
    """Fill a box with a named crystal whose [uvw] axis lies along z.

    `material` is a formula or a mineral's name; [uvw] is in its entry's setting. At a rotation of
    zero the first lattice vector that is not along the axis points along x; the rotation turns
    the crystal from x towards y. `offset` in Å moves the origin of the cell from the corner of
    the box. A single sheet (graphene, MoS2) lies in the middle of the box's height and is seen
    along [001] only. Raises SpecimenError for unknown materials, impossible axes and boxes.
    """
    box = checked_box(box)
    entry = mineral(material)
    crystal = mineral_crystal(entry.formula)
    if not entry.layered:
        rotation = product(about_z(rotation_deg), along_zone_axis(crystal.cell, zone_axis))
        return fill_box(crystal, box, rotation, offset)
    if tuple(zone_axis) != (0, 0, 1):
        raise SpecimenError(f"{entry.formula} is a single sheet: look along (0, 0, 1)")
    height = float(crystal.cell[2, 2])
    sheet = fill_box(
        crystal, (box[0], box[1], height), about_z(rotation_deg), (offset[0], offset[1], 0.0)
    )
    thickness = float(np.ptp(sheet.positions[:, 2])) if len(sheet) else 0.0
    if thickness >= box[2]:
        raise SpecimenError(
            f"a sheet of {entry.formula} is {thickness:.2f} Å thick: the box is only {box[2]} Å"
        )
    sheet.positions[:, 2] += 0.5 * (box[2] - height)
    return AtomCloud(sheet.numbers, sheet.positions, box)
