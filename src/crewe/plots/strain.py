"""Strain and rotation of the lattice at each column, with how large their errors are."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from crewe.errors import PlanError
from crewe.plots.column_marks import tallness_of
from crewe.plots.column_values import draw_values, robust_limit
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import typography

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROTATION = "omega_xy_deg"
MAPS = {"xy": ("eps_xx", "eps_yy", "eps_xy"), "ab": ("eps_aa", "eps_bb", "eps_ab")}
SYMBOLS = {name: f"$\\varepsilon_{{{name[4:]}}}$" for names in MAPS.values() for name in names}
SYMBOLS[ROTATION] = "rotation ω"


def strain_figure(
    columns: "pd.DataFrame",
    strain: "pd.DataFrame",
    *,
    image: "xr.DataArray | None" = None,
    axes: Literal["xy", "ab"] = "xy",
    title: str = "",
) -> "Figure":
    """Draw normal strains, shear and rotation at each column.

    `strain` is the table of `strain_map`, with the index of `columns`: strains as plain numbers,
    rotation in degrees, each with `*_std`. The strains share one symmetric scale in %, which
    leaves out one column in fifty; NaN is grey. Each title tells the median standard error. Axes
    are those of the image (`xy`), or an orthonormal pair of which the first lies along a (`ab`).

    Raises PlanError for a strain table without these columns or of other columns.
    """
    import matplotlib
    from matplotlib.figure import Figure

    _check(columns, strain, axes)
    shown = {name: 100 * strain[name].to_numpy(float) for name in MAPS[axes]}
    limit = robust_limit(np.concatenate(list(shown.values())))
    with matplotlib.rc_context(typography()):
        high = 2 * (tallness_of(columns, image) * 0.39 * WIDTH_INCHES + 0.35) + 0.3
        figure = Figure((WIDTH_INCHES, high), layout="constrained")
        panels = figure.subplots(2, 2).ravel()
        for panel, (name, values) in zip(panels, shown.items(), strict=False):
            draw_values(figure, panel, columns, values, limit, image, "strain (%)")
            _say(panel, name, 100 * _median(strain, name), " %")
        turned = strain[ROTATION].to_numpy(float)
        label, limit = "degrees, clockwise", robust_limit(turned)
        draw_values(figure, panels[3], columns, turned, limit, image, label)
        _say(panels[3], ROTATION, _median(strain, ROTATION), "°")
        for letter, panel in zip("abcd", panels, strict=True):
            said = panel.get_title(loc="left")
            panel.set_title(f"{letter}  {said}", loc="left", fontweight="bold")
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def _check(columns: "pd.DataFrame", strain: "pd.DataFrame", axes: str) -> None:
    if axes not in MAPS:
        raise PlanError(f"axes {axes!r} are unknown: give 'xy' (image) or 'ab' (lattice)")
    missing = [name for name in (*MAPS[axes], ROTATION) if name not in strain]
    if missing:
        raise PlanError(f"the strain table lacks {', '.join(missing)}: give that of strain_map")
    if not strain.index.equals(columns.index):
        raise PlanError(
            f"strain of {len(strain)} columns, {len(columns)} columns given: both tables need "
            "the same rows in the same order"
        )


def _median(strain: "pd.DataFrame", name: str) -> float:
    std = f"{name}_std"
    return float(strain[std].median()) if std in strain else float("nan")


def _say(axes: "Axes", name: str, error: float, unit: str) -> None:
    said = f", ± {error:.2g}{unit}" if np.isfinite(error) else ""
    axes.set_title(f"{SYMBOLS[name]}{said}", loc="left")
