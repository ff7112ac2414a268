"""How many images an emulator needs: learned from a few, tested on all others.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, "Model
assessment" (leave-out-X) and "Speed": five pairs do almost as well as ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from crewe.errors import CalibrationError
from crewe.simulation.emulator.fit import Progress
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.splits import Split, leave_out_splits
from crewe.simulation.emulator.validation import CrossValidation, validate_splits

if TYPE_CHECKING:
    import pandas as pd

TRAINING = (1, 2, 3, 5, 8, 10, 15)


def leave_out(
    pairs: Sequence[Pair],
    plan: EmulatorPlan | None = None,
    *,
    rng: np.random.Generator,
    training: Sequence[int] | None = None,
    repeats: int = 3,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Error as a function of the number of training images, a row for each number.

    Columns: `images` learned from, `repeats`, `one_minus_r2` and `fractional_rms` over all pixels
    of all others in all repeats, `median` and `spread` (standard deviation) of 1 − R² over repeats,
    each with images chosen anew. A median far below says that a few images may happen to hold
    nothing like the rest. By default `training` is as many of 1, 2, 3, 5, 8, 10 and 15 as leave an
    image to be tested on. `progress` hears fits done and all. Raises CalibrationError for numbers
    that leave none on one of the sides.
    """
    import pandas as pd

    count = len(pairs)
    wanted = [n for n in TRAINING if n < count] if training is None else sorted(set(training))
    if not wanted:
        raise CalibrationError(f"{count} pairs leave none to be tested on: more pairs are needed")
    splits = {number: leave_out_splits(count, number, repeats, rng) for number in wanted}
    total = len(wanted) * repeats
    rows = []
    for number, mine in splits.items():
        rows.append(_row(number, _validated(pairs, plan or EmulatorPlan(), mine)))
        if progress is not None:
            progress(len(rows) * repeats, total)
    return pd.DataFrame(rows)


def _validated(pairs: Sequence[Pair], plan: EmulatorPlan, splits: list[Split]) -> CrossValidation:
    return validate_splits(pairs, plan, splits, kind="image", folds=0, standard_errors=False)


def _row(number: int, found: CrossValidation) -> dict[str, float]:
    several = found.repeats > 1
    return {
        "images": number,
        "repeats": found.repeats,
        "one_minus_r2": found.one_minus_r2,
        "fractional_rms": found.fractional_rms,
        "median": float(np.median(found.each_repeat)),
        "spread": float(np.std(found.each_repeat, ddof=1)) if several else float("nan"),
    }
