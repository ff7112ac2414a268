"""The report on a fitted emulator: a folder with pictures, tables and one page that opens alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.axes import calibrated_image
from crewe.errors import WriteError
from crewe.io.atomic import atomic_path
from crewe.simulation.emulator.held_out import HeldOut
from crewe.workflows.emulator_fit_tables import plain_rows
from crewe.workflows.emulator_report_html import report_html
from crewe.workflows.output_folder import check_folder, make_folder

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from crewe.workflows.emulator_fit import FittedEmulator

PAGE, FIGURES = "report.html", "emulator.json"


def check_report(folder: Path, overwrite: bool) -> None:
    """Raise WriteError where a report may not, or could not, be written."""
    check_folder(folder)
    if (folder / PAGE).exists() and not overwrite:
        raise WriteError(f"{folder} holds a report: choose another folder or pass overwrite=True")


def write_report(result: FittedEmulator, folder: Path, overwrite: bool = False) -> None:
    """Write pictures (PNG), tables (CSV), all figures (JSON) and, last, a page (HTML) of all.

    Raises WriteError.
    """
    from crewe.plots.save import png_bytes

    check_report(folder, overwrite)
    make_folder(folder)
    tables = {"images": result.validation.per_image, **result.tables}
    pictures = {name: png_bytes(figure, 200) for name, figure in figures_of(result)}
    for name, png in pictures.items():
        _write(folder / f"{name}.png", png, overwrite)
    for name, table in tables.items():
        text = table.drop(columns="plan", errors="ignore").to_csv(index=False)
        _write(folder / f"{name}.csv", text.encode(), overwrite)
    said = json.dumps(result.summary, ensure_ascii=False, allow_nan=False, indent=1)
    _write(folder / FIGURES, said.encode(), overwrite)
    rows = {name: plain_rows(table) for name, table in tables.items()}
    page = report_html(result.plan.pairs.name, facts_of(result.summary), pictures, rows)
    _write(folder / PAGE, page.encode(), overwrite)


def figures_of(result: FittedEmulator) -> Iterator[tuple[str, Any]]:
    """Draw what a result shows, by name; every pixel in it was held out of the fit."""
    from crewe.plots.emulator import emulated_figure, error_figure, parity_figure
    from crewe.plots.emulator_curves import terms_figure, training_figure

    validation = result.validation
    emulated = np.concatenate([part.emulated for part in validation.held_out])
    actual = np.concatenate([part.actual for part in validation.held_out])
    yield "parity", parity_figure(emulated, actual, title=f"{validation.terms} terms")
    yield "error", error_figure(emulated, actual, validation.noise)
    for word, name in _extremes(validation.per_image).items():
        row = validation.per_image.set_index("pair").loc[name]
        title = f"{word}: pair {name}, fractional r.m.s. error {row['fractional_rms']:.3f}"
        yield word, emulated_figure(*_images(result, name), title=title)
    floor = validation.phonon_floor
    if "selection" in result.tables:
        yield "selection", terms_figure(result.tables["selection"], floor=floor)
    if "leave_out" in result.tables:
        yield "leave_out", training_figure(result.tables["leave_out"], floor=floor)


def facts_of(summary: dict[str, Any]) -> dict[str, str]:
    """Return the key figures in words."""
    y, x = summary["shift_px"]
    floor, within = summary["phonon_floor"], summary["coverage"]
    shares = ["not known" if one is None else f"{100 * one:.0f} %" for one in within]
    return {
        "terms": str(summary["terms"]),
        "pairs": f"{summary['pairs']}, {summary['pixels']:,} pixels",
        "cross-validation": f"{summary['folds']}-fold by {summary['by']}, {summary['repeats']} ×",
        "1 − R²": f"{summary['one_minus_r2']:.5f}",
        "chosen on these very images": ", ".join(summary["chosen_on_these_images"]) or "nothing",
        "of each repeat": ", ".join(f"{one:.5f}" for one in summary["each_repeat"]),
        "fractional r.m.s. error": f"{summary['fractional_rms']:.4f}",
        "phonon noise, part of 1 − R²": "not known" if floor is None else f"{floor:.5f}",
        "shift between the images (y, x)": f"{y:.3f}, {x:.3f} px",
        "pixels within 1 and 2 standard errors": ", ".join(shares),
        "written to": summary["output"] or "nowhere",
    }


def _extremes(per_image: pd.DataFrame) -> dict[str, str]:
    """Name the images with the largest and the smallest error, of one image only once."""
    ordered = per_image.sort_values("fractional_rms")["pair"].tolist()
    return (
        {"worst": ordered[-1]} if len(ordered) == 1 else {"worst": ordered[-1], "best": ordered[0]}
    )


def _images(result: FittedEmulator, name: str) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Convolution, multislice and emulated image of a pair, the last from its first repeat."""
    pair = next(pair for pair in result.pairs if pair.name == name)
    mine = [part for part in result.validation.held_out if part.name == name]
    first = min(part.repeat for part in mine)
    emulated = _joined([part for part in mine if part.repeat == first])
    how = result.emulator.convolution
    size, unit = (1.0, "px") if how is None else (how.pixel_size_angstrom, "Å")
    drawn = [
        calibrated_image(values, size, unit) for values in (pair.linear, pair.multislice, emulated)
    ]
    return drawn[0], drawn[1], drawn[2]


def _joined(parts: list[HeldOut]) -> np.ndarray[Any, Any]:
    """One image of what the folds of blocks or pixels hold of it; NaN where nobody was tested."""
    result = parts[0].image()
    for part in parts[1:]:
        result[part.known] = part.emulated
    return result


def _write(path: Path, content: bytes, overwrite: bool) -> None:
    with atomic_path(path, overwrite) as temporary:
        temporary.write_bytes(content)
