"""What can be said of a model of atoms in a few numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.atoms.volume.usable import Usable

if TYPE_CHECKING:
    from ase import Atoms


def summarise(atoms: Atoms, usable: Usable, choices: dict[str, Any]) -> dict[str, Any]:
    """Summary of a model, as `VolumeModel` describes it."""
    number, surface = atoms.arrays["coordination"], atoms.arrays["surface"]
    elements = Counter(atoms.get_chemical_symbols())
    return {
        "n_atoms": len(atoms),
        "elements": dict(sorted(elements.items())),
        "n_columns": len(usable.rows),
        "left_out": usable.left_out,
        "coordination": {str(n): int(np.count_nonzero(number == n)) for n in np.unique(number)},
        "surface_atoms": int(np.count_nonzero(surface)),
        "surface_fraction": float(np.mean(surface)),
        "size_angstrom": [float(length) for length in np.ptp(atoms.positions, axis=0)],
        "most_atoms": int(usable.counts.max()),
        "warnings": _warnings(atoms, usable),
        **choices,
    }


def _warnings(atoms: Atoms, usable: Usable) -> list[str]:
    said = []
    for reason in ("without lattice", "without count"):
        number = usable.left_out[reason]
        if number:
            have = "column has" if number == 1 else "columns have"
            lacks = reason.removeprefix("without ")
            said.append(f"{number:,} {have} no {lacks} and no atoms in the model.")
    alone = int(np.count_nonzero(atoms.arrays["coordination"] == 0))
    if alone and len(atoms) > 1:
        stand = "atom stands" if alone == 1 else "atoms stand"
        said.append(f"{alone:,} {stand} alone: counts or lattice are wrong there.")
    return said
