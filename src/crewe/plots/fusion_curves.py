"""How a fusion converged, what was tried to choose its settings, and which fractions came out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.plots.element_colours import element_colours
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import INK, TYPE_COLOURS, typography
from crewe.plots.panel_grid import (
    draw_panel,
    hide_empty,
    in_rows,
    panel_grid,
    tallness,
    with_missing,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TERMS = ("elastic", "chemical", "variation", "total")
BINS, MOST_ACROSS, HISTOGRAM_HEIGHT = 100, 4, 0.55
FRACTION_COLOURS = "viridis"
NOT_TOLD = "phases undecided:\ntoo few values to\ntell peaks apart"
LINES = ("o-", "s--", "^:", "v-.")


def convergence_figure(history: "pd.DataFrame", *, title: str = "") -> "Figure":
    """Draw each term of the cost against the iteration.

    `history` has the columns iteration, elastic, chemical, variation and total; a term that the
    method does not have, zero or NaN throughout, is left out. Elastic begins with the second row:
    the first is that of a start without composition, which is HAADF itself and fits it too well.
    """
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    known = np.nan_to_num(history[list(TERMS)].to_numpy(dtype=np.float64))
    terms = [name for name, values in zip(TERMS, known.T, strict=True) if values.any()] or ["total"]
    with matplotlib.rc_context(typography()):
        figure = Figure((WIDTH_INCHES, 1.9), layout="constrained")
        panels = figure.subplots(1, len(terms), squeeze=False)[0]
        for panel, name, colour in zip(panels, terms, TYPE_COLOURS, strict=False):
            shown = history.iloc[1:] if name == "elastic" and len(history) > 1 else history
            panel.plot(
                shown["iteration"], shown[name], "o" if len(shown) == 1 else "-", color=colour
            )
            panel.set_title(name, loc="left", fontweight="bold")
            panel.set_xlabel("iteration")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def tried_figure(
    tried: "pd.DataFrame", chosen: "Mapping[str, Any] | None" = None, *, title: str = ""
) -> "Figure":
    """Draw the error of predicting counts that were held out, in ‰ above the least, by strength.

    `tried` has the columns prior, strength, guide_smoothing_px, gamma and prediction_error; what
    was tried with the same other settings is one line, what was tried at a single strength a dot
    in the colour of its prior. A ring marks what was `chosen`, given by the same columns, which
    need not be the best where that is no clear gain; the best without it.
    """
    import matplotlib
    from matplotlib.figure import Figure

    priors = list(dict.fromkeys(tried["prior"]))
    tried = tried.assign(above=above_best(tried))
    with matplotlib.rc_context(typography()):
        figure = Figure((0.8 * WIDTH_INCHES, 0.36 * WIDTH_INCHES), layout="constrained")
        axes = figure.subplots()
        others = ["prior", "guide_smoothing_px", "gamma"]
        for values, group in tried.groupby(others, dropna=False):
            line = group.sort_values("strength")
            colour = TYPE_COLOURS[priors.index(values[0]) % len(TYPE_COLOURS)]
            style: dict[str, Any] = {"color": colour, "markersize": 3.5, "linewidth": 0.9}
            alone = (tried["prior"] == values[0]).sum() == 1
            label = _setting(*values) if len(line) > 1 or alone else None
            shown = LINES[len(axes.get_legend_handles_labels()[1]) % len(LINES)] if label else "o"
            axes.plot(line["strength"], line["above"], shown, label=label, **style)
        ringed, words = _ringed(tried, chosen)
        ring: dict[str, Any] = {"color": INK, "fillstyle": "none", "markersize": 9}
        axes.plot(ringed["strength"], ringed["above"], "o", label=words, **ring)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("{x:g}")
        axes.set_xlabel("strength")
        axes.set_ylabel("prediction error above the best (‰)")
        figure.legend(frameon=False, fontsize=6.5, loc="outside right upper")
        axes.set_title(title, loc="left")
    return figure


def above_best(tried: "pd.DataFrame") -> "pd.Series":
    """Return by how many ‰ each prediction error exceeds the least of them."""
    return 1000 * (tried["prediction_error"] / tried["prediction_error"].min() - 1)


def fractions_figure(
    fractions: "xr.DataArray", phases: "pd.DataFrame | None" = None, *, title: str = ""
) -> "Figure":
    """Draw the atomic fraction of each element as an image and, below it, as a histogram.

    `fractions` is (element, y, x), NaN where nothing is; `phases` has one row per Gaussian with the
    columns element, share, mean, sigma and standard_error, perhaps flag. Of an element with a flag
    no Gaussian is drawn, as it would go through peaks that are not told apart; this is written.
    """
    import matplotlib

    names = [str(name) for name in fractions["element"].values]
    rows = in_rows(names, MOST_ACROSS)
    heights = [tallness(fractions), HISTOGRAM_HEIGHT] * len(rows)
    colours = dict(zip(names, element_colours(len(names)), strict=True))
    with matplotlib.rc_context(typography()):
        figure, panels = panel_grid(heights, len(rows[0]), title)
        for number, row in enumerate(rows):
            for above, below, name in zip(*panels[2 * number : 2 * number + 2], row, strict=False):
                drawn = draw_panel(above, f"{name} fraction", fractions.sel(element=name))
                drawn.set_cmap(with_missing(FRACTION_COLOURS))
                drawn.set_clim(0.0, 1.0)
                above.set_xlabel("0 … 1", loc="left", fontsize=6.5, labelpad=2)
                values = fractions.sel(element=name).values
                _draw_histogram(below, values[np.isfinite(values)], colours[name])
                if phases is not None:
                    found = phases[phases["element"] == name]
                    if _flagged(found):
                        _write(below, NOT_TOLD, 0, found["mean"].mean() > 0.5)
                    else:
                        _draw_phases(below, found, np.isfinite(values))
        _hide_unused(panels)
    return figure


def _ringed(
    tried: "pd.DataFrame", chosen: "Mapping[str, Any] | None"
) -> tuple["pd.DataFrame", str]:
    if chosen is not None:
        same = np.ones(len(tried), dtype=bool)
        for name, value in chosen.items():
            same &= (tried[name] == value).to_numpy()
        if same.any():
            return tried[same], "chosen"
    return tried.nsmallest(1, "prediction_error"), "best"


def _setting(prior: Any, smoothing: Any, gamma: Any) -> str:
    if prior == "spectra":
        return "spectra, without HAADF"
    said = [str(prior)]
    said += [f"γ {gamma:.3g}"] if np.isfinite(gamma) else []
    said += [f"smoothed {smoothing:.2g} px"] if np.isfinite(smoothing) else []
    return ", ".join(said)


def _draw_histogram(axes: "Axes", values: NDArray[Any], colour: Any) -> None:
    axes.hist(values, bins=BINS, range=(0.0, 1.0), color=colour, edgecolor=INK, linewidth=0.15)
    axes.set(xlim=(0, 1), yticks=[])
    axes.set_xlabel("atomic fraction")
    if values.size == 0:
        axes.text(0.5, 0.5, "nothing there", ha="center", transform=axes.transAxes)


def _flagged(phases: "pd.DataFrame") -> bool:
    return "flag" in phases and bool((phases["flag"].fillna("") != "").any())


def _draw_phases(axes: "Axes", phases: "pd.DataFrame", known: NDArray[np.bool_]) -> None:
    """Draw the Gaussian of each phase as so many pixels per bin, and write its mean."""
    x = np.linspace(0, 1, 801)
    top = axes.get_ylim()[1]
    for number, phase in enumerate(phases.to_dict("records")):
        sigma = max(float(phase["sigma"]), 1e-4)
        height = float(phase["share"]) * known.sum() / BINS / (sigma * np.sqrt(2 * np.pi))
        curve = height * np.exp(-0.5 * ((x - float(phase["mean"])) / sigma) ** 2)
        axes.plot(x, np.minimum(curve, 1.3 * top), color=INK, linewidth=0.9)
        said = _percent(float(phase["mean"]), float(phase["standard_error"]))
        _write(axes, said, number, phase["mean"] > 0.5)
    axes.set_ylim(0, 1.05 * top)


def _write(axes: "Axes", said: str, line: int, left: bool) -> None:
    axes.annotate(
        said,
        (0.02 if left else 0.98, 0.97 - 0.13 * line),
        xycoords="axes fraction",
        ha="left" if left else "right",
        va="top",
        fontsize=6.5,
    )


def _percent(value: float, error: float) -> str:
    """Write a fraction to the first digit of its standard error."""
    known = np.isfinite(error) and error > 0
    decimals = int(np.clip(-np.floor(np.log10(100 * error)), 0, 4)) if known else 1
    said = f" ± {100 * error:.{decimals}f}" if known else ""
    return f"{100 * value:.{decimals}f}{said} %"


def _hide_unused(panels: Any) -> None:
    hide_empty(panels[::2])
    for panel in panels[1::2].ravel():
        if not panel.patches:
            panel.set_axis_off()
