"""The one figure to trust a count of atoms by."""

from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.plots.column_marks import tallness_of
from crewe.plots.counting_criteria import draw_criteria
from crewe.plots.counting_curves import draw_curve, draw_mixture, draw_probabilities
from crewe.plots.counting_map import CountColours, draw_count_map
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import typography

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from crewe.atoms.counting.results import AtomCounts

MAP_INCHES = 4.3
BAR_INCHES = 0.75
"""Height of the colour bar and the legend below the map."""


def counting_figure(
    columns: "pd.DataFrame",
    counts: "AtomCounts",
    *,
    unit: str,
    image: "xr.DataArray | None" = None,
    library: "xr.DataArray | None" = None,
    least_probability: float = 0.5,
    title: str = "",
) -> "Figure":
    """Draw the columns with their counts, the mixture, the thickness curve and how sure it is.

    `columns` is the table that was counted, row by row; positions are in the unit of the image's
    coordinates, cross-sections in `unit`. Columns whose count is less probable than
    `least_probability` are hatched and bear no number. A count by mixture shows its criteria too.
    """
    import matplotlib
    from matplotlib.figure import Figure

    table = counts.add_to(columns, least_probability)
    known = table["count_probability"].notna().to_numpy()
    scs = table["scs"].to_numpy(float)[known]
    atoms = table["count"].to_numpy(float, na_value=np.nan)[known]
    colours = CountColours(table["count"])
    with matplotlib.rc_context(typography()):
        figure = Figure(layout="constrained")
        panels = _arrange(figure, tallness_of(table, image), "criteria" in counts.summary)
        decided = bool(counts.summary.get("decided", True))
        draw_count_map(figure, panels["map"], table, image, MAP_INCHES, colours, decided)
        draw_mixture(panels["mixture"], scs, counts, unit, colours)
        draw_curve(panels["curve"], scs, atoms, counts, unit, colours, library)
        draw_probabilities(panels["probability"], table["count_probability"], least_probability)
        if "criteria" in panels:
            draw_criteria(panels["criteria"], counts.summary)
        for letter, (name, panel) in zip("abcde", panels.items(), strict=False):
            said = _TITLES[name] if decided else _NOT_DECIDED.get(name, _TITLES[name])
            panel.set_title(f"{letter}  {said}", loc="left", fontweight="bold")
        _write_verdict(figure, counts, title)
    return figure


_TITLES = {
    "map": "atoms in each column",
    "mixture": "cross-sections",
    "curve": "cross-section against thickness",
    "criteria": "number of components",
    "probability": "how sure the counts are",
}

_NOT_DECIDED = {
    "map": "likeliest numbers of atoms, NOT decided",
    "probability": "how sure, were the curve right",
}


def _arrange(figure: "Figure", tallness: float, with_criteria: bool) -> dict[str, Any]:
    high = MAP_INCHES * tallness + BAR_INCHES
    rows: Any = [["map", "mixture"], ["map", "curve"]]
    if with_criteria:
        rows.append(["criteria", "probability"])
        high = max(high, 3.2) + 1.7
    else:
        rows.append(["map", "probability"])
        high = max(high, 5.0)
    figure.set_size_inches(WIDTH_INCHES, high + 0.4)
    widths = [MAP_INCHES, WIDTH_INCHES - MAP_INCHES]
    panels = figure.subplot_mosaic(rows, width_ratios=widths)
    return {name: panels[name] for name in _TITLES if name in panels}


def _write_verdict(figure: "Figure", counts: "AtomCounts", title: str) -> None:
    """Write the title and, below it, what the data decide; in bold where they do not."""
    import textwrap

    decided = bool(counts.summary.get("decided", True))
    verdict = str(counts.summary.get("verdict", ""))
    said = "\n".join([*([title] if title else []), *textwrap.wrap(verdict, 115 if decided else 86)])
    if said:
        weight = "normal" if decided else "bold"
        figure.suptitle(said, fontsize=9 if decided else 9.5, x=0.01, ha="left", weight=weight)
