"""A quantification in numbers: counts, means and precisions, with their units."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe import axes
from crewe.atoms import ColumnFit
from crewe.workflows.plan import IntensityScale, QuantifyPlan

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

STRONG_CORRELATION = 0.3
"""Correlation of neighbouring residuals from which on standard errors are lower limits."""
NUMBERS = ("x", "y", "height", "width", "scs")


def summarise(plan: QuantifyPlan, image: "xr.DataArray", fit: ColumnFit) -> dict[str, Any]:
    """Return the result in numbers that can be written as JSON; NaN becomes None."""
    length = axes.length_unit(image)
    return {
        "image": plan.image.name,
        "shape": list(image.shape),
        "sampling": [float(step) for step in axes.sampling(image)],
        "length_unit": length,
        "units": units_of(length, intensity_unit(image, plan.intensity)),
        **summarise_columns(fit.columns),
        "fit": plain(fit.summary),
        "warnings": list(fit.summary.get("warnings", [])),
    }


def summarise_columns(columns: "pd.DataFrame") -> dict[str, Any]:
    """Return how many columns there are, flagged and of each type, and what is typical of them."""
    return {
        "columns": _counts(columns),
        "types": [_type_summary(name, group) for name, group in columns.groupby("type")],
    }


def intensity_unit(image: "xr.DataArray", scale: IntensityScale) -> str:
    """Return the unit of the image's values; empty for a fraction of the beam."""
    if scale.normalises:
        return ""
    if scale.counts:
        return "e"
    return str(image.attrs.get("units") or "a.u.")


def units_of(length: str, intensity: str) -> dict[str, str]:
    """Return the unit of each number in the table of columns.

    A scattering cross-section is an area once the image is a fraction of the
    beam; otherwise it carries the image's own unit as well.
    """
    area = f"{length}²"
    unit = {
        "x": length,
        "y": length,
        "height": intensity,
        "width": length,
        "scs": f"{intensity}·{area}" if intensity else area,
    }
    return {**unit, **{f"{name}_std": unit[name] for name in NUMBERS}}


def plain(value: Any) -> Any:
    """Turn numpy numbers and containers into what JSON knows; NaN and inf become None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _counts(columns: "pd.DataFrame") -> dict[str, Any]:
    flags = Counter(word for flag in columns["flag"] for word in flag.split(",") if word)
    return {
        "total": len(columns),
        "flagged": int((columns["flag"] != "").sum()),
        "flags": dict(sorted(flags.items())),
    }


def _type_summary(name: Any, group: "pd.DataFrame") -> dict[str, Any]:
    """Summarise the columns of one type, leaving out the flagged ones where others exist."""
    fine = group[group["flag"] == ""]
    sample = fine if len(fine) else group
    position = np.sqrt((sample["x_std"] ** 2 + sample["y_std"] ** 2) / 2)
    return plain(
        {
            "type": int(name),
            "columns": len(group),
            "flagged": len(group) - len(fine),
            "scs_median": sample["scs"].median(),
            "scs_spread": sample["scs"].std(),
            "scs_std": sample["scs_std"].median(),
            "width_median": sample["width"].median(),
            "position_std": position.median(),
        }
    )
