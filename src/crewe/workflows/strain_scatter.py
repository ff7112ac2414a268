"""How much strain differs from one column to the next, beside what its standard errors say."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.workflows.summary import STRONG_CORRELATION

if TYPE_CHECKING:
    import pandas as pd

    from crewe.atoms.lattice.results import IndexedColumns

LEAST_PAIRS = 12
"""Pairs of neighbours from which on a scatter is told."""
DOUBTFUL = 3.0
"""Scatter, in standard errors, from which on these do not hold what moves the columns."""
TO_DEVIATION = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


def neighbour_scatter(table: "pd.DataFrame", indexed: "IndexedColumns") -> dict[str, float]:
    """Return the scatter of one column, from differences between neighbours, by component.

    Neighbours are columns of one lattice and site, one cell apart along a or b. The scatter is
    1.4826 times the median absolute deviation of their differences from the median difference
    along that edge, over √2: a uniform gradient is no scatter, and a few defects do not matter.
    Where neighbours share columns that their strain is taken from (a radius above 1.1), they
    differ less than their errors. Components with fewer than 12 pairs are left out.
    """
    pairs = _pairs(indexed.columns)
    found = {}
    for name in (name for name in table.columns if f"{name}_std" in table):
        values = table[name].to_numpy(float)
        away = [_from_their_median(values[other] - values[one]) for one, other in pairs]
        known = np.concatenate(away)
        if len(known) >= LEAST_PAIRS:
            found[name] = float(TO_DEVIATION * np.median(np.abs(known)) / np.sqrt(2))
    return found


def doubts_of_strain(strain: dict[str, Any], correlation: float | None) -> list[str]:
    """Say where the standard errors of strain are too small.

    `strain` holds the medians by component; `correlation` is that of neighbouring residuals.
    """
    said = []
    if (correlation or 0.0) > STRONG_CORRELATION:
        said.append(
            f"the residuals of neighbouring pixels of the fit are correlated ({correlation:.2f}): "
            "the error bars are too small"
        )
    ratios = {
        name: one["neighbour_scatter"] / one["std"]
        for name, one in strain.items()
        if one.get("neighbour_scatter") is not None and one["std"]
    }
    worst = max(ratios, key=lambda name: ratios[name], default="")
    if worst and ratios[worst] > DOUBTFUL:
        said.append(
            "positions scatter more than their standard errors say: scan distortion or a fit that "
            f"does not describe the columns ({worst} differs between neighbours by "
            f"{ratios[worst]:.1f} times its standard error)"
        )
    return said


def _pairs(columns: "pd.DataFrame") -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return rows of columns and of their neighbours one cell on, along a and along b."""
    keys = columns[["lattice", "site", "cell_a", "cell_b"]].to_numpy(int)
    row_of = {tuple(key): row for row, key in enumerate(keys.tolist()) if key[0] >= 0}
    found = []
    for a, b in ((1, 0), (0, 1)):
        other = [
            (row, row_of[(lattice, site, u + a, v + b)])
            for (lattice, site, u, v), row in row_of.items()
            if (lattice, site, u + a, v + b) in row_of
        ]
        one, next_one = np.array(other, dtype=np.intp).reshape(-1, 2).T
        found.append((one, next_one))
    return found


def _from_their_median(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    known = differences[np.isfinite(differences)]
    return known - np.median(known) if len(known) else known
