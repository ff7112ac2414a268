"""Scores as text: a table for the terminal and a page for the documentation."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from benchmarks.accuracy.score import Score

HEADINGS = (
    "method",
    "runs",
    "missed %",
    "invented %",
    "σx / bound",
    "σy / bound",
    "σSCS / bound",
    "bias x, y, SCS",
    "column bias x, y, SCS",
    "reported / observed x, y, SCS",
    "find CPU s",
    "fit CPU s",
    "fit wall s",
)

EXPLANATION = """\
The test: a square lattice of 1.96 Å at 0.15 Å per pixel in 512 × 512 pixels, 1,521
Gaussian columns of width 0.45 Å and height 0.04 of the beam on a background of 0.01,
each displaced once by N(0, 0.05 Å) along x and y; the counts are Poisson. Every
realisation has the same truth and its own noise. Columns nearer than 1.5 spacings to
the border are not scored. A detection matches a column within 0.4 spacings, one to one.

- **runs**: noise realisations.
- **missed, invented**: of the columns scored, in percent.
- **σ / bound**: root mean over columns of the variance over realisations, divided by
  the Cramér–Rao bound of the same columns, from a full Poisson Fisher matrix (position
  and height of every column, one width, one background) that shares no code with crewe.
  Columns matched in fewer than two thirds of the realisations are left out.
- **bias**: mean error in units of that σ. **column bias**: root mean square of each
  column's own mean error, in σ, after taking off what noise leaves in a mean of
  this many realisations.
- **reported / observed**: the standard errors that the method reports, root mean
  square, divided by the scatter observed. Atomap reports none.
- **seconds**: per 1,000 columns, one thread per process, compiled code warm; the clock
  runs while other realisations are computed beside it.

*per-column* fits position, height, width and background of one column at a time in a
window of one spacing, from the positions that crewe finds; a column whose fit leaves the
window, grows wider than it or turns upside down counts as missed. *atomap* and *atomap-wide*
use PCA before the peak finder with a separation of 6 pixels, which lose and invent the
fewest columns on this lattice; a user could not know so beforehand, and the lattice lies
along the pixel rows, the best case for that PCA. Atomap then refines by centre of mass
and by a rotatable 2D Gaussian in a region of 0.4 (its default) or 0.6 (best here)
nearest-neighbour distances.
"""


def column_fit_table(scores: dict[float, dict[str, Score]]) -> str:
    """Return one aligned table per dose."""
    parts = []
    for dose, rows in scores.items():
        cells = [HEADINGS, *(_cells(method, row) for method, row in rows.items())]
        widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
        lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
        parts.append("\n".join([f"{dose:,.0f} e/Å²", *lines]))
    return "\n\n".join(parts)


def column_fit_page(scores: dict[float, dict[str, Score]]) -> str:
    """Return the page that `column_fit.py` writes into the documentation."""
    parts = ["# Synthetic column fitting", _generated("accuracy.column_fit"), EXPLANATION]
    for dose, rows in scores.items():
        parts += [f"## {dose:,.0f} e/Å²", _markdown(HEADINGS, rows)]
    return "\n\n".join([*parts, environment("numpy", "scipy", "numba")]) + "\n"


def environment(*packages: str) -> str:
    """Return on what the numbers were taken, without saying where."""
    versions = ", ".join(f"{name} {_version(name)}" for name in ("crewe", *packages))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"Taken on {cores} cores with Python {platform.python_version()}, {versions}."


def _generated(module: str) -> str:
    return f"<!-- Written by `python -m benchmarks.{module}`; do not edit by hand. -->"


def _markdown(headings: tuple[str, ...], rows: dict[str, Score]) -> str:
    lines = [headings, ["---"] * len(headings)]
    lines += [_cells(method, row) for method, row in rows.items()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cells(method: str, row: Score) -> tuple[str, ...]:
    quantities = (row.x, row.y, row.scs)
    return (
        method,
        str(row.realisations),
        f"{row.missed_percent:.2f}",
        f"{row.invented_percent:.2f}",
        *(_number(quantity.over_bound, ".3f") for quantity in quantities),
        ", ".join(f"{quantity.bias:+.3f}" for quantity in quantities),
        ", ".join(f"{quantity.column_bias:.2f}" for quantity in quantities),
        ", ".join(_number(quantity.reported, ".2f") for quantity in quantities),
        f"{row.find_cpu_per_thousand:.2f}",
        f"{row.fit_cpu_per_thousand:.2f}",
        f"{row.fit_wall_per_thousand:.2f}",
    )


def _number(value: float, form: str) -> str:
    if np.isnan(value):
        return "–"
    return "> 100" if value > 100 else format(value, form)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
