"""The one figure to trust a quantification by."""

from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.plots.histogram import draw_histogram
from crewe.plots.image_panel import (
    draw_columns,
    draw_image,
    draw_residual,
    extent_of,
    marker_diameter,
)
from crewe.plots.palette import INK, type_colour, typography

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCHES = 7.2
"""Two columns of a journal."""
WIDE = 1.7
"""From this ratio of width to height on, the image takes the whole width."""


def overview_figure(
    image: "xr.DataArray",
    columns: "pd.DataFrame",
    residual: "xr.DataArray",
    *,
    residual_label: str,
    scs_unit: str,
    title: str = "",
) -> "Figure":
    """Draw columns over the image, the residual, and the cross-section histogram.

    Positions in `columns` are in the unit of the image's coordinates; `residual`
    is in the unit that `residual_label` names, best in multiples of its r.m.s. at each intensity.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(typography()):
        figure = Figure(layout="constrained")
        panels = _arrange(figure, image)
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
        _draw_columns_panel(panels["image"], image, columns)
        _draw_residual_panel(figure, panels["residual"], residual, residual_label)
        draw_histogram(panels["histogram"], columns, scs_unit)
        titles = {**_TITLES, "histogram": _histogram_title(columns)}
        for letter, name in zip("abc", ("image", "residual", "histogram"), strict=True):
            panels[name].set_title(f"{letter}  {titles[name]}", loc="left", fontweight="bold")
    return figure


_TITLES = {
    "image": "fitted columns",
    "residual": "image − model",
}


def _histogram_title(columns: "pd.DataFrame") -> str:
    """Say that flagged columns are left out, where they are."""
    flagged = columns["flag"] != ""
    some_left_out = flagged.any() and not flagged.all()
    return "cross-sections, unflagged" if some_left_out else "cross-sections by type"


def _arrange(figure: "Figure", image: "xr.DataArray") -> dict[str, Any]:
    left, right, bottom, top = extent_of(image)
    aspect = (right - left) / (bottom - top)
    if aspect >= WIDE:
        strip = min(3.4, WIDTH_INCHES / aspect)
        figure.set_size_inches(WIDTH_INCHES, strip + 3.0)
        return figure.subplot_mosaic(
            [["image", "image"], ["residual", "histogram"]], height_ratios=[strip, 2.3]
        )
    wide = float(np.clip(4.6 * aspect, 2.6, 4.6))
    height = float(np.clip(0.9 * wide / aspect, 3.4, 6.5))
    figure.set_size_inches(WIDTH_INCHES, height + 0.8)
    return figure.subplot_mosaic(
        [["image", "residual"], ["image", "histogram"]],
        width_ratios=[wide, WIDTH_INCHES - wide],
        height_ratios=[1.25, 1.0],
    )


def _draw_columns_panel(axes: "Axes", image: "xr.DataArray", columns: "pd.DataFrame") -> None:
    left, right, _, _ = extent_of(image)
    draw_image(axes, image)
    inches = axes.get_position().width * WIDTH_INCHES
    draw_columns(axes, columns, marker_diameter(columns, right - left, inches))
    handles = _legend_handles(columns)
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.005),
        ncols=min(len(handles), 4),
        frameon=False,
        handletextpad=0.2,
        columnspacing=1.0,
    )


def _legend_handles(columns: "pd.DataFrame") -> list[Any]:
    from matplotlib.lines import Line2D

    flagged = columns["flag"] != ""
    style: dict[str, Any] = {"linestyle": "none", "markersize": 5}
    unflagged = " unflagged" if flagged.any() else ""
    handles = [
        Line2D(
            [],
            [],
            marker="o",
            markerfacecolor="none",
            markeredgecolor=type_colour(number),
            markeredgewidth=1.4,
            label=f"type {number}{unflagged} ({len(group):,})",
            **style,
        )
        for number, group in columns[~flagged].groupby("type")
    ]
    if flagged.any():
        label = f"flagged ({int(flagged.sum()):,})"
        cross: dict[str, Any] = {"marker": "x", "markeredgecolor": INK, "markeredgewidth": 1.2}
        handles.append(Line2D([], [], label=label, **cross, **style))
    return handles


def _draw_residual_panel(
    figure: "Figure", axes: "Axes", residual: "xr.DataArray", label: str
) -> None:
    drawn = draw_residual(axes, residual, residual_limit(residual))
    bar = figure.colorbar(drawn, ax=axes, extend="both", shrink=0.85, pad=0.02, aspect=18)
    bar.set_label(label)
    bar.outline.set_visible(False)


def residual_limit(residual: "xr.DataArray") -> float:
    """Return the limit of a symmetric scale: four robust deviations from zero, or more.

    Where most of the image is quiet vacuum, the largest fiftieth sets the limit.
    """
    sizes = np.abs(residual.values)
    spread = 1.4826 * float(np.median(sizes))
    return max(4.0 * spread, float(np.percentile(sizes, 98))) or float(sizes.max()) or 1.0
