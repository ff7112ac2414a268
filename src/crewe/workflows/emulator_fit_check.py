"""What is wrong with pairs, before minutes of work on them."""

from __future__ import annotations

import numpy as np

from crewe.errors import ImageError, PlanError
from crewe.simulation.emulator.pairs import PairSet
from crewe.simulation.emulator.suitability import symbols
from crewe.workflows.emulator_plan import EmulatorFitPlan


def check_pairs(plan: EmulatorFitPlan, pairs: PairSet) -> None:
    """Look at every pair once.

    Raises PlanError for too few pairs and for elements that are not those of the atoms, ImageError
    for an empty multislice image.
    """
    by_image = plan.by == "image" or plan.select
    if by_image and len(pairs) < plan.folds:
        raise PlanError(
            f"{plan.pairs} holds {len(pairs)} pair{'s' * (len(pairs) != 1)}, too few for "
            f"{plan.folds} folds of images: give more pairs, or divide by block (--by block)"
        )
    known, every = set[int](), True
    for pair in pairs:
        if not np.ptp(pair.multislice) > 0:
            raise ImageError(f"pair {pair.name}: its multislice image is empty")
        if pair.numbers is None:
            every = False
        else:
            known |= {int(z) for z in pair.numbers}
    _check_elements(plan, known, every)


def _check_elements(plan: EmulatorFitPlan, known: set[int], every: bool) -> None:
    """Raise PlanError where given elements are not those of the atoms, as far as known."""
    given = set(plan.atomic_numbers())
    if not given or (given == known if every else given >= known):
        return
    what = "leave --element out" if every else "name those, too"
    raise PlanError(
        f"--element says {symbols(sorted(given))}, but {plan.pairs} holds atoms of "
        f"{symbols(sorted(known))}: {what}"
    )
