"""Add the columns that the others outshine to a fit, as a plan asks for it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.workflows.dose import electrons_per_unit
from crewe.workflows.observer import Observer, stages
from crewe.workflows.summary import plain

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from crewe.atoms import ColumnFit
    from crewe.workflows.plan import QuantifyPlan

PRESENCE = "presence_probability"
"""Column of the table: probability that a weak column is there, missing for all others."""


def with_weak_columns(
    plan: "QuantifyPlan", image: "xr.DataArray", known: "pd.DataFrame", observer: Observer
) -> tuple["ColumnFit", dict[str, Any]]:
    """Fit known columns and the weak ones that the evidence adds; return the fit and a summary."""
    from crewe.atoms.weak_columns import find_weak_columns

    if plan.weak_columns is None:
        raise ValueError("the plan asks for no weak columns")
    counted = plan.restore is None and plan.remove_background is None
    found = find_weak_columns(
        image,
        known,
        most=plan.weak_columns.most,
        width="type" if plan.fit.width == "type" else "common",
        peak=plan.fit.peak,
        background=plan.fit.background,
        electrons_per_unit=electrons_per_unit(plan.intensity) if counted else None,
        progress=stages(observer),
    )
    probability = np.full(len(found.fit.columns), np.nan)
    probability[len(known) :] = found.columns["probability"]
    found.fit.columns[PRESENCE] = probability
    return found.fit, plain(found.summary)
