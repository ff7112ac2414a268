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
from crewe.workflows.analyses_failed import Failed, noted, reasons, without
from crewe.workflows.observer import Observer
from crewe.workflows.plan_analyses import ANALYSES
from crewe.workflows.strain_scatter import doubts_of_strain, neighbour_scatter
from crewe.workflows.summary import plain, summarise_columns

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from crewe.atoms.lattice.results import IndexedColumns
    from crewe.workflows.plan import QuantifyPlan
    from crewe.workflows.plan_analyses import CountOptions, LatticeOptions, StrainOptions
    from crewe.workflows.plan_image_parts import RegionOptions
    from crewe.workflows.quantify import Quantification

NOWHERE: dict[str, Any] = {"lattice": -1, "site": -1, "site_name": "", "cell_a": 0, "cell_b": 0}
"""What the added columns hold outside the region; the others are missing there."""


def with_analyses(
    result: "Quantification", observer: Observer, failed: Failed | None = None
) -> "Quantification":
    """Return a result with the answers to what its plan asks; unchanged where it asks nothing.

    The table gains columns and, with a region, the flag `outside`; the summary gains a section
    for each answer and their warnings. Raises CreweError for what the columns cannot answer.
    With `failed` it goes on: that takes the errors, and the result, its plan included, is without
    what failed and what rests on it; the reasons are in summary["failed"] and the first warnings.
    """
    plan = result.plan
    if plan.region is None and not any(getattr(plan, name) for name in ANALYSES):
        return result
    whole = result.fit.columns.copy()
    whole.attrs = {**result.fit.columns.attrs, "units": dict(result.summary["units"])}
    chosen, found = np.ones(len(whole), dtype=bool), Analyses(whole)
    with noted("region", failed):
        chosen = _in_region(plan.region, whole)
        correlation = result.fit.summary.get("residual_correlation")
        found = analyse(plan, whole[chosen], result.image, observer, failed, correlation)
    if failed:
        kept = without(plan, failed)
        found = replace(found, summary={"failed": reasons(plan, failed), **found.summary})
        result = replace(result, plan=kept)
        if kept.region is None:
            chosen[:] = True
    return _answered(result, whole, chosen, found)


def _answered(
    result: "Quantification", whole: "pd.DataFrame", chosen: NDArray[np.bool_], found: Analyses
) -> "Quantification":
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
    plan: "QuantifyPlan",
    columns: "pd.DataFrame",
    image: "xr.DataArray",
    observer: Observer,
    failed: Failed | None = None,
    correlation: float | None = None,
) -> Analyses:
    """Carry out the analyses of a plan, each on what those before it found.

    `correlation` is that of neighbouring residuals of the fit.
    Raises CreweError; or `failed` takes the errors, and the answers are without these.
    """
    found = Analyses(columns)
    if plan.lattice is not None:
        with noted("lattice", failed):
            found = _with_lattice(found, plan.lattice, observer)
    if plan.strain is not None and found.indexed is not None:
        found = _with_strain(found, found.indexed, plan.strain, correlation, observer, failed)
    if plan.count is not None:
        with noted("count", failed):
            found = _with_counts(found, plan, plan.count, image, observer)
    if plan.volume is not None and found.counts is not None and found.indexed is not None:
        with noted("volume", failed):
            observer.stage_started("building the model")
            volume = build(plan.volume, found.columns, found.counts, found.indexed)
            summary = {**found.summary, "volume": plain(volume.summary)}
            found = replace(found, volume=volume, summary=summary)
    return found


def _with_lattice(found: Analyses, lattice: "LatticeOptions", observer: Observer) -> Analyses:
    indexed = index(lattice, found.columns, observer)
    summary = {**found.summary, "lattice": lattice_summary(indexed)}
    return replace(found, columns=indexed.columns, indexed=indexed, summary=summary)


def _with_strain(
    found: Analyses,
    indexed: "IndexedColumns",
    options: "StrainOptions",
    correlation: float | None,
    observer: Observer,
    failed: Failed | None,
) -> Analyses:
    """Add strain and, as far as they can be had, shifts, tilts and Burgers vectors."""
    observer.stage_started("measuring strain")
    section = dict(found.summary["lattice"])
    tables = {}
    for name, measure in strain_tables(options).items():
        with noted(name, failed):
            tables[name] = measure(options, indexed)
            section[name] = medians(tables[name])
    with noted("burgers", failed):
        section["burgers"] = burgers_circuits(options, indexed)
    if "strain" not in tables:
        return found
    for name, scatter in neighbour_scatter(tables["strain"], indexed).items():
        section["strain"][name]["neighbour_scatter"] = scatter
    told = tables["strain"].attrs.get("warnings", [])
    section["strain_warnings"] = [*doubts_of_strain(section["strain"], correlation), *told]
    return replace(found, tables=tables, summary={**found.summary, "lattice": section})


def _with_counts(
    found: Analyses,
    plan: "QuantifyPlan",
    options: "CountOptions",
    image: "xr.DataArray",
    observer: Observer,
) -> Analyses:
    counts = count(plan, found.columns, image, observer)
    table = counts.add_to(found.columns, options.least_probability, options.keep_undecided)
    summary = {**found.summary, "counting": counting_summary(counts, table, options)}
    return replace(found, columns=table, counts=counts, summary=summary)


def warnings_of(sections: dict[str, Any]) -> list[str]:
    """Return what the reader of a result should know of its analyses, the gravest first."""
    said = list(sections.get("failed", {}).values())
    counting = sections.get("counting")
    if counting is not None and not counting["decided"]:
        said.append(f"atoms are NOT counted: {counting['verdict']}")
    for name, words in (("counting", "atom counts"), ("lattice", "lattice"), ("volume", "volume")):
        said += [f"{words}: {text}" for text in sections.get(name, {}).get("warnings", [])]
    doubted = sections.get("lattice", {}).get("strain_warnings", [])
    return said + [f"strain: {text}" for text in doubted]


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
