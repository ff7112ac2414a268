"""Shifts of one kind of column against those around it, such as polarisation, by direction."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError
from crewe.plots.arrows import draw_arrows, draw_key, enlargement, is_sure
from crewe.plots.column_marks import draw_ground, spacing_of, tallness_of
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import typography

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_SPACINGS = 0.08
PANEL_PART = 0.62
PALE_ALPHA = 0.3
LIGHTNESS, CHROMA = 70.0, 45.0


def shifts_figure(
    shifts: "pd.DataFrame",
    *,
    image: "xr.DataArray | None" = None,
    title: str = "",
) -> "Figure":
    """Draw the shift of each site as an arrow in the colour of its direction.

    `shifts` is the table of `site_shifts`: `x`, `y`, `shift_x`, `shift_y` in the unit of the image
    and `*_std`. Arrows are enlarged by a round factor; an arrow of known length and a wheel of
    directions are given. Those shorter than two standard errors are pale. Raises PlanError for a
    table without shifts.
    """
    import matplotlib
    from matplotlib.figure import Figure

    if "shift_x" not in shifts or "shift_y" not in shifts:
        raise PlanError("the table holds no shifts: give that of site_shifts")
    with matplotlib.rc_context(typography()):
        side = PANEL_PART * WIDTH_INCHES
        figure = Figure(
            (side, 0.85 * side * tallness_of(shifts, image) + 0.55), layout="constrained"
        )
        axes = figure.subplots()
        draw_ground(axes, shifts, image)
        axes.set_title("shift against the neighbours", loc="left", fontweight="bold")
        _draw(axes, shifts)
        _draw_wheel(axes)
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def direction_colours(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """Return one colour (N, 4) for each direction, all of the same lightness (CIE L*a*b*).

    +x is reddish, the hues follow clockwise as displayed, y being down.
    """
    angle = np.arctan2(y, x)
    a, b = CHROMA * np.cos(angle + 0.4), CHROMA * np.sin(angle + 0.4)
    return np.column_stack([_rgb_of_lab(LIGHTNESS, a, b), np.ones(np.size(angle))])


def _rgb_of_lab(
    lightness: float, a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """CIE L*a*b* (D65) to sRGB (IEC 61966-2-1), cut to what a screen shows."""
    level = (lightness + 16) / 116
    root = np.stack([level + a / 500, np.full_like(a, level), level - b / 200], axis=-1)
    linear = np.where(root > 6 / 29, root**3, 3 * (6 / 29) ** 2 * (root - 4 / 29))
    white = np.array([0.95047, 1.0, 1.08883])
    to_rgb = np.array(
        [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
    )
    rgb = np.clip((linear * white) @ to_rgb.T, 0.0, 1.0)
    return np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)


def _draw(axes: "Axes", shifts: "pd.DataFrame") -> None:
    known = shifts[shifts["shift_x"].notna() & shifts["shift_y"].notna()]
    if known.empty:
        return
    vectors = known[["shift_x", "shift_y"]].to_numpy(float)
    std = [_std(known, name) for name in ("shift_x", "shift_y")]
    sure = is_sure(*vectors.T, *std)
    colours = direction_colours(*vectors.T)
    colours[~sure, 3] = PALE_ALPHA
    spacing = spacing_of(shifts)
    factor = enlargement(np.hypot(*vectors.T), spacing)
    places = known[["x", "y"]].to_numpy(float)
    drawn = draw_arrows(axes, places, vectors, factor, colours, WIDTH_SPACINGS * spacing)
    unit = str(shifts.attrs.get("length_unit", "Å"))
    draw_key(axes, drawn, spacing, factor, unit, int((~sure).sum()))


def _std(table: "pd.DataFrame", name: str) -> NDArray[np.float64]:
    std = f"{name}_std"
    return table[std].to_numpy(float) if std in table else np.full(len(table), np.nan)


def _draw_wheel(axes: "Axes") -> None:
    """Put a ring of all directions into the upper right corner, outside the image."""
    wheel = axes.inset_axes((1.01, 0.84, 0.16, 0.16))
    half = np.linspace(-1, 1, 101)
    x, y = np.meshgrid(half, half)
    picture = direction_colours(x.ravel(), y.ravel()).reshape(101, 101, 4)
    radius = np.hypot(x, y)
    picture[..., 3] = (radius < 1) & (radius > 0.45)
    wheel.imshow(picture, extent=(-1, 1, 1, -1))
    wheel.set_axis_off()
