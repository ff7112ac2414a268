"""Rows of small images, each with its name, its greys and a scale bar."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.plots.image_panel import draw_image, extent_of
from crewe.plots.overview import WIDTH_INCHES

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSING_COLOUR = "#808080"


def in_rows(names: Sequence[str], most: int) -> list[list[str]]:
    """Divide names into rows of about equal length."""
    number = -(-len(names) // most)
    across = -(-len(names) // number)
    return [list(names[at : at + across]) for at in range(0, len(names), across)]


def panel_grid(heights: Sequence[float], across: int, title: str) -> tuple["Figure", Any]:
    """Return a figure of the width of two columns, and its panels [row, column].

    `heights` are those of the rows, as multiples of a panel's width.
    """
    from matplotlib.figure import Figure

    inches = [height * WIDTH_INCHES / across + 0.35 for height in heights]
    figure = Figure((WIDTH_INCHES, sum(inches) + 0.3), layout="constrained")
    if title:
        figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    panels = figure.subplots(len(heights), across, squeeze=False, height_ratios=inches)
    return figure, panels


def tallness(image: "xr.DataArray") -> float:
    """Return height over width of an image's panel, kept within what a page can show."""
    left, right, bottom, top = extent_of(image)
    return float(np.clip((bottom - top) / (right - left), 0.3, 2.0))


def draw_panel(axes: "Axes", name: str, image: "xr.DataArray") -> Any:
    """Show an image (y, x) on its own greys, its name above, their range and unit below."""
    low, high = _limits(image.values)
    drawn = draw_image(axes, image, (low, high))
    drawn.set_cmap(with_missing(drawn.get_cmap().name))
    axes.set_title(name, loc="left", fontweight="bold")
    said = f"{low:.3g} … {high:.3g} {unit_of(image)}".rstrip()
    axes.set_xlabel(said, loc="left", fontsize=6.5, labelpad=2)
    return drawn


def hide_empty(panels: Any) -> None:
    """Take away the axes of panels without an image."""
    for panel in panels.ravel():
        if not panel.images:
            panel.set_axis_off()


def unit_of(image: "xr.DataArray") -> str:
    """Return the unit of an image's values; nothing for plain numbers."""
    unit = str(image.attrs.get("units", ""))
    return "" if unit == "1" else unit


def with_missing(name: str) -> Any:
    """Return a colour map of matplotlib in which NaN is grey."""
    import matplotlib

    colours = matplotlib.colormaps[name].copy()
    colours.set_bad(MISSING_COLOUR)
    return colours


def _limits(values: NDArray[Any]) -> tuple[float, float]:
    """Greys that leave out one measured value in two hundred at either end."""
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, (0.5, 99.5)) if known.size else (0.0, 1.0)
    if high <= low and known.size:
        low, high = float(known.min()), float(known.max())
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)
