"""Crystal structures from the literature, by name: what the named crystals are made of."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache

import numpy as np

from crewe.errors import SpecimenError
from crewe.specimens.fill import Crystal

Direction = tuple[int, int, int]
Site = tuple[str, float, float, float]


@dataclass(frozen=True)
class Mineral:
    """A crystal structure: cell, space group and asymmetric unit."""

    formula: str
    """Name under which it is asked for."""
    name: str
    """Conventional name."""
    mineral: str
    """Name of the mineral, or empty where there is none."""
    lattice_system: str
    space_group: int
    space_group_symbol: str
    """Hermann–Mauguin symbol in the setting of cell, sites and directions."""
    cell: tuple[float, float, float, float, float, float]
    """a, b, c in Å, α, β, γ in degrees."""
    sites: tuple[Site, ...]
    """Element and x, y, z in units of the cell, one of each orbit."""
    orientations: tuple[Direction, ...]
    """Zone axes that the training sets of Lin et al. 2021 show."""
    source: str
    layered: bool = False
    """True for a single sheet in x-y, which is not repeated along z."""
    permuted: bool = False
    """True where a, b, c are c, a, b of the space group's standard setting."""


_CUBIC = (90.0, 90.0, 90.0)
_HEXAGONAL = (90.0, 90.0, 120.0)
_WYCKOFF = "Wyckoff, Crystal Structures (1963)"

MINERALS: dict[str, Mineral] = {
    entry.formula: entry
    for entry in (
        Mineral(
            "Pt",
            "platinum",
            "platinum",
            "cubic",
            225,
            "Fm-3m",
            (3.9231, 3.9231, 3.9231, *_CUBIC),
            (("Pt", 0, 0, 0),),
            ((0, 0, 1), (1, 1, 0)),
            _WYCKOFF,
        ),
        Mineral(
            "NiO",
            "nickel oxide",
            "bunsenite",
            "cubic",
            225,
            "Fm-3m",
            (4.1684, 4.1684, 4.1684, *_CUBIC),
            (("Ni", 0, 0, 0), ("O", 0.5, 0.5, 0.5)),
            ((0, 0, 1), (1, 1, 0)),
            _WYCKOFF,
        ),
        Mineral(
            "SrTiO3",
            "strontium titanate",
            "tausonite",
            "cubic",
            221,
            "Pm-3m",
            (3.90528, 3.90528, 3.90528, *_CUBIC),
            (("Sr", 0.5, 0.5, 0.5), ("Ti", 0, 0, 0), ("O", 0.5, 0, 0)),
            ((0, 0, 1), (1, 1, 0)),
            "Mitchell, Chakhmouradian & Woodward, Phys. Chem. Miner. (2000)",
        ),
        Mineral(
            "DyScO3",
            "dysprosium scandate",
            "",
            "orthorhombic",
            62,
            "Pbnm",
            (5.443, 5.717, 7.901, *_CUBIC),
            (
                ("Dy", 0.983, 0.061, 0.25),
                ("Sc", 0.5, 0, 0),
                ("O", 0.120, 0.446, 0.25),
                ("O", 0.693, 0.304, 0.061),
            ),
            ((1, 1, 0),),
            "cell: Veličkov et al. 2007, doi:10.1524/zkri.2007.222.9.466; sites to 0.001",
            permuted=True,
        ),
        Mineral(
            "Si",
            "silicon",
            "silicon",
            "cubic",
            227,
            "Fd-3m",
            (5.4307, 5.4307, 5.4307, *_CUBIC),
            (("Si", 0, 0, 0),),
            ((1, 1, 0),),
            _WYCKOFF,
        ),
        Mineral(
            "graphene",
            "graphene",
            "",
            "hexagonal",
            191,
            "P6/mmm",
            (2.461, 2.461, 10.0, *_HEXAGONAL),
            (("C", 1 / 3, 2 / 3, 0.5),),
            ((0, 0, 1),),
            "in-plane lattice of graphite, Trucano & Chen 1975, doi:10.1038/258136a0",
            layered=True,
        ),
        Mineral(
            "MoS2",
            "molybdenum disulphide, single layer",
            "molybdenite",
            "hexagonal",
            187,
            "P-6m2",
            (3.1604, 3.1604, 10.0, *_HEXAGONAL),
            (("Mo", 1 / 3, 2 / 3, 0.5), ("S", 2 / 3, 1 / 3, 0.6586)),
            ((0, 0, 1),),
            f"one layer of 2H-MoS2, {_WYCKOFF}",
            layered=True,
        ),
        Mineral(
            "TiO2",
            "titanium dioxide",
            "rutile",
            "tetragonal",
            136,
            "P4_2/mnm",
            (4.59373, 4.59373, 2.95812, *_CUBIC),
            (("Ti", 0, 0, 0), ("O", 0.3053, 0.3053, 0)),
            ((0, 0, 1), (1, 0, 0), (1, 1, 0)),
            _WYCKOFF,
        ),
        Mineral(
            "LiCoO2",
            "lithium cobalt oxide",
            "",
            "hexagonal",
            166,
            "R-3m",
            (2.8161, 2.8161, 14.0536, *_HEXAGONAL),
            (("Li", 0, 0, 0), ("Co", 0, 0, 0.5), ("O", 0, 0, 0.2396)),
            ((0, 1, 0),),
            "Akimoto, Gotoh & Oosawa 1998, doi:10.1006/jssc.1998.7966",
        ),
        Mineral(
            "CoO2",
            "delithiated lithium cobalt oxide",
            "",
            "hexagonal",
            164,
            "P-3m1",
            (2.822, 2.822, 4.29, *_HEXAGONAL),
            (("Co", 0, 0, 0), ("O", 1 / 3, 2 / 3, 0.22)),
            ((0, 1, 0),),
            "cell: Amatucci, Tarascon & Klein 1996, doi:10.1149/1.1836594; Co–O 1.88 Å",
        ),
    )
}
"""Structures by formula (graphene by its name)."""

