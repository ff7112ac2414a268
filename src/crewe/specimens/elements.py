"""What is needed to know of each element: mass and radius."""

from __future__ import annotations

from functools import cache

import numpy as np

from crewe.errors import SpecimenError
from crewe.specimens.cloud import Array

HEAVIEST = 103
# Cordero et al. 2008 (doi:10.1039/b801115j), ASE's source, ends here.
HEAVIEST_WITH_RADIUS = 96


@cache
def atomic_masses_da() -> Array:
    """Return the mass of each element in Da, index = atomic number, 0 for none."""
    from ase.data import atomic_masses

    masses = np.array(atomic_masses[: HEAVIEST + 1], dtype=float)
    masses[0] = 0.0
    masses.setflags(write=False)
    return masses


@cache
def atomic_radii() -> Array:
    """Return the covalent radius of each element in Å, index = atomic number.

    Cordero et al. 2008, doi:10.1039/b801115j; beyond curium, where they end, that of curium.
    """
    from ase.data import covalent_radii

    radii = np.array(covalent_radii[: HEAVIEST + 1], dtype=float)
    radii[HEAVIEST_WITH_RADIUS + 1 :] = radii[HEAVIEST_WITH_RADIUS]
    radii.setflags(write=False)
    return radii


def atomic_mass_da(element: int) -> float:
    """Return the mass of an element in Da. Raises SpecimenError beyond Z = 103."""
    if not 1 <= element <= HEAVIEST:
        raise SpecimenError(f"no element has Z = {element}: give an atomic number from 1 to 103")
    return float(atomic_masses_da()[element])
