"""The report on a fusion: pictures, tables, and one page of all that opens alone."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from crewe.io.atomic import atomic_path
from crewe.workflows.emulator_fit_tables import plain_rows
from crewe.workflows.emulator_report_html import STYLE, table_html
from crewe.workflows.fuse_plan import PAGE_NAME
from crewe.workflows.fuse_result import Fusion
from crewe.workflows.output_folder import make_folder

if TYPE_CHECKING:
    import pandas as pd

CAPTIONS = {
    "maps": "HAADF, and the map of each element as measured and as fused.",
    "overlay": "All elements in one picture, as measured and as fused; each from black at zero.",
    "standard_error": "Standard error of each map. It tells what noise does, not what the prior "
    "assumes wrongly.",
    "fractions": "Atomic fraction of each element, grey where nothing is, and its histogram with "
    "the Gaussians that were found in it.",
    "convergence": "Convergence. The total of the chemical term and the variation never rises. "
    "Elastic is the misfit of HAADF. Where HAADF guides, it is told and not part of the total: it "
    "begins low, because amounts in proportion to HAADF fit it, and rises as elements part. Its "
    "start is not drawn.",
    "tried": "How well one half of the counts was predicted from the other, by strength: the "
    "error in ‰ above the least. A usual setting is chosen where none is clearly better.",
}
TABLES = {
    "phases": "Phases: Gaussians in the histogram of each fraction",
    "tried": "What was tried to choose the settings",
}
STYLE_OF_WARNINGS = (
    ".warnings { border-left: 5px solid #b34700; background: #fff6ec; padding: .5rem 1rem; }"
)


def write_report(result: Fusion, provenance: Mapping[str, Any], overwrite: bool = False) -> None:
    """Write pictures (PNG), tables (CSV) and, last, the page (HTML). Raises WriteError."""
    from crewe.plots.save import png_bytes

    output = result.plan.output
    make_folder(output)
    pictures = {name: png_bytes(figure, 200) for name, figure in figures_of(result)}
    contents = {f"{name}.png": png for name, png in pictures.items()}
    for name, table in {**tables_of(result), "convergence": result.chosen.history}.items():
        contents[f"{name}.csv"] = table.to_csv(index=False).encode()
    contents[PAGE_NAME] = page_of(result, provenance, pictures).encode()
    for name, content in contents.items():
        with atomic_path(output / name, overwrite) as temporary:
            temporary.write_bytes(content)


def figures_of(result: Fusion) -> Iterator[tuple[str, Any]]:
    """Draw what a result shows, by name."""
    from crewe.plots.fusion import maps_figure, overlay_figure, standard_error_figure
    from crewe.plots.fusion_curves import convergence_figure, fractions_figure, tried_figure

    shown, title = result.shown, result.plan.haadf.name
    yield "maps", maps_figure(shown.haadf, shown.raw, shown.fused, title=title)
    if len(result.elements) > 1:
        yield "overlay", overlay_figure(shown.raw, shown.fused, title=title)
        yield "fractions", fractions_figure(shown.fractions, shown.phases, title=title)
    if shown.errors is not None:
        yield "standard_error", standard_error_figure(shown.errors, title=title)
    yield "convergence", convergence_figure(result.chosen.history)
    if len(result.chosen.tried):
        columns = ("prior", "strength", "guide_smoothing_px", "gamma")
        chosen = {name: getattr(result.chosen, name) for name in columns}
        yield "tried", tried_figure(result.chosen.tried, chosen)


def tables_of(result: Fusion) -> dict[str, pd.DataFrame]:
    """Return the tables by name, without empty ones."""
    tried = result.chosen.tried.sort_values("prediction_error")
    tables = {"phases": result.shown.phases, "tried": tried}
    return {name: table for name, table in tables.items() if len(table)}


def facts_of(result: Fusion) -> dict[str, str]:
    """Return the key figures in words."""
    about = result.summary
    down, across = about["shape"]
    frames = f"{about['frames']} frames of " if about["frames"] > 1 else ""
    unit = str(result.shown.fused.attrs.get("units", "") or "")
    facts = {
        "elements": ", ".join(about["elements"]),
        "pixels": f"{frames}{down} × {across}",
        "prior": about["prior"],
        "strength": f"{about['strength']:.3g}",
        "γ of HAADF": f"{about['gamma']:.3g}",
        "HAADF smoothed by": f"{about['guide_smoothing_px']:.3g} px",
        "HAADF where nothing is": f"{about['haadf_offset']:.4g}",
        "likelihood": about["likelihood"].replace("_", " "),
        "share of HAADF": _each(about["elastic_share"], lambda share: f"{100 * share:.1f} %"),
        "mean": _each(about["mean"], lambda value: f"{value:.4g} {unit}".rstrip()),
    }
    if "mean_standard_error" in about:
        said = _each(about["mean_standard_error"], lambda value: f"{value:.3g} {unit}".rstrip())
        facts["mean standard error"] = said
    if any(scale != 1 for scale in about["counts_per_unit"].values()):
        facts["counts per unit"] = _each(about["counts_per_unit"], lambda value: f"{value:.4g}")
    if about["parts"] > 1:
        facts["fused in"] = f"{about['parts']} parts, with settings that one of them chose"
    if about["read"]:
        facts["read"] = "; ".join(about["read"])
    return facts


def page_of(result: Fusion, provenance: Mapping[str, Any], pictures: Mapping[str, bytes]) -> str:
    """Write the page: warnings, key figures, pictures, tables, plan; nothing lies outside of it."""
    title = escape(result.plan.haadf.name)
    parts = [_warnings(result.summary["warnings"]), _pairs(facts_of(result))]
    parts += [_figure(name, png) for name, png in pictures.items()]
    for name, table in tables_of(result).items():
        shown = _relative(table) if name == "tried" else table
        parts.append(f"<h2>{escape(TABLES[name])}</h2>{table_html(plain_rows(shown))}")
    parts += [
        "<h2>Provenance</h2>",
        _pairs({name: _said(value) for name, value in _told(provenance["plan"]).items()}),
        _pairs({f"SHA-256 of {name}": text for name, text in provenance["sha256"].items()}),
        _pairs(provenance["versions"]),
        f"<p>Repeat and compare: <code>crewe rerun {escape(str(result.plan.output))}</code></p>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{title} – crewe fuse</title><style>{STYLE}{STYLE_OF_WARNINGS}</style></head>"
        f"<body><main><h1>{title}</h1>{''.join(parts)}</main></body></html>\n"
    )


def _told(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that say something."""
    return {name: value for name, value in settings.items() if value not in (None, [], {}, "")}


def _said(value: Any) -> str:
    """Return a setting as it would be written on the command line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _relative(tried: pd.DataFrame) -> pd.DataFrame:
    """Return what was tried with its errors in ‰ above the least, which differ in that digit."""
    from crewe.plots.fusion_curves import above_best

    above = [f"{value:.2f}" for value in above_best(tried)]
    shown = tried.assign(**{"error above the best (‰)": above})
    return shown.drop(columns="prediction_error")


def _each(values: Mapping[str, Any], write: Any) -> str:
    return ", ".join(f"{name} {write(value)}" for name, value in values.items())


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    listed = "".join(f"<li>{escape(text)}</li>" for text in warnings)
    return f'<div class="warnings"><ul>{listed}</ul></div>'


def _pairs(pairs: Mapping[str, str]) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in pairs.items()
    )
    return f"<div><table><tbody>{rows}</tbody></table></div>"


def _figure(name: str, png: bytes) -> str:
    said = escape(CAPTIONS[name], quote=True)
    drawn = base64.b64encode(png).decode()
    return (
        f'<figure><img src="data:image/png;base64,{drawn}" alt="{said}">'
        f"<figcaption>{said}</figcaption></figure>"
    )
