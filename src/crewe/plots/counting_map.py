"""Columns over their image, coloured by the number of atoms in each."""

from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.plots.column_marks import (
    ALONE,
    OVER_IMAGE,
    draw_crosses,
    draw_discs,
    draw_ground,
    points_per_unit,
    spacing_of,
)
from crewe.plots.palette import INK

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COUNT_COLOURS = "viridis"
UNDECIDED_ALPHA = 0.45
LEGEND_INCHES, SCALE_INCHES = 0.4, 0.1
LEAST_DISC_POINTS = 7.5
"""Discs smaller than this carry no number."""


class CountColours:
    """A colour for each whole number of atoms between the least and the most of a table."""

    def __init__(self, counts: "pd.Series") -> None:
        import matplotlib
        from matplotlib.colors import BoundaryNorm

        known = counts.dropna().to_numpy(dtype=np.int64)
        self.low = int(known.min()) if known.size else 0
        self.high = max(int(known.max()), self.low + 1) if known.size else 1
        self.map = matplotlib.colormaps[COUNT_COLOURS]
        self.norm = BoundaryNorm(np.arange(self.low, self.high + 2) - 0.5, self.map.N)

    def of(self, count: float) -> Any:
        """Return the colour (red, green, blue, alpha) of a number of atoms."""
        return self.map(self.norm(int(np.clip(count, self.low, self.high))))


def draw_count_map(
    figure: "Figure",
    axes: "Axes",
    table: "pd.DataFrame",
    image: "xr.DataArray | None",
    inches: float,
    colours: CountColours,
    decided: bool = True,
) -> None:
    """Draw each column as a disc with its number of atoms, as large as the panel lets it be.

    `table` is what `AtomCounts.add_to` returns. A column without a decided count is a hatched
    disc, never a number; one that was left out is a cross. What is not `decided` is pale.
    """
    draw_ground(axes, table, image)
    counted = table[table["count"].notna()]
    left_out = table[table["count_probability"].isna()]
    undecided = table[table["count"].isna() & table["count_probability"].notna()]
    diameter = (ALONE if image is None else OVER_IMAGE) * spacing_of(table)
    numbers = counted["count"].to_numpy(dtype=np.int64)
    draw_discs(
        axes,
        counted,
        diameter,
        facecolors=[colours.of(number) for number in numbers],
        alpha=1.0 if decided else UNDECIDED_ALPHA,
        edgecolors=INK,
        linewidths=0.4,
    )
    hatched: dict[str, Any] = {"facecolors": "white", "edgecolors": INK, "hatch": "//////"}
    draw_discs(axes, undecided, diameter, linewidths=0.5, **hatched)
    draw_crosses(axes, left_out)
    _write_numbers(axes, counted, diameter * points_per_unit(table, inches), colours)
    if len(counted):
        _draw_scale(figure, axes, inches, colours)
    _draw_legend(axes, len(counted), len(undecided), len(left_out))


def _write_numbers(
    axes: "Axes", counted: "pd.DataFrame", points: float, colours: CountColours
) -> None:
    if points < LEAST_DISC_POINTS:
        return
    size = min(0.62 * points, 9.0)
    for row in counted[["x", "y", "count"]].itertuples(index=False):
        red, green, blue, _ = colours.of(row[2])
        dark = 0.30 * red + 0.59 * green + 0.11 * blue < 0.5
        axes.text(
            row[0],
            row[1],
            str(int(row[2])),
            color="white" if dark else "black",
            fontsize=size,
            ha="center",
            va="center_baseline",
            zorder=4,
            clip_on=True,
        )


def _draw_scale(figure: "Figure", axes: "Axes", inches: float, colours: CountColours) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.ticker import FixedLocator

    shown = ScalarMappable(norm=colours.norm, cmap=colours.map)
    step = max(1, -(-(colours.high - colours.low + 1) // 12))
    ticks = np.arange(colours.low, colours.high + 1, step)
    # Below the legend, at a distance in inches whatever the shape of the panel.
    high = inches * abs(np.diff(axes.get_ylim())[0] / np.diff(axes.get_xlim())[0])
    place = (0.12, -LEGEND_INCHES / high, 0.76, SCALE_INCHES / high)
    bar = figure.colorbar(shown, cax=axes.inset_axes(place), orientation="horizontal")
    bar.ax.xaxis.set_major_locator(FixedLocator(ticks.tolist()))
    bar.ax.xaxis.set_minor_locator(FixedLocator([]))
    bar.set_label("atoms in the column", labelpad=1)
    bar.outline.set_visible(False)


def _draw_legend(axes: "Axes", counted: int, undecided: int, left_out: int) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    if counted:
        disc: dict[str, Any] = {"ls": "none", "marker": "o", "mfc": "#5A9BA8", "mec": INK}
        handles.append(Line2D([], [], label=f"counted ({counted:,})", **disc))
    if undecided:
        style: dict[str, Any] = {"facecolor": "white", "edgecolor": INK, "hatch": "//////"}
        handles.append(Patch(label=f"undecided ({undecided:,})", linewidth=0.5, **style))
    if left_out:
        cross: dict[str, Any] = {"marker": "x", "color": INK, "linestyle": "none"}
        handles.append(Line2D([], [], ms=4, label=f"left out ({left_out:,})", **cross))
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.005),
        ncols=3,
        frameon=False,
        handletextpad=0.3,
        columnspacing=1.2,
    )
