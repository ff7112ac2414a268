"""Sites of a projected cell: which an image shows, how heavy they are, how far apart."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from crewe.atoms.stamps import Array
from crewe.atoms.unit_cell import ProjectedCell
from crewe.errors import PlanError


def visible(cell: ProjectedCell, *, least_z: int) -> ProjectedCell:
    """The cell with those sites only that hold an element of atomic number `least_z` or more.

    For images in which light columns do not show, as oxygen in HAADF. Sites whose names are no
    elements stay. Raises PlanError where no site is left.
    """
    heaviest = [max(_atomic_numbers(name), default=least_z) for name in cell.names]
    if max(heaviest) < least_z:
        raise PlanError(
            f"no site holds an element of Z ≥ {least_z}: the heaviest of {', '.join(cell.names)} "
            f"has {max(heaviest)}; give a smaller least_z"
        )
    return _kept(cell, [z >= least_z for z in heaviest])


def with_sites(cell: ProjectedCell, names: Sequence[str]) -> ProjectedCell:
    """The cell with the named sites only; "Ti" also names a site "Ti O".

    Raises PlanError for a name that no site has.
    """
    wanted = [names] if isinstance(names, str) else list(names)
    unknown = [name for name in wanted if not any(_named(site, name) for site in cell.names)]
    if unknown or not wanted:
        raise PlanError(
            f"no site is called {', '.join(unknown) or 'nothing'}: choose from "
            f"{', '.join(dict.fromkeys(cell.names))}"
        )
    return _kept(cell, [any(_named(site, name) for name in wanted) for site in cell.names])


def site_weights(cell: ProjectedCell) -> Array:
    """What each site (S,) scatters to high angles, relative: the sum of Z² over its atoms.

    Over one period along the beam where its atoms are known, else over the elements in its name;
    0 where the name is no element.
    """
    if cell.atoms:
        elements = [" ".join(name for name, _ in atoms) for atoms in cell.atoms]
    else:
        elements = list(cell.names)
    sums = [sum(z**2 for z in _atomic_numbers(words)) for words in elements]
    return np.array(sums, dtype=float)


def least_distance(cell: ProjectedCell) -> float:
    """Shortest distance in Å between two sites, or between a site and its own image."""
    shifts = np.array([[i, j] for i in range(-2, 3) for j in range(-2, 3)])
    places = (cell.sites[:, None, :] + shifts).reshape(-1, 2) @ cell.vectors()
    distance, _ = cKDTree(places).query(cell.sites @ cell.vectors(), k=2)
    return float(distance[:, 1].min())


def _named(site: str, name: str) -> bool:
    return site == name or name in site.split()


def _atomic_numbers(name: str) -> list[int]:
    from ase.data import atomic_numbers

    return [atomic_numbers[word] for word in name.split() if word in atomic_numbers]


def _kept(cell: ProjectedCell, keep: list[bool]) -> ProjectedCell:
    rows = [n for n, kept in enumerate(keep) if kept]
    return replace(
        cell,
        sites=cell.sites[rows],
        names=tuple(cell.names[n] for n in rows),
        atoms=tuple(cell.atoms[n] for n in rows) if cell.atoms else (),
    )
