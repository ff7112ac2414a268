"""What a count rests on: the mixture, the thickness curve and the probabilities of the answers."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.plots.counting_map import CountColours
from crewe.plots.histogram import bin_edges, power_of_ten
from crewe.plots.palette import INK, TYPE_COLOURS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes

    from crewe.atoms.counting.results import AtomCounts

Values = NDArray[np.float64]

NOT_DECIDED = "the data cannot decide"
BINS_PER_STEP = 3
LEAST_WEIGHT = 1e-4
"""Components with a smaller part of the columns are not drawn."""
CURVE_COLOUR, BAR_COLOUR = TYPE_COLOURS[5], "#C9CED6"


def draw_mixture(
    axes: "Axes", scs: Values, counts: "AtomCounts", unit: str, colours: CountColours
) -> None:
    """Draw the cross-sections (N,) as a histogram, each count's Gaussian in it, and their sum.

    Where the data do not decide the counts, this is said, and no Gaussian is drawn: they would be
    one reading of many. Those of a mixture with free means are what was fitted, and are drawn.
    """
    from matplotlib.ticker import MaxNLocator

    scale, prefix = power_of_ten(scs)
    axes.set_xlabel(f"scattering cross-section ({prefix}{unit})")
    axes.set_ylabel("columns")
    if scs.size == 0:
        axes.set(xticks=[], yticks=[])
        return
    decided = bool(counts.summary.get("decided", True))
    shown = decided or counts.summary.get("method") == "mixture"
    edges = _edges(scs, counts) if shown else bin_edges(scs)
    axes.hist(scs / scale, bins=(edges / scale).tolist(), color=BAR_COLOUR, ec="white", lw=0.3)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    if shown:
        _draw_components(axes, edges, scs.size, counts, scale, colours)
    if not decided:
        _write(axes, NOT_DECIDED)
    axes.set_xlim(edges[0] / scale, edges[-1] / scale)


def draw_curve(
    axes: "Axes",
    scs: Values,
    atoms: Values,
    counts: "AtomCounts",
    unit: str,
    colours: CountColours,
    library: "xr.DataArray | None" = None,
) -> None:
    """Draw the mean cross-section against the number of atoms, with the columns that have it.

    `atoms` (N,) is NaN where a column has no count. The dark band is one standard error of the
    curve, the pale one the spread of columns of one count.
    """
    from matplotlib.ticker import MaxNLocator

    scale, prefix = power_of_ten(scs)
    top = _last(counts, atoms)
    number = np.arange(top + 1)
    curve, error, spread = (
        values[: top + 1] / scale for values in (counts.curve, counts.curve_std, counts.spread)
    )
    decided = bool(counts.summary.get("decided", True))
    axes.fill_between(number, curve - spread, curve + spread, color=BAR_COLOUR, alpha=0.6, lw=0)
    axes.fill_between(number, curve - error, curve + error, color=CURVE_COLOUR, alpha=0.35, lw=0)
    axes.plot(number, curve, "-", color=CURVE_COLOUR, lw=1.0, label="fitted")
    if decided:
        _draw_answers(axes, scs / scale, atoms, colours)
    else:
        _write(axes, NOT_DECIDED, low=True)
    if library is not None:
        known = library.sel(atoms=library["atoms"] <= max(top, 2))
        style: dict[str, Any] = {"color": INK, "ms": 3.5, "mfc": "none", "mew": 0.7}
        axes.plot(known["atoms"], known.values / scale, "d", label="library", **style)
        axes.legend(frameon=False, loc="upper left", handlelength=1.2)
    axes.set_xlabel("atoms in the column")
    axes.set_ylabel(f"cross-section ({prefix}{unit})")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.set_xlim(-0.4, top + 0.6)
    axes.set_ylim(bottom=min(0.0, float(np.nanmin(curve, initial=0.0))))


def draw_probabilities(axes: "Axes", probability: "pd.Series", least: float) -> None:
    """Draw the probability of each column's likeliest count, the surest first, with the limit.

    Columns below `least` have no count.
    """
    known = np.sort(probability.dropna().to_numpy(dtype=np.float64))[::-1]
    place = np.arange(known.size + 1)
    values = np.append(known, known[-1] if known.size else np.nan)
    counted = int((known >= least).sum())
    axes.fill_between(
        place[: counted + 1], values[: counted + 1], step="post", color=CURVE_COLOUR, alpha=0.45
    )
    axes.fill_between(place[counted:], values[counted:], step="post", color=BAR_COLOUR)
    axes.step(place, values, where="post", color=INK, lw=0.8)
    axes.axhline(least, color=INK, lw=0.8, ls="--")
    axes.set(xlim=(0, max(known.size, 1)), ylim=(0, 1.02))
    axes.set_xlabel("columns, the surest first")
    axes.set_ylabel("probability")
    if known.size:
        said = f"mean {known.mean():.2f}; {counted:,} of {known.size:,} above {least:g}"
        # Below the curve where it is high, above it where it is low.
        high = 0.08 if known.min() > 0.2 else 0.9
        axes.text(0.03, high, said, transform=axes.transAxes, fontsize=6.5)


def _edges(scs: Values, counts: "AtomCounts") -> Values:
    """Edges of bins a third of a step wide, where that is neither too coarse nor too fine."""
    steps = np.diff(counts.curve[np.isfinite(counts.curve)])
    step = float(np.median(steps)) if steps.size else 0.0
    low, high = min(0.0, float(scs.min())), 1.03 * float(scs.max())
    if step <= 0 or not 10 <= BINS_PER_STEP * (high - low) / step <= 200:
        return bin_edges(scs)
    return np.arange(low, high + step, step / BINS_PER_STEP)


def _draw_components(
    axes: "Axes",
    edges: Values,
    number: int,
    counts: "AtomCounts",
    scale: float,
    colours: CountColours,
) -> None:
    width = float(edges[1] - edges[0])
    x = np.linspace(edges[0], edges[-1], 1200)
    total = np.zeros_like(x)
    for count, (mean, spread, weight) in enumerate(
        zip(counts.curve, counts.spread, counts.weights, strict=True)
    ):
        if not (np.isfinite(mean) and np.isfinite(spread) and spread > 0 and weight > LEAST_WEIGHT):
            continue
        peak = number * width * weight / (spread * np.sqrt(2 * np.pi))
        component = peak * np.exp(-0.5 * ((x - mean) / spread) ** 2)
        axes.fill_between(x / scale, component, color=colours.of(count), alpha=0.55, lw=0)
        total += component
    axes.plot(x / scale, total, color=INK, lw=0.9)


def _draw_answers(axes: "Axes", scs: Values, atoms: Values, colours: CountColours) -> None:
    known = np.isfinite(atoms) & np.isfinite(scs)
    atoms, scs = atoms[known], scs[known]
    order = np.argsort(np.lexsort((scs, atoms)))
    beside = 0.5 * (np.mod(order * 0.618034, 1.0) - 0.5)
    axes.scatter(
        atoms + beside,
        scs,
        s=5,
        c=[colours.of(number) for number in atoms],
        edgecolors=INK,
        linewidths=0.2,
        rasterized=True,
        zorder=3,
    )


def _last(counts: "AtomCounts", atoms: Values) -> int:
    """Return the largest number of atoms worth drawing."""
    known = atoms[np.isfinite(atoms)]
    weighty = np.flatnonzero(np.nan_to_num(counts.weights) > 10 * LEAST_WEIGHT)
    most = int(known.max()) if known.size else int(weighty.max(initial=1))
    return int(np.clip(most + 1, 2, len(counts.curve) - 1))


def _write(axes: "Axes", said: str, low: bool = False) -> None:
    axes.text(
        0.97,
        0.05 if low else 0.95,
        said,
        transform=axes.transAxes,
        ha="right",
        va="bottom" if low else "top",
        fontsize=7.5,
        fontweight="bold",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
    )