_ALIASES = {entry.mineral: key for key, entry in MINERALS.items() if entry.mineral} | {
    entry.name: key for key, entry in MINERALS.items()
}


def mineral(name: str) -> Mineral:
    """Return a structure by formula, mineral or conventional name, upper or lower case alike.

    Raises SpecimenError for an unknown one and offers the nearest.
    """
    known = {key.lower(): key for key in MINERALS} | {k.lower(): v for k, v in _ALIASES.items()}
    if name.lower() in known:
        return MINERALS[known[name.lower()]]
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    offered = f"did you mean {known[near[0]]}? " if near else ""
    raise SpecimenError(f"no crystal is called {name!r}: {offered}known are {', '.join(MINERALS)}")


@cache
def mineral_crystal(formula: str) -> Crystal:
    """Return cell and basis of a structure, in the setting of its own entry."""
    from ase.spacegroup import crystal

    entry = MINERALS[formula]
    lengths, angles = list(entry.cell[:3]), list(entry.cell[3:])
    sites = np.array([site[1:] for site in entry.sites], dtype=float)
    # Pbnm (a, b, c) is Pnma (b, c, a).
    order, back = ([1, 2, 0], [2, 0, 1]) if entry.permuted else ([0, 1, 2], [0, 1, 2])
    atoms = crystal(
        [site[0] for site in entry.sites],
        basis=sites[:, order],
        spacegroup=entry.space_group,
        cellpar=[lengths[axis] for axis in order] + [angles[axis] for axis in order],
    )
    scaled = atoms.get_scaled_positions()[:, back]
    cell = np.array(atoms.cell)[back]
    if entry.permuted:
        cell = np.diag(lengths)
    made = Crystal(cell, atoms.numbers.astype(np.uint8), np.ascontiguousarray(scaled))
    for part in made:
        part.setflags(write=False)
    return made
