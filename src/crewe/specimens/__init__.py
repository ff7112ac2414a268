"""Atoms before the microscope: crystals, particles, amorphous matter, shapes, defects, support.

The functions named here take and give `ase.Atoms`, with the box as cell. Each stands in a file
of this folder, nearly all under the same name, where it takes and gives an `AtomCloud` (plain
arrays) at less cost: `crewe.specimens.named.named_crystal` is the quick one, and
`crewe.specimens.named_crystal` the same on atoms. Positions are x, y, z in Å; the beam runs
along z, towards greater z.
"""

from __future__ import annotations

import importlib
from typing import Any

# Verbs on atoms, by the file that holds the quick one.
_VERBS = {
    "amorphous_matter": "amorphous",
    "columns_of": "projection",
    "cut": "half_spaces",
    "edge_dislocation": "dislocation",
    "faceted_particle": "particles",
    "fill_box": "fill",
    "named_crystal": "named",
    "nanoparticle": "nanoparticles",
    "sphere": "particles",
    "with_displaced_atoms": "defects",
    "with_support": "support",
    "with_vacancies": "defects",
}
# Verbs whose name here differs, because a file of that name would hide them.
_RENAMED = {
    "draw_specimen": ("random_specimen", "random_specimen"),
    "graphene_sheet": ("amorphous_graphene", "amorphous_graphene"),
}
# Names that hold or give no atoms and are passed on as they are.
_NOUNS = {
    "AtomCloud": "cloud",
    "Columns": "projection",
    "Crystal": "fill",
    "HalfSpaces": "half_spaces",
    "MAIN_ZONE_AXES": "orientation",
    "MINERALS": "minerals",
    "Mineral": "minerals",
    "NANOPARTICLES": "nanoparticles",
    "RandomCrystal": "crystals",
    "RandomSpecimen": "specimen_parts",
    "about_z": "orientation",
    "along_zone_axis": "orientation",
    "convex_polyhedron": "shapes",
    "cuboctahedron": "particles",
    "mineral": "minerals",
    "mineral_crystal": "minerals",
    "named_orientations": "named",
    "near_zone_axis": "orientation",
    "polygon_rod": "shapes",
    "random_crystal": "crystals",
    "random_rotation": "orientation",
    "separate_points": "points",
    "straight_edge": "shapes",
    "tapered_plate": "particles",
    "wedge": "shapes",
    "wulff_shape": "particles",
}

__all__ = sorted([*_VERBS, *_RENAMED, *_NOUNS])


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used; ASE and numba take a second to load."""
    if name in _NOUNS:
        return getattr(importlib.import_module(f"crewe.specimens.{_NOUNS[name]}"), name)
    if name in _VERBS or name in _RENAMED:
        from crewe.specimens.with_atoms import with_atoms

        room, quick = _RENAMED.get(name) or (_VERBS[name], name)
        return with_atoms(getattr(importlib.import_module(f"crewe.specimens.{room}"), quick))
    raise AttributeError(f"module 'crewe.specimens' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
