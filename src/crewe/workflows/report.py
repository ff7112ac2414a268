"""The report that opens alone: one HTML file with figures, numbers, settings and columns."""

import base64
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe import plots
from crewe.atoms.noise import NoiseModel
from crewe.workflows.report_analyses import (
    analysis_figures,
    analysis_numbers,
    analysis_sections,
)
from crewe.workflows.report_restored import (
    measured_numbers,
    restoration_png,
    restoration_section,
    stored_restoration_png,
)
from crewe.workflows.report_settings import found_by_fit, provenance_pairs, settings_of
from crewe.workflows.report_tables import (
    UNKNOWN,
    columns_table,
    flags_table,
    pairs_table,
    quantity,
    types_table,
)
from crewe.workflows.summary import STRONG_CORRELATION

if TYPE_CHECKING:
    import xarray as xr

    from crewe.workflows.quantify import Quantification

LISTED = 2000
"""Columns listed in the report; more make a browser slow, and the CSV holds them all."""

LEAST_VARIANCE = 0.02
"""Least variance of a pixel as part of the mean, as where the noise is estimated."""


def figures_of(result: "Quantification") -> dict[str, bytes]:
    """Draw the overview and the detail of a result, as PNG."""
    residual, label = residual_in_noise(result)
    overview = plots.overview_figure(
        result.image,
        result.fit.columns,
        residual,
        residual_label=label,
        scs_unit=result.summary["units"]["scs"],
        title=f"{result.plan.image.name}: {_counted(result.summary)}",
    )
    detail = plots.detail_figure(
        result.image, result.fit.columns, result.fit.model, residual, residual_label=label
    )
    figures = {"overview": plots.png_bytes(overview), "detail": plots.png_bytes(detail, 220)}
    if result.restoration is not None:
        figures["restoration"] = restoration_png(result)
    elif result.stored_in is not None and "restoration" in result.summary:
        figures["restoration"] = stored_restoration_png(result.stored_in / "report.html")
    return figures | analysis_figures(result)


def residual_in_noise(result: "Quantification") -> tuple["xr.DataArray", str]:
    """Return the residual in multiples of the noise that the fit reckons with, and their name.

    Without a known dose that noise was estimated from this very residual, so that a misfit
    is part of the scale it is shown on.
    """
    residual, fit = result.fit.residual, result.fit.summary
    floor = LEAST_VARIANCE * fit["residual_rms"] ** 2
    if floor <= 0:
        return residual, "image units"
    noise = NoiseModel(fit["noise_constant"], fit["noise_per_intensity"], floor)
    deviation = np.sqrt(noise.variance(result.fit.model.to_numpy()))
    counting = fit.get("noise") == "counts"
    label = "residual / counting noise" if counting else "residual / its r.m.s. at that intensity"
    return (residual / deviation).assign_attrs(residual.attrs), label


def report_html(result: "Quantification", figures: dict[str, bytes]) -> str:
    """Write the report of a result as one HTML text without external resources."""
    template = files("crewe.workflows").joinpath("report_template.html").read_text("utf-8")
    summary, name = result.summary, result.plan.image.name
    parts = {
        "title": escape(name),
        "lead": _lead(summary),
        "warnings": _warnings(summary["warnings"]),
        "key": _key_numbers(summary),
        "overview": base64.b64encode(figures["overview"]).decode(),
        "overview_alt": escape(_overview_alt(summary, name), quote=True),
        "overview_caption": _overview_caption(result),
        "detail": base64.b64encode(figures["detail"]).decode(),
        "detail_alt": "The middle of the image, of the fitted model and of their difference, "
        "side by side at the same scale.",
        "detail_caption": "The middle of the image at the scale of its columns: image with "
        "fitted positions, model on the same grey scale, and what the model leaves over.",
        "restoration": restoration_section(result, figures),
        "analyses": analysis_sections(result, figures),
        "types": types_table(summary),
        "flags": flags_table(summary),
        "method": _method(result),
        "settings": pairs_table(settings_of(result), "Settings"),
        "found": pairs_table(found_by_fit(summary), "What the fit chose and found"),
        "provenance": pairs_table(provenance_pairs(result), "Software and files"),
        "folder": escape(str(result.plan.output.name if result.plan.output else "OUT")),
        "table_note": _table_note(summary),
        "columns": columns_table(result.fit.columns.head(LISTED), summary["units"]),
    }
    return Template(template).substitute(parts)


def _counted(summary: dict[str, Any]) -> str:
    total, flagged = summary["columns"]["total"], summary["columns"]["flagged"]
    columns = "1 column" if total == 1 else f"{total:,} columns"
    return f"{columns}, {flagged:,} flagged" if flagged else columns


