"""Simulated images with the scale of their intensities."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from crewe.plots.image_panel import draw_image, extent_of
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import typography

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

MOST_PANELS = 12
COLUMNS = 3


def simulation_figure(
    image: "xr.DataArray",
    errors: "xr.DataArray | None" = None,
    *,
    names: Sequence[str] = (),
    title: str = "",
) -> "Figure":
    """Draw simulated images (..., y, x), each on its own greys with a scale beside it.

    `errors` of the same shape stand behind the images. `names` are those of the detectors; of
    more than twelve panels the first are drawn.
    """
    import matplotlib
    from matplotlib.figure import Figure

    panels = [*_panels(image, names), *([] if errors is None else _panels(errors, names, True))]
    panels = panels[:MOST_PANELS]
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    left, right, bottom, top = extent_of(panels[0][1])
    shape = float(np.clip((bottom - top) / (right - left), 0.3, 3.0))
    wide = WIDTH_INCHES if columns > 1 else 0.55 * WIDTH_INCHES
    size = (wide, rows * (wide / columns * 0.85 * shape + 0.3) + 0.3)
    with matplotlib.rc_context(typography()):
        figure = Figure(size, layout="constrained")
        places = figure.subplots(rows, columns, squeeze=False).ravel()
        for place, (name, one) in zip(places, panels, strict=False):
            drawn = draw_image(place, one, _limits(one))
            place.set_title(name, loc="left", fontweight="bold")
            bar = figure.colorbar(drawn, ax=place, shrink=0.8, pad=0.01)
            bar.outline.set_visible(False)
            bar.set_label(str(one.attrs.get("units", "")))
        for place in places[len(panels) :]:
            place.set_axis_off()
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def _panels(
    image: "xr.DataArray", names: Sequence[str], errors: bool = False
) -> list[tuple[str, "xr.DataArray"]]:
    """Images (y, x) with their names, over thicknesses and detectors."""
    word = "standard error" if errors else ""
    depths = image.attrs.get("thicknesses_angstrom", [])
    stack = image
    for dim in ("detector", "thickness"):
        if dim not in stack.dims:
            stack = stack.expand_dims(dim)
    stack = stack.transpose("thickness", "detector", "y", "x")
    found = []
    for t in range(stack.sizes["thickness"]):
        for d in range(stack.sizes["detector"]):
            depth = f"{depths[t]:g} Å" if t < len(depths) else ""
            parts = [names[d] if d < len(names) else "", depth, word]
            found.append((", ".join(part for part in parts if part), stack[t, d]))
    return found


def _limits(image: "xr.DataArray") -> tuple[float, float]:
    """From nothing to the brightest: intensities of several images can be compared by eye."""
    low, high = min(0.0, float(image.min())), float(image.max())
    return (low, high) if high > low else (low, low + 1.0)
