"""Histogram of a measured quantity, one colour per column type."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from crewe.plots.palette import INK, type_colour

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def draw_histogram(axes: "Axes", columns: "pd.DataFrame", unit: str) -> None:
    """Stack the scattering cross-sections of the unflagged columns by type.

    A bar of ± one median standard error shows what the measurement itself
    spreads. Flagged columns are left out unless there are no others.
    """
    from matplotlib.ticker import MaxNLocator

    fine = columns[columns["flag"] == ""]
    sample = fine if len(fine) else columns
    sample = sample[np.isfinite(sample["scs"])]
    scale, prefix = power_of_ten(sample["scs"].to_numpy())
    axes.set_xlabel(f"scattering cross-section ({prefix}{unit})")
    axes.set_ylabel("columns")
    if sample.empty:
        axes.set(xticks=[], yticks=[])
        return
    groups = [(number, group["scs"].to_numpy() / scale) for number, group in sample.groupby("type")]
    axes.hist(
        [values for _, values in groups],
        bins=bin_edges(sample["scs"].to_numpy() / scale).tolist(),
        stacked=True,
        color=[type_colour(number) for number, _ in groups],
        edgecolor=INK,
        linewidth=0.3,
    )
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.margins(x=0.02)
    _draw_precision(axes, float(sample["scs"].median()) / scale, sample["scs_std"] / scale)


def power_of_ten(values: npt.NDArray[np.float64]) -> tuple[float, str]:
    """Return a power of ten to divide by, and how to write it before the unit."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0 or 1e-2 <= largest < 1e4:
        return 1.0, ""
    exponent = int(np.floor(np.log10(largest)))
    return 10.0**exponent, f"$10^{{{exponent}}}$ "


def bin_edges(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the edges of about 2·√n bins, at least 8 and at most 60."""
    low, high = float(values.min()), float(values.max())
    if high <= low:
        half = 0.05 * abs(low) or 0.5
        low, high = low - half, high + half
    bins = int(np.clip(2 * np.sqrt(len(values)), 8, 60))
    return np.linspace(low, high, bins + 1)


def _draw_precision(axes: "Axes", centre: float, errors: "pd.Series") -> None:
    spread = float(errors.median()) if errors.notna().any() else 0.0
    if spread <= 0:
        return
    top = axes.get_ylim()[1]
    axes.set_ylim(0, 1.18 * top)
    axes.errorbar(centre, 1.06 * top, xerr=spread, color=INK, capsize=2.0, lw=0.9, capthick=0.9)
    # The words go to the side that has room for them.
    left = centre > float(np.mean(axes.get_xlim()))
    axes.annotate(
        "± standard error",
        (centre - spread if left else centre + spread, 1.06 * top),
        xytext=(-4 if left else 4, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        fontsize=6.5,
    )
