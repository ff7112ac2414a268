"""One door to every way of counting atoms."""

import shlex
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr

from crewe.atoms.counting.by_curve import count_by_curve
from crewe.atoms.counting.checks import countable, library_values
from crewe.atoms.counting.outcome import spread_out
from crewe.atoms.counting.results import AtomCounts
from crewe.errors import PlanError

Observer = Callable[[str, float], None]
Way = Literal["curve", "mixture", "library", "hybrid"]


def count_atoms(
    columns: pd.DataFrame,
    *,
    by: Way = "curve",
    library: xr.DataArray | None = None,
    types: Sequence[int | str] | None = None,
    progress: Observer | None = None,
    **settings: Any,
) -> AtomCounts:
    """Number of atoms in each of N columns from its scattering cross-section (SCS).

    - "curve" fits a mixture whose means lie on a smooth thickness curve (`count_by_curve`);
    - "hybrid" does so with the shape of a `library` whose scale is free within `scale_std`;
    - "mixture" takes one free mean for each count (`count_by_mixture`);
    - "library" compares with the `library` as it is (`count_by_library`).

    `columns` is the table of `fit_columns`. `types` names the columns to count, by `type` or
    `site_name`: counts of different elements lie on different curves. Columns that are not counted,
    because of their type, a flag `edge` or `unconverged` or an SCS that is not positive, have
    rows of NaN in the posterior. `settings` are those of the chosen way.

    Raises PlanError for settings that do not fit, and for columns of several site names where no
    `types` tell which are meant; NoColumnsError for fewer than 20 columns.
    """
    if by not in get_args(Way):
        raise PlanError(f"by is one of {', '.join(get_args(Way))}; given was {by!r}")
    if by in ("hybrid", "library") and library is None:
        raise PlanError(f"counting by {by} needs a library (crewe.io.read_library reads one)")
    if by in ("curve", "mixture") and library is not None:
        raise PlanError(f"counting by {by} takes no library; count by 'hybrid' or by 'library'")
    chosen = _chosen(columns, types)
    usable = countable(columns[chosen])
    rows = np.flatnonzero(chosen)[usable.rows]
    if types is None:
        _check_one_kind(columns.iloc[rows])
    if library is not None:
        library_values(library, usable.scs, usable.unit)
    # Only what can be counted, so that every way leaves out the same columns.
    part = columns.iloc[rows]
    part.attrs = dict(columns.attrs)
    counts = _ask(by, part, library, progress, settings)
    warnings = [*usable.warnings, *_outside(part)]
    return _for_all(counts, rows, len(columns), warnings)


def _chosen(columns: pd.DataFrame, types: Sequence[int | str] | None) -> Any:
    """Boolean array (N,): columns of the wanted types or site names."""
    if types is None:
        return np.ones(len(columns), bool)
    chosen = np.zeros(len(columns), bool)
    for name in ("type", "site_name"):
        if name in columns:
            chosen |= columns[name].isin(list(types)).to_numpy()
    if not chosen.any():
        known = [
            str(value)
            for name in ("type", "site_name")
            if name in columns
            for value in columns[name].dropna().unique()
        ]
        raise PlanError(
            f"no column is of type {', '.join(map(str, types))}; the table has "
            f"{', '.join(known) or 'no types'}"
        )
    return chosen


def _check_one_kind(columns: pd.DataFrame) -> None:
    """Raise PlanError for several site names; numbers of `type` may be kinds of one element."""
    if "site_name" not in columns:
        return
    names = columns["site_name"].dropna().astype(str)
    kinds = names[names != ""].value_counts()
    if len(kinds) > 1:
        listed = [f"{name} ({count})" for name, count in kinds.items()]
        first = kinds.index[0]
        raise PlanError(
            f"columns of several kinds, {', '.join(listed[:-1])} and {listed[-1]}: their "
            f"cross-sections lie on different curves; count them one by one, types=[{first!r}] "
            f"(--type {shlex.quote(first)}), or name them all to count them together"
        )


def _outside(columns: pd.DataFrame) -> list[str]:
    """Warn of columns that indexing left without a lattice."""
    if "lattice" not in columns:
        return []
    count = int((columns["lattice"] == -1).sum())
    verb = "column lies" if count == 1 else "columns lie"
    return [f"{count} {verb} in no lattice; counted all the same."] if count else []


def _ask(
    by: Way,
    columns: pd.DataFrame,
    library: xr.DataArray | None,
    progress: Observer | None,
    settings: dict[str, Any],
) -> AtomCounts:
    try:
        if by == "mixture":
            from crewe.atoms.counting.by_mixture import count_by_mixture

            return count_by_mixture(columns, progress=progress, **settings)
        if by == "library":
            from crewe.atoms.counting.by_library import count_by_library

            assert library is not None
            return count_by_library(columns, library, **settings)
        return count_by_curve(columns, library=library, progress=progress, **settings)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise PlanError(f"counting by {by} has no such setting: {error}") from error


def _for_all(counts: AtomCounts, rows: Any, total: int, warnings: list[str]) -> AtomCounts:
    """Return the counts of some rows as counts of a table of `total` rows."""
    known = np.zeros(total, bool)
    known[rows] = True
    left_out = counts.summary["n_left_out"] + total - len(rows)
    said = [*warnings, *(one for one in counts.summary["warnings"] if one not in warnings)]
    return AtomCounts(
        posterior=spread_out(counts.posterior, known, 0),
        curve=counts.curve,
        curve_std=counts.curve_std,
        spread=counts.spread,
        weights=counts.weights,
        summary={**counts.summary, "n_left_out": left_out, "warnings": said},
    )
