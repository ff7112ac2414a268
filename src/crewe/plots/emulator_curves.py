"""Error of emulators against their number of terms, and against the images they learned from."""

from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import INK, TYPE_COLOURS, typography

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR_COLOUR = "#808080"


def terms_figure(table: "pd.DataFrame", *, floor: float | None = None, title: str = "") -> "Figure":
    """Draw 1 − R² against the number of terms, both logarithmic, from a scan of plans.

    `table` is that of `scan_plans`: colours tell the degree, filled marks hold interactions,
    squares are smoothed features; bars are the spread over repeats. A ring marks the smallest plan
    that is within one standard error of the best. `floor` is what no emulator can explain.
    """
    import matplotlib

    with matplotlib.rc_context(typography()):
        figure, axes = _panel()
        for _, group in table.groupby(["features", "degree", "interactions"]):
            _draw_group(axes, group)
        chosen = table[table["sufficient"]].nsmallest(1, "terms")
        ring = chosen["terms"], chosen["one_minus_r2"]
        style: dict[str, Any] = {
            "color": INK,
            "fillstyle": "none",
            "markersize": 9,
            "label": "smallest sufficient",
        }
        axes.plot(*ring, "o", **style)
        _finish(axes, "terms", floor, title)
    return figure


def training_figure(
    table: "pd.DataFrame", *, floor: float | None = None, title: str = ""
) -> "Figure":
    """Draw 1 − R² against the number of training images, both logarithmic.

    `table` is that of `leave_out`; bars are the spread over repeats, the line without marks is
    their median.
    """
    import matplotlib

    with matplotlib.rc_context(typography()):
        figure, axes = _panel()
        axes.errorbar(
            table["images"],
            table["one_minus_r2"],
            yerr=_bars(table),
            fmt="o-",
            color=TYPE_COLOURS[5],
            markersize=4,
            linewidth=0.9,
            capsize=2,
            label="held-out images",
        )
        colour = TYPE_COLOURS[5]
        axes.plot(table["images"], table["median"], ":", color=colour, lw=0.9, label="median")
        _finish(axes, "training images", floor, title)
        axes.set_xticks(list(table["images"]), [str(n) for n in table["images"]])
        axes.set_xticks([], minor=True)
    return figure


def _draw_group(axes: "Axes", group: "pd.DataFrame") -> None:
    """Plans of one kind of features, one degree, with or without interactions."""
    plan = group.iloc[0]["plan"]
    degree, interactions = plan.degree, plan.interactions
    smoothed = plan.features == "smoothed"
    colour = TYPE_COLOURS[(degree - 1) % len(TYPE_COLOURS)]
    words = f"degree {degree}" + ("" if interactions or degree == 1 else ", powers alone")
    axes.errorbar(
        group["terms"],
        group["one_minus_r2"],
        yerr=_bars(group),
        fmt="s" if smoothed else "o",
        color=colour,
        markerfacecolor=colour if interactions else "white",
        markersize=4,
        linewidth=0.7,
        label=words + (", smoothed" if smoothed else ""),
    )


def _bars(table: "pd.DataFrame") -> Any:
    """Spread (2, n) down and up; a bar that would reach zero ends at a hundredth of the value."""
    spread = np.nan_to_num(table["spread"].to_numpy(dtype=np.float64))
    return np.stack([np.minimum(spread, 0.99 * table["one_minus_r2"].to_numpy()), spread])


def _panel() -> tuple["Figure", "Axes"]:
    from matplotlib.figure import Figure

    figure = Figure((0.6 * WIDTH_INCHES, 0.4 * WIDTH_INCHES), layout="constrained")
    return figure, figure.subplots()


def _finish(axes: "Axes", what: str, floor: float | None, title: str) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    if floor is not None and floor > 0:
        axes.axhline(floor, color=FLOOR_COLOUR, linestyle="--", lw=0.8, label="phonon noise")
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(what)
    axes.set_ylabel("1 − R² of held-out images")
    axes.legend(frameon=False)
    axes.set_title(title, loc="left")
