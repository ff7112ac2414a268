"""Ask the fitted columns what a plan wants to know: counts, lattice, strain, volume."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.workflows.analyse_counts import count, counting_summary
from crewe.workflows.analyse_lattice import (
    burgers_circuits,
    index,
    lattice_summary,
    medians,
    strain_tables,
)
from crewe.workflows.analyse_volume import build
from crewe.workflows.analysed import ADDED, OUTSIDE, Analyses
from crewe.workflows.observer import Observer
from crewe.workflows.plan_analyses import ANALYSES
from crewe.workflows.summary import plain, summarise_columns

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from crewe.workflows.plan import QuantifyPlan
    from crewe.workflows.plan_analyses import LatticeOptions, StrainOptions
    from crewe.workflows.plan_image_parts import RegionOptions
    from crewe.workflows.quantify import Quantification

NOWHERE: dict[str, Any] = {"lattice": -1, "site": -1, "site_name": "", "cell_a": 0, "cell_b": 0}
"""What the added columns hold outside the region; the others are missing there."""


def with_analyses(result: "Quantification", observer: Observer) -> "Quantification":
    """Return a result with the answers to what its plan asks; unchanged where it asks nothing.

    The table gains columns and, with a region, the flag `outside`; the summary gains a section
    for each answer and their warnings. Raises PlanError for what the columns cannot answer.
    """
    plan = result.plan
    if plan.region is None and not any(getattr(plan, name) for name in ANALYSES):
        return result
    whole = result.fit.columns.copy()
    whole.attrs = {**result.fit.columns.attrs, "units": dict(result.summary["units"])}
    chosen = _in_region(plan.region, whole)
    found = analyse(plan, whole[chosen], result.image, observer)
    columns = _joined(whole, chosen, found.columns)
    units = {name: unit for name, unit in ADDED.items() if name in columns}
    summary = {
        **result.summary,
        **summarise_columns(columns),
        **found.summary,
        "units": {**result.summary["units"], **units},
        "warnings": [*warnings_of(found.summary), *result.summary["warnings"]],
    }
    fit = replace(result.fit, columns=columns)
    return replace(result, fit=fit, summary=summary, analyses=found)


def analyse(
    plan: "QuantifyPlan", columns: "pd.DataFrame", image: "xr.DataArray", observer: Observer
) -> Analyses:
    """Carry out the analyses of a plan, each on what those before it found."""
    found = Analyses(columns)
    if plan.lattice is not None:
        found = _with_lattice(found, plan.lattice, plan.strain, observer)
    if plan.count is not None:
        counts = count(plan, found.columns, image, observer)
        table = counts.add_to(
            found.columns, plan.count.least_probability, plan.count.keep_undecided
        )
        section = counting_summary(counts, table, plan.count)
        summary = {**found.summary, "counting": section}
        found = replace(found, columns=table, counts=counts, summary=summary)
    if plan.volume is not None and found.counts is not None and found.indexed is not None:
        observer.stage_started("building the model")
        volume = build(plan.volume, found.columns, found.counts, found.indexed)
        summary = {**found.summary, "volume": plain(volume.summary)}
        found = replace(found, volume=volume, summary=summary)
    return found


def _with_lattice(
    found: Analyses, lattice: "LatticeOptions", strain: "StrainOptions | None", observer: Observer
) -> Analyses:
    indexed = index(lattice, found.columns, observer)
    section = lattice_summary(indexed)
    tables = {}
    if strain is not None:
        tables = strain_tables(strain, indexed, observer)
        section |= {name: medians(table) for name, table in tables.items()}
        section["burgers"] = burgers_circuits(strain, indexed)
    summary = {**found.summary, "lattice": section}
    return replace(found, columns=indexed.columns, indexed=indexed, tables=tables, summary=summary)


def warnings_of(sections: dict[str, Any]) -> list[str]:
    """Return what the reader of a result should know of its analyses, the gravest first."""
    said = []
    counting = sections.get("counting")
    if counting is not None and not counting["decided"]:
        said.append(f"atoms are NOT counted: {counting['verdict']}")
    for name, words in (("counting", "atom counts"), ("lattice", "lattice"), ("volume", "volume")):
        said += [f"{words}: {text}" for text in sections.get(name, {}).get("warnings", [])]
    return said


def _in_region(region: "RegionOptions | None", columns: "pd.DataFrame") -> NDArray[np.bool_]:
    if region is None:
        return np.ones(len(columns), dtype=bool)
    from crewe.atoms.regions import Region

    return Region(region.polygon, region.types, region.inside).contains(columns)


def _joined(
    whole: "pd.DataFrame", chosen: NDArray[np.bool_], asked: "pd.DataFrame"
) -> "pd.DataFrame":
    """Return the whole table with what the chosen columns have gained."""
    table = whole.copy()
    table.attrs = dict(whole.attrs)
    flags = table["flag"].where(chosen, [f"{flag},{OUTSIDE}".strip(",") for flag in table["flag"]])
    table["flag"] = flags
    for name in ADDED:
        if name in asked:
            table[name] = _filled(asked[name], table.index)
    return table


def _filled(gained: "pd.Series[Any]", index: "pd.Index[Any]") -> "pd.Series[Any]":
    if gained.name in NOWHERE:
        return gained.reindex(index, fill_value=NOWHERE[str(gained.name)])
    return gained.reindex(index)
