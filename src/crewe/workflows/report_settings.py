"""What a report says of the settings, of what the fit chose, and of software and files."""

import json
from typing import TYPE_CHECKING, Any

from crewe.workflows.plan_analyses import ANALYSES

if TYPE_CHECKING:
    from crewe.workflows.quantify import Quantification

GROUPS = ("remove_background", "weak_columns", "region")
"""Parts of a plan whose settings are listed under the name of the part."""


def settings_of(result: "Quantification") -> dict[str, str]:
    """List the settings of the fit; those of each analysis stand in its own section."""
    elsewhere = {"image", "output", "provenance", *ANALYSES, *GROUPS}
    plan = result.plan.model_dump(mode="json", exclude=elsewhere)
    listed = {"image": result.plan.image.name}
    for key, value in plan.items():
        listed |= given(value if isinstance(value, dict) else {key: value})
    listed["columns_found_by"] = listed.pop("by")
    for group in GROUPS:
        part = getattr(result.plan, group)
        if part is not None:
            inner = given(part.model_dump(mode="json"))
            listed |= {f"{group}, {name}": said for name, said in inner.items()}
    if result.plan.intensity.detector_map is not None:
        listed["detector_map"] = result.plan.intensity.detector_map.name
    if result.plan.sampling is None:
        listed["sampling"] = "the file’s own"
    elif result.plan.sampling != "pixel":
        listed["sampling"] += " Å"
    return listed


def given(settings: dict[str, Any]) -> dict[str, str]:
    """Put in words what was set; what is not set or not wanted is left out."""
    return {
        name: said(value)
        for name, value in settings.items()
        if value is not None and value is not False and value != []
    }


def found_by_fit(summary: dict[str, Any]) -> dict[str, str]:
    """List what the fit says about itself, less what the report tells elsewhere."""
    elsewhere = {"warnings", "n_flagged", "n_columns", "n_types", "sampling", "length_unit"}
    unit = summary["units"]["height"] or "fraction of the beam"
    words = {
        "residual_rms": f"residual, root mean square ({unit})",
        "residual_correlation": "correlation of neighbouring residuals",
        "noise_constant": f"noise variance, constant part ({unit}, squared)",
        "noise_per_intensity": f"noise variance per intensity ({unit})",
    }
    return {
        words.get(key, key): said(value)
        for key, value in summary["fit"].items()
        if key not in elsewhere and not key.startswith("median")
    }


def said(value: Any) -> str:
    """Put a setting or a number in words."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def provenance_pairs(result: "Quantification") -> dict[str, str]:
    """List versions of software and checksums of files."""
    stored = result.plan.provenance
    if stored is None:
        return {}
    listed = dict(stored.versions) | {"SHA-256 of the image": stored.image_sha256}
    if stored.detector_map_sha256:
        listed["SHA-256 of the detector map"] = stored.detector_map_sha256
    for name, version in (stored.analysed_with or {}).items():
        listed[f"{name}, for the analyses"] = version
    return listed
