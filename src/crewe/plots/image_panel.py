"""Panels that show an image, a residual, and columns on top of either."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from crewe import axes as calibration
from crewe.plots.palette import FLAG_COLOUR, IMAGE_COLOURS, RESIDUAL_COLOURS, type_colour
from crewe.plots.scale_bar import draw_scale_bar

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

Limits = tuple[float, float]


def extent_of(image: "xr.DataArray") -> tuple[float, float, float, float]:
    """Return (left, right, bottom, top) of the pixels' outer edges, y pointing down."""
    step_y, step_x = calibration.sampling(image)
    y, x = image["y"].values, image["x"].values
    return (
        float(x[0] - step_x / 2),
        float(x[-1] + step_x / 2),
        float(y[-1] + step_y / 2),
        float(y[0] - step_y / 2),
    )


def grey_limits(values: npt.NDArray[Any]) -> Limits:
    """Return display limits that leave out one value in a thousand at either end."""
    low, high = np.percentile(values, (0.1, 99.9))
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)


def draw_image(axes: "Axes", image: "xr.DataArray", limits: Limits | None = None) -> "AxesImage":
    """Show an image in grey with a scale bar."""
    low, high = limits or grey_limits(image.values)
    drawn = axes.imshow(
        image.values, extent=extent_of(image), cmap=IMAGE_COLOURS, vmin=low, vmax=high
    )
    _finish(axes, image, "white")
    return drawn


def draw_residual(axes: "Axes", residual: "xr.DataArray", limit: float) -> "AxesImage":
    """Show a residual on a diverging scale centred at zero, with a scale bar."""
    drawn = axes.imshow(
        residual.values, extent=extent_of(residual), cmap=RESIDUAL_COLOURS, vmin=-limit, vmax=limit
    )
    _finish(axes, residual, "black")
    return drawn


def draw_columns(axes: "Axes", columns: "pd.DataFrame", diameter: float) -> None:
    """Mark column positions: a ring in the colour of the type, a cross where flagged.

    `diameter` is in points. Markers are rasterised, so that 20,000 columns still
    give a small file.
    """
    flagged = columns["flag"] != ""
    for number, group in columns[~flagged].groupby("type"):
        # The dark ring below keeps the coloured one legible on bright columns.
        for colour, width in (("black", 0.3), (type_colour(number), 0.18)):
            axes.scatter(
                group["x"],
                group["y"],
                s=diameter**2,
                facecolors="none",
                edgecolors=colour,
                linewidths=min(5 * width, width * diameter),
                rasterized=True,
            )
    for colour, width in (("black", 0.6), (FLAG_COLOUR, 0.25)):
        axes.scatter(
            columns.loc[flagged, "x"],
            columns.loc[flagged, "y"],
            s=diameter**2,
            c=colour,
            marker="x",
            linewidths=min(3.0, width * diameter),
            rasterized=True,
        )


def marker_diameter(columns: "pd.DataFrame", width: float, width_inches: float) -> float:
    """Return a marker's diameter in points: half the distance between neighbours.

    `width` is that of the image, in the unit of the columns' positions.
    """
    from scipy.spatial import cKDTree

    largest = 7.0
    if len(columns) < 2:
        return largest
    places = columns[["x", "y"]].to_numpy()
    distances, _ = cKDTree(places).query(places, k=2)
    points_per_unit = 72.0 * width_inches / width
    return float(np.clip(np.median(distances[:, 1]) * points_per_unit / 2, 0.8, largest))


def _finish(axes: "Axes", image: "xr.DataArray", bar_colour: str) -> None:
    left, right, bottom, top = extent_of(image)
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
    axes.set_anchor("N")
    axes.spines[:].set_visible(False)
    draw_scale_bar(axes, right - left, bottom - top, calibration.length_unit(image), bar_colour)
