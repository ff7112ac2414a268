"""How far the octahedra of a perovskite are turned, at each of their centres."""

from typing import TYPE_CHECKING

from crewe.errors import PlanError
from crewe.plots.column_marks import tallness_of
from crewe.plots.column_values import draw_values, robust_limit
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import typography

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

PANEL_PART = 0.62


def tilt_figure(
    tilt: "pd.DataFrame", *, image: "xr.DataArray | None" = None, title: str = ""
) -> "Figure":
    """Draw the tilt at each centre in degrees, clockwise positive, with the median standard error.

    `tilt` is the table of `octahedral_tilt`: `x`, `y` in the unit of the image, `tilt_deg` and its
    `*_std`. NaN is grey. Raises PlanError for a table without tilts.
    """
    import matplotlib
    from matplotlib.figure import Figure

    if "tilt_deg" not in tilt:
        raise PlanError("the table holds no tilts: give that of octahedral_tilt")
    values = tilt["tilt_deg"].to_numpy(float)
    with matplotlib.rc_context(typography()):
        side = PANEL_PART * WIDTH_INCHES
        figure = Figure((side, 0.85 * side * tallness_of(tilt, image) + 0.55), layout="constrained")
        axes = figure.subplots()
        label = "degrees, clockwise"
        draw_values(figure, axes, tilt, values, robust_limit(values), image, label)
        said = "tilt of the octahedra"
        if "tilt_deg_std" in tilt and tilt["tilt_deg_std"].notna().any():
            said += f", ± {tilt['tilt_deg_std'].median():.2g}°"
        axes.set_title(said, loc="left", fontweight="bold")
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure
