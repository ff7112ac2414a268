"""One way of counting the columns of a real image, beside what StatSTEM stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from benchmarks.accuracy.counting_real_sets import Case
from crewe.atoms.counting.count import count_atoms
from crewe.atoms.counting.results import AtomCounts
from crewe.errors import CreweError

WAYS = {
    "curve": {"by": "curve"},
    "curve, thinnest of 1 atom": {"by": "curve", "least_count": 1},
    "hybrid": {"by": "hybrid"},
    "library, nearest": {"by": "library", "rule": "nearest"},
    "library, Bayes": {"by": "library", "rule": "bayes"},
    "mixture, ICL": {"by": "mixture"},
    "mixture, as many as StatSTEM": {"by": "mixture"},
}
WITH_LIBRARY = ("hybrid", "library, nearest", "library, Bayes")


@dataclass(frozen=True)
class Row:
    """One way of counting one table, beside what is stored."""

    case: Case
    way: str
    counts: AtomCounts | None
    refusal: str = ""

    def agreement(self) -> tuple[int, int, int] | None:
        """Columns that both count equally, within one atom, and farther apart."""
        if self.counts is None or self.case.stored is None:
            return None
        table = self.counts.add_to(self.case.columns, keep_undecided=True)
        ours = table["count"].to_numpy(dtype=float, na_value=np.nan)
        apart = np.abs(ours - self.case.stored)
        apart = apart[np.isfinite(apart)]
        return int((apart == 0).sum()), int((apart == 1).sum()), int((apart > 1).sum())


def count(case: Case, way: str, library: xr.DataArray | None = None, components: int = 0) -> Row:
    """Count one table one way; what crewe refuses is a row that says why."""
    settings = dict(WAYS[way])
    if way in WITH_LIBRARY:
        settings["library"] = library
    if way == "mixture, as many as StatSTEM":
        settings["components"] = components
    try:
        return Row(case, way, count_atoms(case.columns, **settings))
    except CreweError as error:
        return Row(case, way, None, str(error))
