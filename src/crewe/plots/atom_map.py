"""An image with the columns found on it, beside the map that they were found in."""

from typing import TYPE_CHECKING

import numpy as np

from crewe.plots.image_panel import (
    draw_columns,
    draw_image,
    extent_of,
    grey_limits,
    marker_diameter,
)
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import typography

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

PANEL_INCHES = WIDTH_INCHES / 2


def atom_map_figure(
    image: "xr.DataArray",
    atom_map: "xr.DataArray",
    columns: "pd.DataFrame | None",
    *,
    map_title: str,
    title: str = "",
) -> "Figure":
    """Draw an image, with the columns of a table marked on it, beside its atom map.

    Positions are in the unit of the coordinates. `type` and `flag` colour the marks as in
    `overview_figure` where the table has them. Without a table nothing is marked.
    """
    import matplotlib
    from matplotlib.figure import Figure

    left, right, bottom, top = extent_of(image)
    tall = float(np.clip((bottom - top) / (right - left), 0.3, 2.0))
    with matplotlib.rc_context(typography()):
        figure = Figure((WIDTH_INCHES, PANEL_INCHES * tall + 0.5), layout="constrained")
        panels = figure.subplots(1, 2)
        for panel, one in zip(panels, (image, atom_map), strict=True):
            draw_image(panel, one, grey_limits(one.values[np.isfinite(one.values)]))
        found = "a  image"
        if columns is not None:
            marked = columns.assign(**{name: _filled(columns, name) for name in ("type", "flag")})
            draw_columns(panels[0], marked, marker_diameter(marked, right - left, PANEL_INCHES))
            found = f"a  image, {len(columns):,} columns"
        panels[0].set_title(found, loc="left", fontweight="bold")
        panels[1].set_title(f"b  {map_title}", loc="left", fontweight="bold")
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def _filled(columns: "pd.DataFrame", name: str) -> "pd.Series":
    import pandas as pd

    if name in columns:
        return columns[name]
    return pd.Series(0 if name == "type" else "", index=columns.index)
