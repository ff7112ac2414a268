"""From counted and indexed columns to atoms in three dimensions."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crewe.atoms.lattice.results import FittedLattice
from crewe.atoms.stamps import Array
from crewe.atoms.volume.assemble import Matter, assemble, boxed
from crewe.atoms.volume.coordination import coordination_numbers
from crewe.atoms.volume.interlock import column_neighbours
from crewe.atoms.volume.ladders import Ladder, ladder_of
from crewe.atoms.volume.results import VolumeModel
from crewe.atoms.volume.stacking import FLATS, Flat, stack_columns
from crewe.atoms.volume.summary import summarise
from crewe.atoms.volume.surroundings import Sites, bulk_neighbours, touching_radius
from crewe.atoms.volume.usable import usable_columns
from crewe.errors import PlanError

Place = Literal["fitted", "lattice"]
PLACES = ("fitted", "lattice")


def build_volume(
    columns: pd.DataFrame,
    lattices: Sequence[FittedLattice],
    *,
    flat: Flat = "centre",
    place: Place = "fitted",
    radius: float | None = None,
) -> VolumeModel:
    """Make of every column of n atoms n atoms of its site, stacked along the beam.

    `columns` needs `x`, `y` in Å, `count` (of the heaviest element of the site), `lattice`,
    `site`, `cell_a`, `cell_b` and may have `count_probability`; `lattices` are those of the
    indexing, whose cells must know the heights of their atoms. Atoms of a lighter element come
    along with the counted ones of their column. Heights stay on the planes of the crystal, so
    that columns interlock, and the particle is taken to be symmetric about a plane across the
    beam (`flat="centre"`, as in StatSTEM, De Backer et al. 2016,
    doi:10.1016/j.ultramic.2016.08.018), or to be flat where the beam enters ("top") or leaves
    ("bottom"); `stack_columns` tells how ties are decided. That plane is at one height for all
    lattices. x and y are the fitted ones, or with `place="lattice"` those of the undisturbed
    lattice. `radius` in Å holds the neighbours of an atom; by default it ends half-way between
    the first and the second shell of the crystal, of several lattices the longest.

    Columns without a count, a lattice or a place are left out and counted in the summary.
    Raises PlanError for unknown settings or a table that lacks columns, NoColumnsError when
    no column has atoms, and SpecimenError for impossible counts or a cell without heights.
    """
    _check(flat, place)
    usable = usable_columns(columns, len(lattices))
    table = columns.iloc[usable.rows]
    ladders, sites = _ladders(table, lattices), _sites(table)
    places = _places(table, lattices, place)
    crystal = table["lattice"].to_numpy(np.int64)
    neighbours = column_neighbours(places, touching_radius(lattices, sites)[crystal])
    stack = stack_columns(ladders, usable.counts, crystal, neighbours, flat)
    matter = assemble(ladders, usable.counts, stack, places)
    atoms, corner = boxed(matter)
    reach, bulk = bulk_neighbours(lattices, sites, radius)
    atoms.set_array("column", usable.rows[matter.column])
    atoms.set_array("coordination", coordination_numbers(atoms, reach))
    atoms.set_array("surface", atoms.arrays["coordination"] < _in_bulk(matter, table, bulk))
    atoms.set_array("count_probability", _probability(table)[matter.column])
    choices: dict[str, Any] = {"flat": flat, "place": place, "coordination_radius": reach}
    return VolumeModel(atoms, corner, summarise(atoms, usable, choices))


def _check(flat: str, place: str) -> None:
    if flat not in FLATS:
        raise PlanError(f"flat={flat!r} is no way to stack columns: use {', '.join(FLATS)}")
    if place not in PLACES:
        raise PlanError(f"place={place!r} is no place for columns: use {', '.join(PLACES)}")


def _ladders(table: pd.DataFrame, lattices: Sequence[FittedLattice]) -> list[Ladder]:
    """The ladder of each column; one object for all columns that share it."""
    made: dict[tuple[int, int, float], Ladder] = {}
    found = []
    for crystal, site, a, b in table[["lattice", "site", "cell_a", "cell_b"]].to_numpy(int):
        cell = lattices[crystal].cell
        lift = round(float(np.dot([a, b], cell.climb)) % 1.0, 4)
        kind = int(crystal), int(site), lift
        if kind not in made:
            made[kind] = ladder_of(cell, int(site), lift)
        found.append(made[kind])
    return found


def _sites(table: pd.DataFrame) -> Sites:
    """Sites of each lattice that have columns."""
    pairs = np.unique(table[["lattice", "site"]].to_numpy(int), axis=0).tolist()
    return {
        number: [site for crystal, site in pairs if crystal == number]
        for number in dict.fromkeys(crystal for crystal, _ in pairs)
    }


def _places(table: pd.DataFrame, lattices: Sequence[FittedLattice], place: Place) -> Array:
    """Places (n, 2) in Å of the columns."""
    places = table[["x", "y"]].to_numpy(float, copy=True)
    if place == "fitted":
        return places
    crystal, site = table["lattice"].to_numpy(int), table["site"].to_numpy(int)
    cells = table[["cell_a", "cell_b"]].to_numpy(float)
    for number, lattice in enumerate(lattices):
        own = crystal == number
        places[own] = lattice.place(cells[own] + lattice.cell.sites[site[own]])
    return places


def _in_bulk(
    matter: Matter, table: pd.DataFrame, bulk: dict[tuple[int, int, str], int]
) -> NDArray[np.int64]:
    """Neighbours (N,) that each atom would have inside its crystal."""
    kinds = list(zip(table["lattice"].tolist(), table["site"].tolist(), strict=True))
    pairs = zip(matter.column.tolist(), matter.element, strict=True)
    return np.array([bulk[(*kinds[column], element)] for column, element in pairs])


def _probability(table: pd.DataFrame) -> Array:
    if "count_probability" not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table["count_probability"]).to_numpy(float, na_value=np.nan)
