"""The specimen of one labelled image: a named crystal, cut to a body, placed in the field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from crewe.errors import RecipeError, SpecimenError
from crewe.recipes import Lines
from crewe.specimens.amorphous_graphene import amorphous_graphene
from crewe.specimens.cloud import AtomCloud, Box
from crewe.specimens.defects import with_vacancies
from crewe.specimens.half_spaces import HalfSpaces
from crewe.specimens.minerals import Direction, Mineral, mineral
from crewe.specimens.named import named_crystal
from crewe.specimens.particles import tapered_plate
from crewe.specimens.shapes import convex_polyhedron, straight_edge, wedge
from crewe.training_sets.atom_map_recipe import MORPHOLOGIES, AtomMaps, Body, Material
from crewe.training_sets.sample import Fact

AMORPHOUS_GRAPHENE = "amorphous graphene"
SHEET_ANGSTROM = 12.0


@dataclass(frozen=True)
class DrawnSpecimen:
    """A specimen and what it is."""

    cloud: AtomCloud
    """x and y in Å from the centre of pixel (0, 0)."""
    facts: dict[str, Fact]


def check_materials(part: AtomMaps, lines: Lines) -> None:
    """Raise RecipeError for a material or zone axis that cannot be drawn, with its line."""
    for index, entry in enumerate(part.materials):
        place = ("materials", index)
        if entry.material == AMORPHOUS_GRAPHENE:
            continue
        try:
            found = mineral(entry.material)
        except SpecimenError as error:
            raise RecipeError(f"{lines.say((*place, 'material'))}: {error}") from error
        where = lines.say((*place, "zone_axis"))
        if found.layered and entry.zone_axis != "001":
            raise RecipeError(f"{where}: {entry.material} is a single sheet: look along 001 only")
        _direction(entry, f"{where}: ")


def draw_specimen(
    part: AtomMaps, field: float, pixel_size: float, margin: float, rng: Generator
) -> DrawnSpecimen:
    """Draw a material, a rotation and a body; the specimen reaches `margin` Å beyond the field."""
    entry = _draw_material(part.materials, rng)
    rotation = rng.uniform(0, 360)
    side = field + 2 * margin
    if entry.material == AMORPHOUS_GRAPHENE:
        whole = amorphous_graphene((side, side, SHEET_ANGSTROM), rng)
        known: dict[str, Fact] = {**_names(mineral("graphene")), "material": AMORPHOUS_GRAPHENE}
        known |= {"zone_axis": "none", "lattice": "none", "space_group": 0, "rotation_deg": 0.0}
        sheet = True
    else:
        found = mineral(entry.material)
        sheet = found.layered
        height = SHEET_ANGSTROM if sheet else part.body.draw("thickness_angstrom", rng)
        axis = _direction(entry, "")
        shift = rng.uniform(0, 30, 3)
        offset = (float(shift[0]), float(shift[1]), float(shift[2]))
        whole = named_crystal(found.formula, axis, (side, side, height), rotation, offset)
        known = {**_names(found), "rotation_deg": rotation}
        known["zone_axis"] = f"[{''.join(map(str, axis))}]"
    body, facts = _body(part.body, whole.box, field, sheet, rng)
    cloud = whole if body is None else body.cut(whole)
    vacancies = part.body.draw("vacancy_fraction", rng)
    cloud = with_vacancies(cloud, round(vacancies * len(cloud)), rng)
    placed = cloud.moved((-margin - pixel_size / 2, -margin - pixel_size / 2, 0))
    facts |= {"thickness_angstrom": whole.box[2], "vacancy_fraction": float(vacancies)}
    return DrawnSpecimen(placed, {**known, **facts})


def _draw_material(entries: tuple[Material, ...], rng: Generator) -> Material:
    weights = np.array([entry.weight for entry in entries])
    return entries[int(rng.choice(len(entries), p=weights / weights.sum()))]


def _direction(entry: Material, where: str) -> Direction:
    digits = entry.zone_axis
    if len(digits) != 3 or not digits.isdigit() or digits == "000":
        raise RecipeError(f'{where}zone_axis is {digits!r}: give three indices, such as "110"')
    u, v, w = (int(digit) for digit in digits)
    return u, v, w


def _names(found: Mineral) -> dict[str, Fact]:
    elements = sorted({site[0] for site in found.sites})
    return {
        "material": found.formula,
        "name": found.name,
        "mineral": found.mineral,
        "elements": ",".join(elements),
        "lattice": found.lattice_system,
        "space_group": found.space_group,
    }


def _body(
    part: Body, box: Box, field: float, sheet: bool, rng: Generator
) -> tuple[HalfSpaces | None, dict[str, Fact]]:
    """Draw the region that is kept of a crystal that fills the box, or None for all of it."""
    morphology = part.draw("morphology", rng)
    if morphology not in MORPHOLOGIES:
        raise RecipeError(f"no morphology is called {morphology!r}: {', '.join(MORPHOLOGIES)}")
    if sheet and morphology != "bulk":
        morphology = "edge"
    centre = np.array(box) / 2
    centre[:2] += rng.uniform(-0.25, 0.25, 2) * field
    facts: dict[str, Fact] = {"morphology": morphology, "diameter_angstrom": 0.0, "slope_deg": 0.0}
    radius = part.draw("particle_diameter", rng) * field / 2
    if morphology == "bulk":
        return None, facts
    if morphology == "edge":
        return straight_edge(centre, rng.uniform(0, 360)), facts
    if morphology == "wedge":
        facts["slope_deg"] = slope = part.draw("wedge_angle_deg", rng)
        return wedge(box, slope, rng.uniform(0, 360), "top", rng.uniform(0.1, 0.6)), facts
    facts["diameter_angstrom"] = 2 * radius
    if morphology == "particle":
        return convex_polyhedron(radius, int(rng.integers(8, 20)), centre, rng), facts
    return _plate(part, morphology, radius, box[2], facts, rng).moved(centre), facts


def _plate(
    part: Body, morphology: str, radius: float, thickness: float, facts: dict[str, Fact],
    rng: Generator,
) -> HalfSpaces:  # fmt: skip
    """A polygonal plate with upright facets, or with edges that thin out."""
    taper = 0.0
    if morphology == "tapered plate":
        width = part.draw("taper", rng) * radius
        facts["slope_deg"] = taper = float(np.degrees(np.arctan2(width, thickness)))
    return tapered_plate(radius, thickness, taper, int(rng.integers(3, 9)), rng.uniform(0, 360))
