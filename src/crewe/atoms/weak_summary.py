"""What a search for weak columns has found, in words and numbers."""

from typing import Any

import numpy as np
import pandas as pd

from crewe.atoms.fit import ColumnFit
from crewe.atoms.stamps import Array
from crewe.atoms.weak_search import Surroundings, Task

DOUBTFUL = 0.95
ROUGH = 1.2


def weak_summary(
    added: pd.DataFrame,
    fit: ColumnFit,
    task: Task,
    around: Surroundings,
    probability: Array,
    first: ColumnFit,
) -> dict[str, Any]:
    """Verdict, numbers, priors and warnings, as plain JSON-able values."""
    ratio = around.least_ratio()
    doubtful = int((probability < DOUBTFUL).sum())
    return {
        "verdict": _verdict(len(added), len(first.columns), doubtful, ratio, around),
        "n_known": len(first.columns),
        "n_added": len(added),
        "n_doubtful": doubtful,
        "n_edge": int(added["flag"].str.contains("edge").sum()) if len(added) else 0,
        "least_signal_to_noise": ratio,
        "least_height": ratio * around.lone_error,
        "excess_noise": around.excess,
        "noise": "counts" if task.counts else "auto",
        "prior_most": task.most,
        "prior_heights": [task.least, task.greatest],
        "prior_closest": task.closest,
        "prior_volume": around.volume,
        "warnings": _warnings(added, task, around, doubtful) + fit.summary["warnings"],
    }


def _verdict(added: int, known: int, doubtful: int, ratio: float, around: Surroundings) -> str:
    limit = (
        f"a lone column would be seen from a height of {ratio * around.lone_error:.3g} "
        f"({ratio:.1f} times its error)"
    )
    if not added:
        return f"no weak column beside the {known} known ones; {limit}"
    doubt = f", {doubtful} of them with a probability below {DOUBTFUL}" if doubtful else ""
    columns = "column" if added == 1 else "columns"
    return f"{added} weak {columns} beside the {known} known ones{doubt}; {limit}"


def _warnings(added: pd.DataFrame, task: Task, around: Surroundings, doubtful: int) -> list[str]:
    found = []
    if around.excess > ROUGH:
        found.append(
            f"the residual is {around.excess:.2f} times as rough as its noise at the size of a "
            "column; the evidence was weakened by as much, but columns of another shape than the "
            "fitted one can still be taken for weak ones beside them: look at the residual"
        )
    if len(added) >= task.most:
        found.append(f"as many columns were added as allowed ({task.most}): raise most")
    if len(added) and doubtful > 0.2 * len(added):
        found.append(f"{doubtful} of {len(added)} added columns are doubtful: use more dose")
    beside = int(added["flag"].str.contains("overlap").sum()) if len(added) else 0
    if beside:
        found.append(
            f"{beside} added columns stand so close to another that both may be one column of "
            "another shape"
        )
    if not task.counts and np.isfinite(around.excess):
        found.append(
            "the noise was read off the residual: with electrons_per_unit the evidence is surer"
        )
    return found