def _lead(summary: dict[str, Any]) -> str:
    unit = summary["length_unit"]
    height, width = summary["shape"]
    step_y, step_x = summary["sampling"]
    size = f"{height} × {width} pixels"
    if unit == "px":
        return f"{_counted(summary)}, in an image of {size} without a calibrated pixel size."
    step = f"{step_x:.4g}" if np.isclose(step_x, step_y) else f"{step_y:.4g} × {step_x:.4g}"
    return (
        f"{_counted(summary)}, in an image of {size}, "
        f"{height * step_y / 10:.3g} × {width * step_x / 10:.3g} nm at {step} {unit} per pixel "
        "(height × width)."
    )


def _warnings(warnings: list[str]) -> str:
    if not warnings:
        return ""
    points = "".join(f"<li>{escape(text)}</li>" for text in warnings)
    head = "<strong>Before you use this</strong>"
    return f'<div class="warnings" role="note">{head}<ul>{points}</ul></div>'


def _key_numbers(summary: dict[str, Any]) -> str:
    unit = summary["units"]
    main = max(summary["types"], key=lambda kind: kind["columns"])
    least = "≥ " if _errors_are_lower_limits(summary) else ""
    of = "restored image, " if "restoration" in summary else ""
    position = quantity(main["position_std"], unit["x"], picometres=True)
    relative = _relative(main["scs_std"], main["scs_median"])
    numbers = [
        ("columns found", f"{summary['columns']['total']:,}"),
        (
            "columns without a flag",
            f"{summary['columns']['total'] - summary['columns']['flagged']:,}",
        ),
        ("types by brightness", str(len(summary["types"]))),
        (f"standard error of a position, {of}median", _at_least(least, position)),
        (f"standard error of a cross-section, {of}median", _at_least(least, relative)),
    ]
    numbers += measured_numbers(summary) + analysis_numbers(summary)
    return "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in numbers)


def _errors_are_lower_limits(summary: dict[str, Any]) -> bool:
    """Whether the residual is too smooth for errors that reckon with independent pixels."""
    return (
        "restoration" in summary
        or (summary["fit"].get("residual_correlation") or 0.0) > STRONG_CORRELATION
    )


def _at_least(sign: str, number: str) -> str:
    return number if number == UNKNOWN else f"{sign}{number}"


def _relative(spread: float | None, value: float | None) -> str:
    if not spread or not value:
        return UNKNOWN
    return f"{100 * spread / value:.2g} %"


def _overview_alt(summary: dict[str, Any], name: str) -> str:
    types = "; ".join(
        f"type {kind['type']}: {kind['columns']} columns, median scattering cross-section "
        f"{quantity(kind['scs_median'], summary['units']['scs'])}"
        for kind in summary["types"]
    )
    return (
        f"Three panels. The image {name} with {_counted(summary)} marked on it; "
        f"the difference between image and fitted model; and a histogram of the scattering "
        f"cross-sections by type. {types}."
    )


def _overview_caption(result: "Quantification") -> str:
    _, label = residual_in_noise(result)
    estimated = result.fit.summary.get("noise") != "counts"
    hidden = " The scale is taken from this residual, so a misfit hides in it." if estimated else ""
    return (
        "<b>a</b> Fitted positions: a ring in the colour of the column's type, a cross where the "
        f"fit is flagged. <b>b</b> Image minus model ({label}): white where the model says all; "
        "patterns here are what it misses."
        f"{hidden} <b>c</b> Scattering cross-sections of the columns "
        "without a flag; the bar is ± one median standard error."
    )


def _method(result: "Quantification") -> str:
    peak = {"gaussian": "Gaussian", "lorentzian": "Lorentzian"}[result.plan.fit.peak]
    if result.fit.summary.get("noise") == "counts":
        error = "the Fisher information of the electron counts"
    else:
        error = "the Fisher information with the noise taken from the residual"
    if "restoration" in result.summary:
        error += " of the restored image"
    return (
        f"All columns are fitted at once, as overlapping {peak} peaks on a background. "
        "The scattering cross-section (SCS) is the volume under a column’s peak. "
        f"Standard errors (std) are those of {error}: they say how far noise alone would move a "
        "number, and nothing about scan distortion, drift or a wrong pixel size."
    )


def _table_note(summary: dict[str, Any]) -> str:
    total = summary["columns"]["total"]
    part = f"The first {LISTED:,} of {total:,} columns" if total > LISTED else "All columns"
    return (
        f"{part} are listed below; click a heading to sort. For work with the numbers take "
        '<a href="columns.csv" download>columns.csv</a> or '
        '<a href="columns.parquet" download>columns.parquet</a>, which lie next to this report.'
    )
