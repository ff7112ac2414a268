"""Where columns lie away from their places in the lattice, as arrows."""

from typing import TYPE_CHECKING

import numpy as np

from crewe.errors import PlanError
from crewe.plots.arrows import draw_arrows, draw_key, enlargement, is_sure
from crewe.plots.column_marks import draw_ground, spacing_of, tallness_of
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import TYPE_COLOURS, typography

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALE = "#B8BEC8"
WIDTH_SPACINGS = 0.08
PANEL_PART = 0.62
"""Part of the figure's width that the panel takes."""


def displacement_figure(
    columns: "pd.DataFrame",
    *,
    image: "xr.DataArray | None" = None,
    title: str = "",
) -> "Figure":
    """Draw the displacement of each indexed column from its place in the lattice.

    `columns` is the table of `index_columns`, with `displacement_x`, `displacement_y` and their
    `*_std`. Arrows are centred on the columns, coloured by lattice and enlarged by a round factor;
    an arrow of known length is given. Those shorter than two standard errors are pale. Raises
    PlanError for a table without displacements.
    """
    import matplotlib
    from matplotlib.figure import Figure

    if "displacement_x" not in columns or "displacement_y" not in columns:
        raise PlanError("the table holds no displacements: give columns of index_columns")
    with matplotlib.rc_context(typography()):
        side = PANEL_PART * WIDTH_INCHES
        figure = Figure((side, side * tallness_of(columns, image) + 0.6), layout="constrained")
        axes = figure.subplots()
        draw_ground(axes, columns, image)
        axes.set_title("displacement from the lattice", loc="left", fontweight="bold")
        _draw(axes, columns)
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def _draw(axes: "Axes", columns: "pd.DataFrame") -> None:
    known = columns[columns["displacement_x"].notna() & columns["displacement_y"].notna()]
    if known.empty:
        return
    vectors = known[["displacement_x", "displacement_y"]].to_numpy(float)
    std = [_column(known, f"displacement_{name}_std") for name in "xy"]
    sure = is_sure(*vectors.T, *std)
    lattice = _column(known, "lattice", 0.0).astype(int)
    spacing = spacing_of(columns)
    factor = enlargement(np.hypot(*vectors.T), spacing)
    colours = [
        TYPE_COLOURS[number % len(TYPE_COLOURS)] if one else PALE
        for number, one in zip(lattice, sure, strict=True)
    ]
    places = known[["x", "y"]].to_numpy(float)
    drawn = draw_arrows(axes, places, vectors, factor, colours, WIDTH_SPACINGS * spacing)
    unit = str(columns.attrs.get("length_unit", "Å"))
    draw_key(axes, drawn, spacing, factor, unit, int((~sure).sum()))


def _column(table: "pd.DataFrame", name: str, otherwise: float = np.nan) -> np.ndarray:
    if name not in table:
        return np.full(len(table), otherwise)
    return table[name].to_numpy(float)
