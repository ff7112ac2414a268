"""Repeat a stored result and say whether it comes out the same."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crewe import io
from crewe.errors import PlanError, ReadError
from crewe.workflows.carry_out import run
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.plan import QuantifyPlan
from crewe.workflows.plan_file import PLAN_NAME, load_plan
from crewe.workflows.provenance import provenance_of

if TYPE_CHECKING:
    import pandas as pd

ROUNDING = 1e-2
"""Difference, in standard errors, that another processor or number of threads may make."""


@dataclass(frozen=True)
class Comparison:
    """How a repeated table differs from the stored one."""

    equal: bool
    """Same columns, same flags, and no number farther off than a hundredth of its error."""
    identical: bool
    """Every number the same to the last bit."""
    largest_difference: float
    """Largest difference of a number in its standard errors; NaN for tables of other shapes."""
    text: str
    """The comparison in one line."""


def rerun(
    folder: Path,
    observer: Observer | None = None,
    *,
    output: Path | None = None,
    image: Path | None = None,
    overwrite: bool = False,
) -> Comparison:
    """Repeat the result in a folder and compare the tables of columns.

    `image` says where the input lies now, if it has moved; `output` keeps the new
    result. Raises PlanError when the folder holds no finished result, and ReadError
    when the input is missing or is not the file it was.
    """
    observer = observer or Silent()
    if not (folder / PLAN_NAME).is_file():
        raise PlanError(
            f"{folder} is no result of crewe quantify: give a folder that holds {PLAN_NAME}"
        )
    stored = load_plan(folder / PLAN_NAME)
    plan = stored.model_copy(update={"output": output, "image": image or stored.image})
    check_inputs(stored, plan)
    tell_versions(stored, plan, observer)
    table = folder / "columns.parquet"
    if not table.is_file():
        raise ReadError(f"{table} is missing, so there is nothing to compare with")
    before = io.read_table(table)
    return compare(before, run(plan, observer, overwrite=overwrite).fit.columns)


def check_inputs(stored: QuantifyPlan, plan: QuantifyPlan) -> None:
    """Raise unless the plan's input files are those that the stored plan was carried out on."""
    if stored.provenance is None:
        raise PlanError("this plan has not been carried out: run it with crewe quantify --plan")
    if not plan.image.exists():
        raise ReadError(f"{plan.image} is no longer there: say where it is with --image")
    now = provenance_of(plan)
    if now.image_sha256 != stored.provenance.image_sha256:
        raise ReadError(
            f"{plan.image} has changed since: its checksum is {now.image_sha256[:12]}…, "
            f"not {stored.provenance.image_sha256[:12]}…. Give the original with --image"
        )
    if now.detector_map_sha256 != stored.provenance.detector_map_sha256:
        raise ReadError(f"{plan.intensity.detector_map} has changed since: put the original back")


def tell_versions(stored: QuantifyPlan, plan: QuantifyPlan, observer: Observer) -> None:
    """Say which software differs from the one that made the stored result."""
    before = stored.provenance.versions if stored.provenance else {}
    then = (stored.provenance.networks if stored.provenance else None) or {}
    now = provenance_of(plan)
    for role, checksum in (now.networks or {}).items():
        if then.get(role, checksum) != checksum:
            observer.warning(
                f"network {plan.networks[role]} is another one than that of the stored result"
            )
    for name, version in now.versions.items():
        made_with = before.get(name, version)
        if made_with != version:
            observer.warning(f"{name} {version} is in use; the result was made with {made_with}")


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
        (before[name].to_numpy() == after[name].to_numpy()).all()
        for name in after.columns
        if name not in numbers
    )
    largest = max((_difference(before, after, name) for name in numbers), default=0.0)
    if not words:
        return Comparison(False, False, largest, "different: types or flags have changed")
    if largest == 0:
        return Comparison(True, True, 0.0, f"equal: all {len(after)} columns, to the last digit")
    amount = f"largest difference {largest:.1e} standard errors"
    if largest <= ROUNDING:
        return Comparison(True, False, largest, f"equal for every purpose: {amount}")
    return Comparison(False, False, largest, f"different: {amount}")


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
