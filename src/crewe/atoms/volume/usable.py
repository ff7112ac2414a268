"""Which columns of a table can become atoms."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from crewe.atoms.stamps import Index
from crewe.errors import NoColumnsError, PlanError, SpecimenError

NEEDED = ("x", "y", "count", "lattice", "site", "cell_a", "cell_b")


class Usable(NamedTuple):
    """The columns that become atoms, and why the others do not."""

    rows: Index
    """Row numbers in the table."""
    counts: Index
    """Atoms in each of these columns."""
    left_out: dict[str, int]
    """Columns without a lattice or place, without a count, and empty ones; each counted once."""


def usable_columns(columns: pd.DataFrame, n_lattices: int) -> Usable:
    """Find the rows with a place, a lattice and at least one atom.

    Raises PlanError for a table without the needed columns or with lattices that are not given,
    SpecimenError for counts that are negative or no whole numbers, NoColumnsError if no row
    remains.
    """
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise PlanError(
            f"the table has no {', '.join(missing)}: index the columns against a unit cell and "
            "count their atoms first"
        )
    lattice = columns["lattice"].to_numpy(np.int64)
    if lattice.max(initial=-1) >= n_lattices:
        raise PlanError(
            f"the table speaks of lattice {lattice.max()}, but {n_lattices} are given: pass the "
            "lattices of the same indexing"
        )
    count = pd.to_numeric(columns["count"]).to_numpy(float, na_value=np.nan)
    _check_counts(count)
    placed = (lattice >= 0) & np.isfinite(columns[["x", "y"]].to_numpy(float)).all(axis=1)
    counted = placed & np.isfinite(count)
    full = counted & (np.nan_to_num(count) > 0)
    left_out = {
        "without lattice": int(np.count_nonzero(~placed)),
        "without count": int(np.count_nonzero(placed & ~counted)),
        "empty": int(np.count_nonzero(counted & ~full)),
    }
    if not full.any():
        reasons = ", ".join(f"{number} {reason}" for reason, number in left_out.items())
        raise NoColumnsError(
            f"none of the {len(columns)} columns can become atoms ({reasons}): count and index "
            "the columns first"
        )
    rows = np.flatnonzero(full)
    return Usable(rows, count[rows].astype(np.int64), left_out)


def _check_counts(count: np.ndarray) -> None:
    wrong = np.flatnonzero(np.isfinite(count) & ((count < 0) | (count != np.round(count))))
    if wrong.size:
        raise SpecimenError(
            f"row {wrong[0]} counts {count[wrong[0]]:g} atoms: counts are whole and not negative"
        )
