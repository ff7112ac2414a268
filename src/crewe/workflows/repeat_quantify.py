"""Repeat what `crewe quantify` wrote and compare the two tables of columns."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe import io
from crewe.errors import PlanError, ReadError
from crewe.workflows.carry_out import run
from crewe.workflows.observer import Observer
from crewe.workflows.plan import QuantifyPlan
from crewe.workflows.plan_file import load_plan
from crewe.workflows.provenance import provenance_of
from crewe.workflows.repeat_comparison import Comparison
from crewe.workflows.repeat_request import Request, has_changed, tell_versions

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("strain", "shifts", "tilts")
"""Tables of analyses that are compared besides the columns."""
ROUNDING = 1e-2
"""Difference, in standard errors, that another processor or number of threads may make."""


def repeat_quantify(request: Request, observer: Observer) -> Comparison:
    """Repeat the result in a folder and compare the tables of columns.

    Raises PlanError for a plan that has not been carried out, and ReadError when the input is
    missing or is not the file it was.
    """
    stored = load_plan(request.note)
    image = request.image or stored.image
    plan = stored.model_copy(update={"output": request.output, "image": image})
    check_inputs(stored, plan)
    tell_software(stored, plan, observer)
    table = request.note.with_name("columns.parquet")
    if not table.is_file():
        raise ReadError(f"{table} is missing, so there is nothing to compare with")
    before = {name: _stored_table(request.note, name) for name in ("columns", *TABLES)}
    result = run(plan, observer, overwrite=request.overwrite)
    after = {"columns": result.fit.columns}
    if result.analyses is not None:
        after |= result.analyses.tables
    return compare_all(before, after)


def _stored_table(note: Path, name: str) -> "pd.DataFrame | None":
    table = note.with_name(f"{name}.parquet")
    return io.read_table(table) if table.is_file() else None


def compare_all(
    before: "Mapping[str, pd.DataFrame | None]", after: "Mapping[str, pd.DataFrame]"
) -> Comparison:
    """Compare the table of columns and all tables of analyses; the first that differs counts."""
    worst: Comparison | None = None
    for name, table in after.items():
        then = before[name]
        if then is None:
            text = f"different: the stored result has no table {name}"
            return Comparison(False, False, float("nan"), text)
        found = compare(then, table)
        if not found.equal and name != "columns":
            found = replace(found, text=f"{found.text} (table {name})")
        if not found.equal:
            return found
        if worst is None or found.largest_difference > worst.largest_difference:
            worst = found
    if worst is None:
        raise ValueError("there is no table to compare")
    return worst


def check_inputs(stored: QuantifyPlan, plan: QuantifyPlan) -> None:
    """Raise unless the plan's input files are those that the stored plan was carried out on."""
    if stored.provenance is None:
        raise PlanError("this plan has not been carried out: run it with crewe quantify --plan")
    if not plan.image.exists():
        raise ReadError(f"{plan.image} is no longer there: say where it is with --image")
    now = provenance_of(plan)
    if now.image_sha256 != stored.provenance.image_sha256:
        raise has_changed(plan.image, now.image_sha256, stored.provenance.image_sha256)
    if now.detector_map_sha256 != stored.provenance.detector_map_sha256:
        raise ReadError(f"{plan.intensity.detector_map} has changed since: put the original back")


def tell_software(stored: QuantifyPlan, plan: QuantifyPlan, observer: Observer) -> None:
    """Say which networks and software differ from those that made the stored result."""
    then = (stored.provenance.networks if stored.provenance else None) or {}
    now = provenance_of(plan)
    for role, checksum in (now.networks or {}).items():
        if then.get(role, checksum) != checksum:
            observer.warning(
                f"network {plan.networks[role]} is another one than that of the stored result"
            )
    before = stored.provenance.versions if stored.provenance else {}
    tell_versions(before, now.versions, observer)


def compare(before: "pd.DataFrame", after: "pd.DataFrame") -> Comparison:
    """Compare two tables of columns.

    Differences are in units of the standard error; those of standard errors, and of
    numbers without one, are relative.
    """
    if len(before) != len(after):
        text = f"different: {len(before)} columns then, {len(after)} now"
        return Comparison(False, False, float("nan"), text)
    numbers = [name for name in after.columns if after[name].dtype.kind == "f"]
    missing = [name for name in after.columns if name not in before.columns]
    if missing:
        text = f"different: the stored table has no {', '.join(missing)}"
        return Comparison(False, False, float("nan"), text)
    words = all(
        _as_words(before[name]) == _as_words(after[name])
        for name in after.columns
        if name not in numbers
    )
    largest = max((_difference(before, after, name) for name in numbers), default=0.0)
    if not words:
        return Comparison(False, False, largest, "different: types, flags or counts have changed")
    if largest == 0:
        return Comparison(True, True, 0.0, f"equal: all {len(after)} columns, to the last digit")
    amount = f"largest difference {largest:.1e} standard errors"
    if largest <= ROUNDING:
        return Comparison(True, False, largest, f"equal for every purpose: {amount}")
    return Comparison(False, False, largest, f"different: {amount}")


def _as_words(values: "pd.Series[Any]") -> list[Any]:
    """Return what is compared as it is; a count that is missing equals another one missing."""
    return values.astype(object).where(values.notna(), None).tolist()


def _difference(before: "pd.DataFrame", after: "pd.DataFrame", name: str) -> float:
    one, other = before[name].to_numpy(float), after[name].to_numpy(float)
    if (np.isnan(one) != np.isnan(other)).any():
        return float("inf")
    scale = np.abs(before.get(f"{name}_std", before[name]).to_numpy(float))
    usable = np.isfinite(scale) & (scale > 0)
    # A column whose error is not known is measured by the error of its peers.
    typical = float(np.median(scale[usable])) if usable.any() else 1.0
    scale = np.where(usable, scale, typical)
    return float(np.nanmax(np.abs(one - other) / scale, initial=0.0))
