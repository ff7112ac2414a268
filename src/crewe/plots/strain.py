"""Strain and rotation of the lattice at each column, with how large their errors are."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError
from crewe.plots.column_marks import (
    ALONE,
    OVER_IMAGE,
    draw_discs,
    draw_ground,
    spacing_of,
    tallness_of,
)
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import RESIDUAL_COLOURS, typography
from crewe.plots.panel_grid import with_missing

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection
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
    """Draw normal strains, shear and rotation at each column, white where there is none.

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
        high = 2 * (tallness_of(columns) * 0.39 * WIDTH_INCHES + 0.35) + 0.3
        figure = Figure((WIDTH_INCHES, high), layout="constrained")
        panels = figure.subplots(2, 2).ravel()
        for panel, (name, values) in zip(panels, shown.items(), strict=False):
            drawn = _draw_map(panel, columns, values, limit, image)
            _say(panel, name, 100 * _median(strain, name), " %")
            _draw_scale(figure, panel, drawn, "strain (%)")
        turned = strain[ROTATION].to_numpy(float)
        drawn = _draw_map(panels[3], columns, turned, robust_limit(turned), image)
        _say(panels[3], ROTATION, _median(strain, ROTATION), "°")
        _draw_scale(figure, panels[3], drawn, "degrees, clockwise")
        for letter, panel in zip("abcd", panels, strict=True):
            said = panel.get_title(loc="left")
            panel.set_title(f"{letter}  {said}", loc="left", fontweight="bold")
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def robust_limit(values: NDArray[np.float64]) -> float:
    """Return the limit of a symmetric scale: the size that one value in fifty exceeds."""
    sizes = np.abs(values[np.isfinite(values)])
    limit = float(np.percentile(sizes, 98)) if sizes.size else 0.0
    # Rounding is no strain: a perfect crystal stays white.
    return max(limit, 1e-6)


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


def _draw_map(
    axes: "Axes",
    columns: "pd.DataFrame",
    values: NDArray[np.float64],
    limit: float,
    image: "xr.DataArray | None",
) -> "Collection":
    draw_ground(axes, columns, image)
    diameter = (ALONE if image is None else OVER_IMAGE) * spacing_of(columns)
    style: dict[str, Any] = {"edgecolors": "#444444", "linewidths": 0.25}
    drawn = draw_discs(axes, columns, diameter, cmap=with_missing(RESIDUAL_COLOURS), **style)
    drawn.set_array(np.ma.masked_invalid(values))
    drawn.set_clim(-limit, limit)
    if not np.isfinite(values).all():
        axes.set_xlabel("grey: too few neighbours", loc="left", fontsize=6.5, labelpad=2)
    return drawn


def _say(axes: "Axes", name: str, error: float, unit: str) -> None:
    said = f", ± {error:.2g}{unit}" if np.isfinite(error) else ""
    axes.set_title(f"{SYMBOLS[name]}{said}", loc="left")


def _draw_scale(figure: "Figure", axes: "Axes", drawn: "Collection", label: str) -> None:
    bar = figure.colorbar(drawn, ax=axes, extend="both", shrink=0.85, pad=0.02, aspect=20)
    bar.set_label(label)
    bar.outline.set_visible(False)
