"""An image before and after restoration, and how far to trust it."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.plots.image_panel import draw_image, extent_of
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import RESIDUAL_COLOURS, typography

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

MISSING_COLOUR = "#808080"


def restoration_figure(
    measured: "xr.DataArray",
    restored: "xr.DataArray",
    trust: "xr.DataArray | None" = None,
    *,
    title: str = "",
) -> "Figure":
    """Draw a measured image, what was restored of it, and the trust map where there is one.

    All are calibrated (y, x). Each image has its own greys; trust goes from red (the data
    contradict) over white (they cannot tell) to blue (they support).
    """
    import matplotlib
    from matplotlib.figure import Figure

    images = [measured, restored] + ([] if trust is None else [trust])
    left, right, bottom, top = extent_of(measured)
    shape = float(np.clip((bottom - top) / (right - left), 0.3, 3.0))
    height = WIDTH_INCHES / 3 * shape + 0.45
    with matplotlib.rc_context(typography()):
        figure = Figure((WIDTH_INCHES, height), layout="constrained")
        panels = figure.subplots(1, len(images), squeeze=False)[0]
        for panel, image in zip(panels, images, strict=True):
            draw_image(panel, image, (0.0, 1.0) if image is trust else _limits(image.values))
        if trust is not None:
            _colour(figure, list(panels))
        names = ("a  measured", "b  restored", "c  trust")
        for panel, name in zip(panels, names, strict=False):
            panel.set_title(name, loc="left", fontweight="bold")
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def _colour(figure: "Figure", panels: list[Any]) -> None:
    import matplotlib

    (drawn,) = panels[-1].images
    colours = matplotlib.colormaps[RESIDUAL_COLOURS.removesuffix("_r")].copy()
    colours.set_bad(MISSING_COLOUR)
    drawn.set_cmap(colours)
    # Beside all panels, so that they stay of one size.
    bar = figure.colorbar(drawn, ax=panels, shrink=0.8, pad=0.01, ticks=[0.0, 0.5, 1.0])
    bar.outline.set_visible(False)


def _limits(values: NDArray[Any]) -> tuple[float, float]:
    """Greys that leave out one measured value in a thousand at either end."""
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, (0.1, 99.9)) if known.size else (0.0, 1.0)
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)
