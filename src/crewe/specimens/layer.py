"""One layer of random matter: a specimen before it is shaped, or a support."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from crewe.physics.small_matrices import product
from crewe.specimens.amorphous import amorphous, number_density, reachable_density
from crewe.specimens.cloud import Array, AtomCloud, Box
from crewe.specimens.crystals import random_crystal
from crewe.specimens.defects import with_displaced_atoms, with_vacancies
from crewe.specimens.fill import fill_box
from crewe.specimens.orientation import near_zone_axis, random_rotation
from crewe.specimens.points import separate_points
from crewe.specimens.shapes import wedge
from crewe.specimens.specimen_parts import (
    RandomDefects,
    RandomOrientation,
    RandomSpecimen,
    RandomWedge,
)

Facts = dict[str, str | int | float | bool]


def draw_layer(
    part: RandomSpecimen, kind: str, box: Box, rng: Generator, pixel_size_angstrom: float
) -> tuple[AtomCloud, Facts]:
    """Draw matter of a kind in a box: crystalline, amorphous or points.

    The cloud's box is thinner than the one asked for where that would hold more than half of
    `part.maximum_atoms`. The facts are the same keys for every kind.
    """
    makers = {"crystalline": _crystalline, "amorphous": _amorphous, "points": _points}
    return makers[kind](part, box, rng, pixel_size_angstrom)


def symbols(elements: tuple[int, ...]) -> str:
    """Return chemical symbols with spaces between."""
    from ase.data import chemical_symbols

    return " ".join(chemical_symbols[element] for element in elements)


def _facts(kind: str, elements: tuple[int, ...]) -> Facts:
    return {
        "kind": kind,
        "elements": symbols(elements),
        "space_group": 0,
        "zone_axis": "none",
        "mistilt_deg": 0.0,
        "minimum_distance_angstrom": 0.0,
    }


def _thinned(box: Box, per_volume: float, maximum_atoms: int) -> Box:
    most = 0.5 * maximum_atoms / (per_volume * box[0] * box[1])
    return box[0], box[1], min(box[2], most)


def _crystalline(
    part: RandomSpecimen, box: Box, rng: Generator, pixel_size_angstrom: float
) -> tuple[AtomCloud, Facts]:
    drawn = random_crystal(part.crystal, rng)
    crystal = drawn.crystal
    rotation, axis, mistilt = draw_orientation(part.orientation, crystal.cell, rng)
    x, y, z = product(rng.random(3), crystal.cell)
    thin = _thinned(box, crystal.density(), part.maximum_atoms)
    facts = _facts("crystalline", drawn.elements) | {
        "space_group": drawn.space_group,
        "zone_axis": axis,
        "mistilt_deg": mistilt,
        "minimum_distance_angstrom": drawn.smallest_distance,
    }
    return fill_box(crystal, thin, rotation, (x, y, z)), facts


def draw_orientation(
    part: RandomOrientation, cell: Array, rng: Generator
) -> tuple[Array, str, float]:
    """Draw the rotation of a crystal; also the name of its zone axis, or random, and the mistilt.

    A zone axis is followed by the mistilt and a rotation about z; the mistilt is NaN for a random
    orientation.
    """
    if not part.chance("zone_axis_probability", rng):
        return random_rotation(rng), "random", float("nan")
    axis = part.zone_axes[int(rng.integers(len(part.zone_axes)))]
    mistilt = float(part.draw("mistilt_deg", rng))
    name = "[" + "".join(str(index) for index in axis) + "]"
    return near_zone_axis(cell, axis, mistilt, rng), name, mistilt


def _amorphous(
    part: RandomSpecimen, box: Box, rng: Generator, pixel_size_angstrom: float
) -> tuple[AtomCloud, Facts]:
    element = part.amorphous.draw("element", rng)
    density = part.amorphous.draw("density_g_cm3", rng)
    distance = part.amorphous.draw("minimum_distance_angstrom", rng)
    per_volume = reachable_density(number_density(element, density), distance)
    thin = _thinned(box, per_volume, part.maximum_atoms)
    made = amorphous(element, thin, rng, density, distance, part.amorphous.block_atoms)
    facts = _facts("amorphous", (element,)) | {"minimum_distance_angstrom": distance}
    return made.cloud, facts


def _points(
    part: RandomSpecimen, box: Box, rng: Generator, pixel_size_angstrom: float
) -> tuple[AtomCloud, Facts]:
    element = part.points.draw("element", rng)
    distance = part.points.draw("minimum_distance_px", rng) * pixel_size_angstrom
    count = min(part.points.draw("count", rng), part.maximum_atoms // 2)
    positions = separate_points(count, box, distance, rng).positions
    cloud = AtomCloud(np.full(len(positions), element, np.uint8), positions, box)
    return cloud, _facts("points", (element,)) | {"minimum_distance_angstrom": distance}


def draw_wedge(part: RandomWedge, cloud: AtomCloud, rng: Generator) -> tuple[AtomCloud, Facts]:
    """Cut a cloud to a wedge, or not, as a part says."""
    if not part.chance("probability", rng):
        return cloud, {"wedge": "none", "wedge_angle_deg": 0.0}
    surface, angle = part.draw("surface", rng), part.draw("angle_deg", rng)
    region = wedge(cloud.box, angle, rng.uniform(0, 360), surface, part.draw("start", rng))
    return region.cut(cloud), {"wedge": surface, "wedge_angle_deg": angle}


def draw_defects(part: RandomDefects, cloud: AtomCloud, rng: Generator) -> tuple[AtomCloud, Facts]:
    """Give a cloud vacancies or displaced atoms, or neither, as a part says."""
    if not part.chance("probability", rng):
        return cloud, {"defects": "none", "defect_atoms": 0}
    count = min(round(part.draw("share", rng) * len(cloud)), len(cloud))
    if part.chance("displace_probability", rng):
        displaced = with_displaced_atoms(cloud, count, rng, part.step_radii)
        return displaced, {"defects": "displaced", "defect_atoms": count}
    return with_vacancies(cloud, count, rng), {"defects": "vacancies", "defect_atoms": count}
