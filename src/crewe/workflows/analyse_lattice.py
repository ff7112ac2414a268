"""Index columns and measure strain, shifts, tilts and Burgers vectors as a plan asks for it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.workflows.observer import Observer, stages
from crewe.workflows.summary import plain
from crewe.workflows.unit_cells import projected

if TYPE_CHECKING:
    import pandas as pd

    from crewe.atoms.lattice.results import FittedLattice, IndexedColumns
    from crewe.workflows.plan_analyses import LatticeOptions, StrainOptions


def index(
    options: "LatticeOptions", columns: "pd.DataFrame", observer: Observer
) -> "IndexedColumns":
    """Lay the plan's cells over the columns. Raises PlanError where they do not fit."""
    from crewe.atoms.lattice.indexing import index_columns

    cells = [projected(cell) for cell in options.cells]
    return index_columns(
        columns, cells, most_lattices=options.most_lattices, progress=stages(observer)
    )


def lattice_summary(indexed: "IndexedColumns") -> dict[str, Any]:
    """Return the lattices, with standard errors, in numbers that can be written as JSON."""
    lattices = [_lattice_numbers(lattice) for lattice in indexed.lattices]
    return plain({**indexed.summary, "lattices": lattices})


def _lattice_numbers(lattice: "FittedLattice") -> dict[str, Any]:
    from crewe.atoms.lattice.fitting import length_errors

    a, b, gamma, turn = length_errors(lattice.vectors, lattice.covariance)
    return {
        "name": lattice.name,
        "columns": lattice.n_columns,
        "origin": lattice.origin,
        "vectors": lattice.vectors,
        "a": lattice.lengths[0],
        "a_std": a,
        "b": lattice.lengths[1],
        "b_std": b,
        "gamma_deg": lattice.gamma_deg,
        "gamma_deg_std": gamma,
        "rotation_deg": lattice.rotation_deg,
        "rotation_deg_std": turn,
        "mirrored": lattice.mirrored,
        "residual_rms": lattice.residual_rms,
    }


def strain_tables(
    options: "StrainOptions",
) -> "dict[str, Callable[[StrainOptions, IndexedColumns], pd.DataFrame]]":
    """Return what measures strain, shifts and tilts, as far as asked for, by their file's name."""
    asked = {"strain": True, "shifts": options.shifts != (), "tilts": options.tilts != ()}
    ways = {"strain": _strain, "shifts": _shifts, "tilts": _tilts}
    return {name: measure for name, measure in ways.items() if asked[name]}


def _strain(options: "StrainOptions", indexed: "IndexedColumns") -> "pd.DataFrame":
    from crewe.atoms.lattice.strain import strain_map

    return strain_map(
        indexed, reference=options.reference, radius=options.radius, sites=options.sites
    )


def _shifts(options: "StrainOptions", indexed: "IndexedColumns") -> "pd.DataFrame":
    from crewe.atoms.lattice.shifts import site_shifts

    found = [
        site_shifts(indexed, site, around).assign(site=site, around=around)
        for site, around in options.shifts
    ]
    return _one_below_the_other(found)


def _tilts(options: "StrainOptions", indexed: "IndexedColumns") -> "pd.DataFrame":
    from crewe.atoms.lattice.tilt import octahedral_tilt

    found = [
        octahedral_tilt(indexed, centre, corner).assign(centre=centre, corner=corner)
        for centre, corner in options.tilts
    ]
    return _one_below_the_other(found)


def _one_below_the_other(tables: "list[pd.DataFrame]") -> "pd.DataFrame":
    import pandas as pd

    joined = pd.concat(tables)
    joined.attrs = dict(tables[0].attrs)
    return joined


def burgers_circuits(options: "StrainOptions", indexed: "IndexedColumns") -> list[dict[str, Any]]:
    """Return the Burgers vector of each circuit in numbers that can be written as JSON."""
    if not options.burgers:
        return []
    from dataclasses import asdict

    from crewe.atoms.lattice.burgers import burgers_vector

    lattice = indexed.lattices[0]
    return [
        {
            "around": [x, y],
            "radius": radius,
            **plain(asdict(burgers_vector(indexed.columns, lattice, around=(x, y), radius=radius))),
        }
        for x, y, radius in options.burgers
    ]


def medians(table: "pd.DataFrame") -> dict[str, Any]:
    """Return of each number in a table its median, its scatter and its median standard error."""
    found = {}
    for name in table.columns:
        error = f"{name}_std"
        if name.endswith("_std") or error not in table:
            continue
        values = table[name].to_numpy(float)
        known = values[np.isfinite(values)]
        found[name] = {
            "columns": len(known),
            "median": float(np.median(known)) if len(known) else None,
            "spread": float(np.std(known)) if len(known) else None,
            "std": float(table[error].median()),
        }
    return plain(found)
