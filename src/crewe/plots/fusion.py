"""Element maps before and after fusion, their overlay in colours, and their standard errors."""

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from crewe import axes as calibration
from crewe.errors import ImageError
from crewe.plots.element_colours import element_colours, overlay
from crewe.plots.image_panel import extent_of
from crewe.plots.palette import typography
from crewe.plots.panel_grid import (
    draw_panel,
    hide_empty,
    in_rows,
    panel_grid,
    tallness,
    unit_of,
    with_missing,
)
from crewe.plots.scale_bar import draw_scale_bar

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ERROR_COLOURS = "viridis"
MOST_ACROSS = 3


def maps_figure(
    haadf: "xr.DataArray", raw: "xr.DataArray", fused: "xr.DataArray", *, title: str = ""
) -> "Figure":
    """Draw the map of each element as measured and, below it, as fused, beside HAADF.

    `haadf` is (y, x), the maps are (element, y, x), all on one grid. Each panel has its own greys,
    which are written below it. Raises ImageError for maps of other elements or another shape.
    """
    import matplotlib

    names = _names(raw, fused)
    rows = in_rows(names, MOST_ACROSS)
    with matplotlib.rc_context(typography()):
        figure, panels = panel_grid([tallness(haadf)] * 2 * len(rows), 1 + len(rows[0]), title)
        draw_panel(panels[0][0], "HAADF", haadf)
        for number, row in enumerate(rows):
            above, below = panels[2 * number], panels[2 * number + 1]
            for at, name in enumerate(row, start=1):
                draw_panel(above[at], f"{name} measured", raw.sel(element=name))
                draw_panel(below[at], f"{name} fused", fused.sel(element=name))
        hide_empty(panels)
    return figure


def overlay_figure(raw: "xr.DataArray", fused: "xr.DataArray", *, title: str = "") -> "Figure":
    """Draw all elements over each other in colours, as measured and as fused.

    Maps are (element, y, x). Each goes from black at zero to its colour. Raises ImageError for maps
    of other elements or another shape.
    """
    import matplotlib
    from matplotlib.lines import Line2D

    names = _names(raw, fused)
    with matplotlib.rc_context(typography()):
        figure, panels = panel_grid([tallness(fused)], 2, title)
        for panel, maps, said in zip(panels[0], (raw, fused), ("measured", "fused"), strict=True):
            _draw_colours(panel, overlay(maps.values), maps)
            panel.set_title(said, loc="left", fontweight="bold")
        style: dict[str, Any] = {"linestyle": "none", "marker": "s", "markersize": 6}
        handles = [
            Line2D([], [], color=colour, markeredgecolor="black", mew=0.4, label=name, **style)
            for name, colour in zip(names, element_colours(len(names)), strict=True)
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=8, frameon=False)
    return figure


def standard_error_figure(standard_errors: "xr.DataArray", *, title: str = "") -> "Figure":
    """Draw the standard error (element, y, x) of each map in colour, its scale beside it."""
    import matplotlib

    rows = in_rows([str(name) for name in standard_errors["element"].values], MOST_ACROSS)
    with matplotlib.rc_context(typography()):
        figure, panels = panel_grid([tallness(standard_errors)] * len(rows), len(rows[0]), title)
        for row, places in zip(rows, panels, strict=True):
            for place, name in zip(places, row, strict=False):
                drawn = draw_panel(place, name, standard_errors.sel(element=name))
                drawn.set_cmap(with_missing(ERROR_COLOURS))
                bar = figure.colorbar(drawn, ax=place, shrink=0.8, pad=0.02, aspect=22)
                bar.outline.set_visible(False)
                place.set_xlabel(unit_of(standard_errors), loc="left", fontsize=6.5, labelpad=2)
        hide_empty(panels)
    return figure


def _names(raw: "xr.DataArray", fused: "xr.DataArray") -> list[str]:
    named = [[str(name) for name in maps["element"].values] for maps in (raw, fused)]
    if named[0] != named[1] or raw.shape != fused.shape:
        raise ImageError(
            f"maps of {named[0]}, shape {raw.shape}, and of {named[1]}, shape {fused.shape}: "
            "give the same elements on the same pixels"
        )
    return named[0]


def _draw_colours(axes: "Axes", picture: NDArray[Any], image: "xr.DataArray") -> None:
    left, right, bottom, top = extent_of(image)
    axes.imshow(picture, extent=(left, right, bottom, top))
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
    axes.set_anchor("N")
    axes.spines[:].set_visible(False)
    draw_scale_bar(axes, right - left, bottom - top, calibration.length_unit(image), "white")
