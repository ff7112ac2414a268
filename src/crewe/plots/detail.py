"""A close look: image, model and residual of one small region side by side."""

from typing import TYPE_CHECKING

import numpy as np

from crewe import axes as calibration
from crewe.plots.image_panel import (
    draw_columns,
    draw_image,
    draw_residual,
    extent_of,
    grey_limits,
    marker_diameter,
)
from crewe.plots.overview import WIDTH_INCHES, residual_limit
from crewe.plots.palette import typography

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure


def detail_figure(
    image: "xr.DataArray",
    columns: "pd.DataFrame",
    model: "xr.DataArray",
    residual: "xr.DataArray",
    *,
    residual_label: str,
) -> "Figure":
    """Draw the middle of the image, of the model and of the residual at the same scale.

    The region holds about eight by eight columns; image and model share one grey scale.
    """
    import matplotlib
    from matplotlib.figure import Figure

    region = detail_region(image, columns)
    shown = image.isel(region)
    left, right, bottom, top = extent_of(shown)
    inside = columns[columns["x"].between(left, right) & columns["y"].between(top, bottom)]
    with matplotlib.rc_context(typography()):
        figure = Figure((WIDTH_INCHES, 2.5), layout="constrained")
        panels = figure.subplots(1, 3)
        limits = grey_limits(shown.values)
        draw_image(panels[0], shown, limits)
        draw_columns(panels[0], inside, marker_diameter(inside, right - left, 2.2))
        draw_image(panels[1], model.isel(region), limits)
        drawn = draw_residual(panels[2], residual.isel(region), residual_limit(residual))
        bar = figure.colorbar(drawn, ax=panels, extend="both", shrink=0.9, pad=0.015)
        bar.set_label(residual_label)
        bar.outline.set_visible(False)
        for panel, name in zip(panels, ("a  image", "b  model", "c  image − model"), strict=True):
            panel.set_title(name, loc="left", fontweight="bold")
    return figure


def detail_region(
    image: "xr.DataArray", columns: "pd.DataFrame", across: int = 8
) -> dict[str, slice]:
    """Return the square of pixels around the column nearest to the middle of all columns."""
    step_y, step_x = calibration.sampling(image)
    height, width = image.shape
    area = height * step_y * width * step_x
    side = across * float(np.sqrt(area / max(len(columns), 1)))
    places = columns[["y", "x"]].to_numpy()
    distance = np.hypot(*(places - np.median(places, axis=0)).T)
    y, x = places[int(distance.argmin())]
    return {
        "y": _window((y - float(image["y"][0])) / step_y, side / step_y, height),
        "x": _window((x - float(image["x"][0])) / step_x, side / step_x, width),
    }


def _window(centre: float, length: float, size: int) -> slice:
    pixels = min(size, max(16, round(length)))
    start = int(np.clip(round(centre - pixels / 2), 0, size - pixels))
    return slice(start, start + pixels)
