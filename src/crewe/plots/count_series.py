"""Atoms in tracked columns from frame to frame."""

from typing import TYPE_CHECKING

import numpy as np

from crewe.plots.counting_map import CountColours
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import INK, typography

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def series_figure(counts: "pd.DataFrame", *, title: str = "") -> "Figure":
    """Draw the count of each column over the frames, and how many columns change.

    `counts` is (frames, columns) as Int64; a column that was not measured in a frame is white.
    Columns are sorted by their first known count.
    """
    import textwrap

    import matplotlib
    import pandas as pd
    from matplotlib.figure import Figure

    values = counts.to_numpy(dtype=np.float64, na_value=np.nan)
    order = np.argsort(first_known(values), kind="stable")
    colours = CountColours(pd.Series(values.ravel()))
    with matplotlib.rc_context(typography()):
        figure = Figure((WIDTH_INCHES, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=[2, 1])
        frames = len(values)
        drawn = left.imshow(
            values[:, order].T,
            aspect="auto",
            interpolation="nearest",
            cmap=colours.map,
            norm=colours.norm,
            extent=(-0.5, frames - 0.5, values.shape[1] - 0.5, -0.5),
        )
        left.set(xlabel="frame", ylabel="column, thinnest first")
        left.set_title("a  atoms in each column", loc="left", fontweight="bold")
        figure.colorbar(drawn, ax=left, label="atoms")
        right.plot(np.arange(1, frames), changed(values), "o-", color=INK, ms=3, lw=0.9)
        right.set(xlabel="frame", ylabel="columns that changed since the last", ylim=(0, None))
        right.set_title("b  changes", loc="left", fontweight="bold")
        if title:
            figure.suptitle("\n".join(textwrap.wrap(title, 110)), fontsize=9, x=0.01, ha="left")
    return figure


def first_known(values: np.ndarray) -> np.ndarray:
    """Return the first known count (N,) of each column of (T, N); NaN where there is none."""
    known = np.isfinite(values)
    return np.where(
        known.any(axis=0), values[known.argmax(axis=0), np.arange(values.shape[1])], np.nan
    )


def changed(values: np.ndarray) -> np.ndarray:
    """Return how many columns (T − 1,) of (T, N) have another count than in the frame before."""
    step = np.diff(values, axis=0)
    return np.count_nonzero(np.isfinite(step) & (step != 0), axis=1)
