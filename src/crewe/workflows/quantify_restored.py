"""Quantify a restored image without losing sight of the measured one."""

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.atoms import ColumnFit, fit_columns
from crewe.workflows.observer import Observer, stages
from crewe.workflows.plan import QuantifyPlan
from crewe.workflows.summary import plain

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from crewe.restoration import Restored

COMPARED = ("x", "y", "height", "width", "scs")
# The restored image holds the same noise as the measured one: columns that it moves by more
# than noise could are where the network put them.
MOST_SHIFT = 2.0
MOST_CHANGE = 0.03


@dataclass(frozen=True)
class Restoration:
    """What a restored image came from."""

    measured: "xr.DataArray"
    """The image as measured."""
    trust: "xr.DataArray"
    """How far it supports the restored one, 0 to 1, see `crewe.restoration.trust_map`."""
    measured_fit: ColumnFit
    """The same columns fitted to the measured image."""
    facts: dict[str, Any]
    """Model, checksum and trust in numbers, and what the network warns of."""


def restored_image(plan: QuantifyPlan, image: "xr.DataArray", observer: Observer) -> "Restored":
    """Restore an image by the plan's network, its trust map included. Raises CreweError."""
    from crewe.restoration import restore

    return restore(image, model=str(plan.restore), seed=plan.seed, observer=stages(observer))


def fit_both(
    restored: "Restored",
    measured: "xr.DataArray",
    found: "pd.DataFrame",
    settings: dict[str, Any],
    observer: Observer,
) -> tuple[ColumnFit, Restoration]:
    """Fit columns to a restored image, and the same columns to the measured one.

    What is known of electron counts holds for the measured image alone, so on the restored one
    `noise` counts becomes automatic. The table of the first fit gains `x_measured`,
    `x_measured_std` and so on of the second.
    """
    free = {**settings, "electrons_per_unit": None}
    free["noise"] = "auto" if settings["noise"] == "counts" else settings["noise"]
    fit = fit_columns(restored.image, found, **free, observer=stages(observer))
    observer.stage_started("fitting the measured image")
    start = found.assign(type=fit.columns["type"])
    measured_fit = fit_columns(measured, start, **settings)
    for name, ending in product(COMPARED, ("", "_std")):
        fit.columns[f"{name}_measured{ending}"] = measured_fit.columns[f"{name}{ending}"]
    card = restored.card
    facts = {
        "model": card.name,
        "sha256": card.sha256,
        "trusted_share": restored.trusted_share,
        "doubted_share": restored.doubted_share,
        "warnings": list(restored.warnings),
    }
    return fit, Restoration(measured, restored.trust, measured_fit, facts)


def add_restoration(summary: dict[str, Any], fit: ColumnFit, restoration: Restoration) -> None:
    """Add to a summary what was restored, how it compares, and what to be careful about."""
    compared = _comparison(fit.columns)
    facts = {**restoration.facts, **compared}
    summary["restoration"] = plain(facts)
    units = summary["units"]
    for name, ending in product(COMPARED, ("", "_std")):
        units[f"{name}_measured{ending}"] = units[name]
    summary["warnings"] = [
        f"fitted to an image that the network {facts['model']} restored, not to the measured one: "
        "its standard errors come from the scatter of the residual, not from electron counts, and "
        "leave out what the network changed; columns *_measured are the fit of the measured image",
        *_shift_warnings(compared),
        *facts["warnings"],
        *summary["warnings"],
    ]


def _comparison(columns: "pd.DataFrame") -> dict[str, Any]:
    """Medians over unflagged columns of the measured fit, and how far the two fits differ."""
    fine = columns[columns["flag"] == ""] if (columns["flag"] == "").any() else columns
    position = np.sqrt((fine["x_measured_std"] ** 2 + fine["y_measured_std"] ** 2) / 2)
    shifts = [(fine[n] - fine[f"{n}_measured"]) / fine[f"{n}_measured_std"] for n in ("x", "y")]
    scs = (fine["scs"] - fine["scs_measured"]) / fine["scs_measured_std"]
    return {
        "measured_position_std": float(position.median()),
        "measured_scs_std_relative": float(
            (fine["scs_measured_std"] / fine["scs_measured"]).median()
        ),
        "position_shift_in_std": _robust_spread(np.concatenate([s.to_numpy() for s in shifts])),
        "scs_shift_in_std": _robust_spread(scs.to_numpy()),
        "scs_ratio_median": float((fine["scs"] / fine["scs_measured"]).median()),
    }


def _robust_spread(values: np.ndarray) -> float:
    """Median size of finite values, as a standard deviation; offsets count as spread."""
    known = np.abs(values[np.isfinite(values)])
    return float(1.4826 * np.median(known)) if known.size else float("nan")


def _shift_warnings(compared: dict[str, Any]) -> list[str]:
    said = []
    shift, ratio = compared["position_shift_in_std"], compared["scs_ratio_median"]
    if shift > MOST_SHIFT:
        said.append(
            f"restoring moved columns by {shift:.1f} standard errors of the measured image, more "
            "than its noise explains: scan distortion that the network took out, or its own bias"
        )
    if abs(ratio - 1) > MOST_CHANGE:
        said.append(
            f"restoring changed cross-sections by {100 * (ratio - 1):+.0f} % in the median: take "
            "scs_measured for quantities"
        )
    return said
