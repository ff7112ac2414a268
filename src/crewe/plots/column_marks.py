"""Columns as discs in units of the image, over the part of the image that holds them."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.plots.image_panel import draw_image, extent_of
from crewe.plots.palette import INK
from crewe.plots.scale_bar import draw_scale_bar

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection

Bounds = tuple[float, float, float, float]

MARGIN_SPACINGS = 1.0
OVER_IMAGE, ALONE = 0.7, 0.9
"""Diameter of a disc in spacings, over an image and on white."""


def spacing_of(columns: "pd.DataFrame") -> float:
    """Return the median distance between next neighbours; 1 where there is but one column."""
    from scipy.spatial import cKDTree

    places = columns[["x", "y"]].to_numpy(float)
    places = places[np.isfinite(places).all(axis=1)]
    if len(places) < 2:
        return 1.0
    distances, _ = cKDTree(places).query(places, k=2)
    return float(np.median(distances[:, 1])) or 1.0


def bounds_of(columns: "pd.DataFrame") -> Bounds:
    """Return (left, right, bottom, top) of the columns with a margin, y pointing down.

    The margin below is twice that elsewhere, for the scale bar.
    """
    margin = MARGIN_SPACINGS * spacing_of(columns)
    x, y = columns["x"].to_numpy(float), columns["y"].to_numpy(float)
    low_x, high_x = np.nanmin(x) - margin, np.nanmax(x) + margin
    low_y, high_y = np.nanmin(y) - margin, np.nanmax(y) + 2 * margin
    return float(low_x), float(high_x), float(high_y), float(low_y)


def tallness_of(columns: "pd.DataFrame", image: "xr.DataArray | None" = None) -> float:
    """Return height over width of the panel that shows the columns, within what a page can show."""
    left, right, bottom, top = bounds_of(columns)
    if image is not None:
        edges = extent_of(image)
        left, right = max(left, edges[0]), min(right, edges[1])
        bottom, top = min(bottom, edges[2]), max(top, edges[3])
    if right <= left or bottom <= top:
        return 1.0
    return float(np.clip((bottom - top) / (right - left), 0.35, 1.6))


def draw_ground(axes: "Axes", columns: "pd.DataFrame", image: "xr.DataArray | None") -> None:
    """Show the part of an image that holds the columns, or white ground, with a scale bar.

    Without an image lengths are taken for Å unless `columns.attrs["length_unit"]` says otherwise.
    """
    left, right, bottom, top = bounds_of(columns)
    if image is not None:
        inside = {"x": _within(image["x"], left, right), "y": _within(image["y"], top, bottom)}
        draw_image(axes, image.isel(inside))
        return
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], aspect="equal")
    axes.set_anchor("N")
    axes.spines[:].set_visible(False)
    unit = str(columns.attrs.get("length_unit", "Å"))
    draw_scale_bar(axes, right - left, bottom - top, unit, "black")


def draw_discs(
    axes: "Axes", columns: "pd.DataFrame", diameter: float, **style: Any
) -> "Collection":
    """Draw a disc of a diameter in the unit of the positions at each column."""
    from matplotlib.collections import EllipseCollection

    number = len(columns)
    discs = EllipseCollection(
        np.full(number, diameter),
        np.full(number, diameter),
        np.zeros(number),
        units="xy",
        offsets=columns[["x", "y"]].to_numpy(float),
        offset_transform=axes.transData,
        zorder=3,
        **style,
    )
    axes.add_collection(discs, autolim=False)
    return discs


def draw_crosses(axes: "Axes", columns: "pd.DataFrame") -> None:
    """Mark columns that have no answer with small crosses, legible on black and on white."""
    for colour, width in (("white", 1.8), (INK, 0.8)):
        axes.scatter(columns["x"], columns["y"], s=9, c=colour, marker="x", linewidths=width)


def points_per_unit(columns: "pd.DataFrame", inches: float) -> float:
    """Return how many points one unit of length takes in a panel of so many inches across."""
    left, right, _, _ = bounds_of(columns)
    return 72.0 * inches / (right - left)


def _within(coordinate: "xr.DataArray", low: float, high: float) -> slice:
    values: NDArray[Any] = coordinate.values
    first = int(np.searchsorted(values, low))
    last = int(np.searchsorted(values, high, side="right"))
    return slice(max(0, min(first, len(values) - 2)), max(last, min(first + 2, len(values))))
