"""Beyond one polynomial: which to take, and how many images it needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.errors import PlanError
from crewe.simulation.emulator.leave_out import leave_out
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.selection import grid_plans, scan_plans
from crewe.workflows.emulator_plan import EmulatorFitPlan

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]
# Degrees that are tried with smoothed features; more have too many terms.
SMOOTHED_DEGREES = (1, 2, 3, 4)
# The scan and the images left out must not be the folds that the result is judged by.
SCAN, LEFT_OUT = 1, 2


def plans_to_try(plan: EmulatorFitPlan) -> list[EmulatorPlan]:
    """Polynomials of up to `largest_terms` terms, the smallest first.

    With a grid of any size and degree, with and without logarithm and products; with smoothed
    features of any degree, with and without products. Raises PlanError where none is so small.
    """
    given = plan.emulator_plan()
    if plan.features == "neighbourhood":
        plans = grid_plans(largest_terms=plan.largest_terms, register=given.register)
        plans = [replace(one, ridge=given.ridge) for one in plans]
    else:
        mixed = [(degree, both) for degree in SMOOTHED_DEGREES for both in (False, True)]
        every = [replace(given, degree=degree, interactions=both) for degree, both in mixed]
        # Of degree 1 there is nothing to mix.
        plans = [one for one in every if one.degree > 1 or not one.interactions]
        plans = [one for one in plans if one.terms().count <= plan.largest_terms]
        plans.sort(key=lambda one: one.terms().count)
    if not plans:
        raise PlanError(f"no polynomial has {plan.largest_terms} terms or fewer: allow more")
    return plans


def selection_table(
    plan: EmulatorFitPlan, pairs: Sequence[Pair], progress: Progress
) -> pd.DataFrame:
    """Cross-validate each plan to try on folds of images; see `scan_plans` for the columns."""
    return scan_plans(
        pairs,
        plans_to_try(plan),
        rng=np.random.default_rng([plan.seed, SCAN]),
        folds=plan.folds,
        repeats=plan.repeats,
        path=plan.scan,
        progress=progress,
    )


def leave_out_table(
    plan: EmulatorFitPlan, polynomial: EmulatorPlan, pairs: Sequence[Pair], progress: Progress
) -> pd.DataFrame:
    """Error as a function of the number of training images; see `leave_out` for the columns."""
    rng = np.random.default_rng([plan.seed, LEFT_OUT])
    return leave_out(pairs, polynomial, rng=rng, progress=progress)


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as JSON knows them; the plan of a row is told by its other columns."""
    kept = table.drop(columns="plan", errors="ignore")
    return [dict(plain(row)) for row in kept.to_dict(orient="records")]


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: what is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
