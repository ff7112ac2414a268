"""Which emulator to take: the error of many plans on the same folds.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, Fig. 4:
models of 2 to 3654 terms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CalibrationError
from crewe.simulation.emulator.figures import CrossValidation
from crewe.simulation.emulator.fit import Progress
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.selection_file import Row, SelectionFile
from crewe.simulation.emulator.splits import Split, image_splits
from crewe.simulation.emulator.validation import validate_splits

if TYPE_CHECKING:
    import pandas as pd

PAPER_LARGEST_TERMS = 3654


def grid_plans(
    sizes: Sequence[int] = (1, 3, 5, 7),
    degrees: Sequence[int] = (1, 2, 3),
    logs: Sequence[bool] = (False, True),
    interactions: Sequence[bool] = (False, True),
    largest_terms: int = PAPER_LARGEST_TERMS,
    register: bool = True,
) -> list[EmulatorPlan]:
    """Plans of square grids of pixels as the paper scans them, the smallest first.

    Plans that are the same polynomial (degree 1 has no interactions) come once. Raises
    CalibrationError for even sizes and degrees below 1.
    """
    # One feature, or degree 1, leaves nothing to mix.
    different = {
        (size, degree, log, mixed and degree > 1 and size**2 + log > 1)
        for size, degree, log, mixed in product(sizes, degrees, logs, interactions)
    }
    plans = [
        EmulatorPlan(size=size, degree=degree, log=log, interactions=mixed, register=register)
        for size, degree, log, mixed in different
    ]
    small = [plan for plan in plans if plan.terms().count <= largest_terms]
    return sorted(small, key=lambda plan: (plan.terms().count, plan.size, plan.degree))


def scan_plans(
    pairs: Sequence[Pair],
    plans: Sequence[EmulatorPlan],
    *,
    rng: np.random.Generator,
    folds: int = 2,
    repeats: int = 2,
    path: str | Path | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Cross-validate each plan on the same folds of images; a row for each, see `plans_table`.

    With `path` rows are written as they are done, and plans whose rows are there already are not
    tested again: a long scan goes on where it was stopped, on the folds that it began with. Plans
    in the file that are not among `plans` stay out of the table. `progress` hears plans done and
    all. Raises ReadError for a file of other pairs, CalibrationError for folds that cannot be made.
    """
    splits = image_splits(len(pairs), folds, repeats, rng)
    file = SelectionFile(path, pairs, splits) if path is not None else None
    if file is not None:
        splits = file.splits
    kept = list(file.rows) if file is not None else []
    rows = []
    for done, plan in enumerate(plans):
        row = next((row for row in kept if row["plan"] == plan.to_dict()), None)
        if row is None:
            row = _tested(pairs, plan, splits, folds)
            if file is not None:
                file.add(row)
        rows.append(row)
        if progress is not None:
            progress(done + 1, len(plans))
    return plans_table(rows)


def plans_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Rows of a scan as a table, the fewest terms first.

    Columns: `features`, `size` (0 for smoothed features), `degree`, `log`, `interactions`,
    `terms`; `one_minus_r2` and `fractional_rms` over all held-out pixels, `spread` the standard
    deviation of 1 − R² over repeats (NaN for one), `standard_error` of 1 − R² from its spread over
    images, `excess` over the best plan's 1 − R² and its `excess_error`, from the differences image
    by image; `sufficient` where the excess is no more than its error; `plan`, the plan itself.
    """
    import pandas as pd

    if not rows:
        return pd.DataFrame()
    best = min(rows, key=lambda row: row["one_minus_r2"])
    table = pd.DataFrame([_columns(row, best) for row in rows])
    return table.sort_values(["terms", "one_minus_r2"], ignore_index=True)


def smallest_sufficient(table: pd.DataFrame) -> EmulatorPlan:
    """The plan of fewest terms within one standard error of the best.

    The error is that of the difference between both, image by image: images that are hard for
    every plan do not blur the comparison. Raises CalibrationError for an empty table.
    """
    if len(table) == 0:
        raise CalibrationError("there is no plan to choose from: scan some first")
    enough = table[table["sufficient"]]
    plan: EmulatorPlan = enough.sort_values(["terms", "one_minus_r2"]).iloc[0]["plan"]
    return plan


def _tested(pairs: Sequence[Pair], plan: EmulatorPlan, splits: Sequence[Split], folds: int) -> Row:
    found = validate_splits(pairs, plan, splits, kind="image", folds=folds, standard_errors=False)
    return {
        "plan": plan.to_dict(),
        "terms": found.terms,
        "one_minus_r2": found.one_minus_r2,
        "each_repeat": list(found.each_repeat),
        "image_errors": _image_errors(found),
    }


def _image_errors(found: CrossValidation) -> list[float]:
    """Share of 1 − R² that each image makes: their mean is 1 − R²."""
    table = found.per_image
    squares = table["fractional_rms"].to_numpy() ** 2 * table["pixels"].to_numpy()
    result: list[float] = (squares * len(table) / found.pixels).tolist()
    return result


def _columns(row: Row, best: Row) -> dict[str, Any]:
    plan = EmulatorPlan.from_dict(row["plan"])
    errors = np.array(row["image_errors"])
    apart = errors - np.array(best["image_errors"])
    repeats = row["each_repeat"]
    grid = plan.features == "neighbourhood"
    return {
        "features": plan.features,
        "size": plan.size if grid else 0,
        "degree": plan.degree,
        "log": plan.log if grid else "log" in plan.kinds,
        "interactions": plan.interactions,
        "terms": row["terms"],
        "one_minus_r2": row["one_minus_r2"],
        "fractional_rms": math.sqrt(row["one_minus_r2"]),
        "spread": float(np.std(repeats, ddof=1)) if len(repeats) > 1 else math.nan,
        "standard_error": _error_of_mean(errors),
        "excess": row["one_minus_r2"] - best["one_minus_r2"],
        "excess_error": _error_of_mean(apart),
        "sufficient": row["one_minus_r2"] - best["one_minus_r2"] <= _error_of_mean(apart),
        "plan": plan,
    }


def _error_of_mean(values: NDArray[np.float64]) -> float:
    if len(values) < 2:
        return 0.0
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))
