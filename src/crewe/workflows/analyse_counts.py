"""Count atoms as a plan asks for it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.workflows.dose import electrons_per_area
from crewe.workflows.observer import Observer, stages
from crewe.workflows.summary import plain

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from crewe.atoms.counting.results import AtomCounts
    from crewe.workflows.plan import QuantifyPlan
    from crewe.workflows.plan_analyses import CountOptions, ScatteringLibrary


def count(
    plan: "QuantifyPlan", columns: "pd.DataFrame", image: "xr.DataArray", observer: Observer
) -> "AtomCounts":
    """Count the atoms in each column. Raises PlanError where the columns cannot be counted."""
    from crewe.atoms.counting.count import count_atoms

    options = plan.count
    if options is None:
        raise ValueError("the plan asks for no counts")
    return count_atoms(
        columns,
        by=options.way,
        library=None if options.library is None else library_array(options.library),
        types=options.types,
        progress=stages(observer),
        **_settings(plan, options, image),
    )


def library_array(library: "ScatteringLibrary") -> "xr.DataArray":
    """Return the library of a plan as an array over atoms."""
    import xarray as xr

    values = np.array(library.scs)
    atoms = np.arange(library.first_count, library.first_count + len(values))
    attrs = {"units": library.unit, "source": library.name}
    return xr.DataArray(values, dims="atoms", coords={"atoms": atoms}, name="scs", attrs=attrs)


def _settings(
    plan: "QuantifyPlan", options: "CountOptions", image: "xr.DataArray"
) -> dict[str, Any]:
    """Return the settings that the way of counting knows."""
    electrons = electrons_per_area(plan, image) if options.width == "dose" else None
    common = {"width": options.width, "electrons_per_unit": electrons}
    if options.way == "library":
        return {**common, "rule": options.rule}
    if options.way == "mixture":
        names = ("components", "criterion", "offset")
        chosen = {name: getattr(options, name) for name in names}
        return {**common, **chosen, "most_components": options.most_count}
    prior = {"scale_std": options.scale_std, "single_atom_scs": options.single_atom_scs}
    bounds = {"least_count": options.least_count, "most_count": options.most_count}
    return {**common, **prior, **bounds, "seed": plan.seed}


def counting_summary(
    counts: "AtomCounts", columns: "pd.DataFrame", options: "CountOptions"
) -> dict[str, Any]:
    """Return the counts in numbers that can be written as JSON."""
    answered = columns["count"].dropna().astype(int)
    known = int(columns["count_probability"].notna().sum())
    values, times = np.unique(answered.to_numpy(), return_counts=True)
    return plain(
        {
            **counts.summary,
            "n_counted": len(answered),
            "n_undecided": known - len(answered),
            "way": options.way,
            "least_probability": options.least_probability,
            "columns_of_count": dict(zip(values, times, strict=True)),
            "curve": counts.curve,
            "curve_std": counts.curve_std,
            "spread": counts.spread,
            "weights": counts.weights,
        }
    )
