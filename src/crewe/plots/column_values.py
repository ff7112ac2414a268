"""A signed number at each column, white at zero, with its scale beside it."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.plots.column_marks import ALONE, OVER_IMAGE, draw_discs, draw_ground, spacing_of
from crewe.plots.palette import RESIDUAL_COLOURS
from crewe.plots.panel_grid import with_missing

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def robust_limit(values: NDArray[np.float64]) -> float:
    """Return the limit of a symmetric scale: the size that one value in fifty exceeds."""
    sizes = np.abs(values[np.isfinite(values)])
    limit = float(np.percentile(sizes, 98)) if sizes.size else 0.0
    # Rounding is no strain: a perfect crystal stays white.
    return max(limit, 1e-6)


def draw_values(
    figure: "Figure",
    axes: "Axes",
    columns: "pd.DataFrame",
    values: NDArray[np.float64],
    limit: float,
    image: "xr.DataArray | None",
    label: str,
) -> None:
    """Draw a value (N,) at each column on a diverging scale from −limit to limit; NaN is grey."""
    draw_ground(axes, columns, image)
    diameter = (ALONE if image is None else OVER_IMAGE) * spacing_of(columns)
    style: dict[str, Any] = {"edgecolors": "#444444", "linewidths": 0.25}
    drawn = draw_discs(axes, columns, diameter, cmap=with_missing(RESIDUAL_COLOURS), **style)
    drawn.set_array(np.ma.masked_invalid(values))
    drawn.set_clim(-limit, limit)
    if not np.isfinite(values).all():
        axes.set_xlabel(
            "grey: not measured, neighbours missing", loc="left", fontsize=6.5, labelpad=2
        )
    bar = figure.colorbar(drawn, ax=axes, extend="both", shrink=0.85, pad=0.02, aspect=20)
    bar.set_label(label)
    bar.outline.set_visible(False)
