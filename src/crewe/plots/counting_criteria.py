"""How many components a mixture has, by each information criterion."""

from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import INK, TYPE_COLOURS, typography

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CRITERIA = {"icl": ("ICL", "o-", INK), "bic": ("BIC", "s--", TYPE_COLOURS[5])}
CRITERIA["aic"] = ("AIC", "^:", TYPE_COLOURS[4])


def criteria_figure(summary: "Mapping[str, Any]", *, title: str = "") -> "Figure":
    """Draw ICL, BIC and AIC against the number of components, from the summary of a mixture."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(typography()):
        figure = Figure((0.6 * WIDTH_INCHES, 0.36 * WIDTH_INCHES), layout="constrained")
        axes = figure.subplots()
        draw_criteria(axes, summary)
        if title:
            axes.set_title(title, loc="left")
    return figure


def draw_criteria(axes: "Axes", summary: "Mapping[str, Any]") -> None:
    """Draw each criterion above its least; a ring marks what was chosen, dots other minima.

    `summary` holds `criteria` with the lists components, icl, bic and aic.
    """
    from matplotlib.ticker import MaxNLocator

    criteria = summary["criteria"]
    number = np.asarray(criteria["components"], dtype=np.int64)
    ends: list[tuple[float, str, str]] = []
    for name, (said, line, colour) in CRITERIA.items():
        if name not in criteria:
            continue
        values = np.asarray(criteria[name], dtype=np.float64)
        above = values - np.nanmin(values)
        axes.plot(number, above, line, color=colour, ms=2.5, lw=0.9, label=said)
        ends.append((float(above[-1]), said, colour))
        if name == summary.get("criterion", "icl"):
            _mark(axes, number, above, summary)
    axes.set_xlabel("components")
    axes.set_ylabel("criterion above its least")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.set_ylim(bottom=-0.04 * axes.get_ylim()[1])
    _label(axes, int(number[-1]), ends)


def _label(axes: "Axes", place: int, ends: list[tuple[float, str, str]]) -> None:
    """Write the name of each line at its right end, one above the other where they meet."""
    least = 0.08 * axes.get_ylim()[1]
    last = -np.inf
    for height, said, colour in sorted(ends):
        last = max(height, last + least)
        at: dict[str, Any] = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(said, (place, last), color=colour, fontsize=7, **at)


def _mark(axes: "Axes", number: Any, above: Any, summary: "Mapping[str, Any]") -> None:
    chosen = summary.get("components")
    others = [one for one in summary.get("candidates", []) if one != chosen]
    at = np.isin(number, others)
    style: dict[str, Any] = {"ls": "none", "color": INK}
    if at.any():
        axes.plot(number[at], above[at], "o", ms=4.5, label="other minimum", **style)
    if chosen is not None:
        ring = number == chosen
        said = f"chosen: {chosen}"
        axes.plot(number[ring], above[ring], "o", ms=8, fillstyle="none", label=said, **style)
        at = at | ring
    above_it: dict[str, Any] = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center"}
    for place, height in zip(number[at], above[at], strict=True):
        weight = "bold" if place == chosen else "normal"
        axes.annotate(str(place), (place, height), fontsize=7, weight=weight, **above_it)
