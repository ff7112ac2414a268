"""Minimise eq. 1 as printed: amounts whose elastic image, counts and variation fit together.

Accelerated proximal gradient with a curvature of its own for each pixel, in the manner of Beck
and Teboulle 2009, doi:10.1109/TIP.2009.2028250 (MFISTA): the cost never rises and no step has to
be chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crewe.chemistry import total_variation
from crewe.chemistry.cost import Cost, Terms, fusion_cost
from crewe.chemistry.operators import ElasticModel
from crewe.errors import ImageError

Array = NDArray[Any]

# A proximal problem is solved to this share of the last decrease of the cost.
SHARE_OF_DECREASE = 0.1
INNER_ITERATIONS = 50
# No pixel may be softer than this share of its map's mean curvature.
LEAST_CURVATURE = 1e-3
STIFFER, SOFTER, STIFFEST = 2.0, 0.9, 1e6


@dataclass
class _State:
    """What lives from one iteration to the next."""

    amounts: Array
    terms: Terms
    ahead: Array
    speed: float
    stiffness: float
    dual: Array
    decrease: float


def fuse_amounts(
    maps: Array,
    haadf: Array | None,
    model: ElasticModel,
    *,
    haadf_weight: float,
    chemical_weight: float,
    variation_weight: Any,
    likelihood: str = "poisson",
    background: Any = None,
    start: Array | None = None,
    iterations: int = 200,
    tolerance: float = 1e-5,
    progress: Callable[[str, float], None] | None = None,
) -> tuple[Array, pd.DataFrame]:
    """Return the amounts (n, y, x) that minimise eq. 1, and the history of its terms.

    Arguments are those of `fusion_cost`. `start` (n, y, x) is the counts less their background
    where not given; a coarser solution helps against spurious atoms. Stops when the cost falls,
    for three iterations on end, by less than `tolerance` of what it is above its lower bound, or
    after `iterations`. The history has columns iteration, elastic, chemical, variation (each
    weighted) and total, which never rises; row 0 is the start. `progress(stage, fraction)`.
    The cost is not convex for γ ≠ 1: what is found is a minimum near the start.

    Raises ImageError and PlanError as `fusion_cost`. Source: Schwartz et al. 2022, eqs. 1-3,
    doi:10.1038/s41524-021-00692-5.
    """
    cost = fusion_cost(
        maps,
        haadf,
        model,
        haadf_weight=haadf_weight,
        chemical_weight=chemical_weight,
        variation_weight=variation_weight,
        likelihood=likelihood,
        background=background,
    )
    state = _begin(cost, start)
    rows, quiet, least = [state.terms], 0, cost.least()
    for iteration in range(iterations):
        if not _descend(cost, state):
            break
        rows.append(state.terms)
        small = state.decrease <= tolerance * (state.terms.total - least)
        quiet = quiet + 1 if small else 0
        if progress is not None:
            progress("amounts", (iteration + 1) / iterations)
        if quiet == 3:
            break
    return state.amounts, _history(rows)


def _begin(cost: Cost, start: Array | None) -> _State:
    given = cost.counts - cost.background if start is None else np.asarray(start)
    if given.shape != cost.counts.shape or not np.all(np.isfinite(given)):
        raise ImageError(
            f"a start of shape {given.shape} must be finite and shaped as the maps, "
            f"{cost.counts.shape}"
        )
    amounts = np.maximum(given, 0).astype(cost.counts.dtype, order="C")
    terms = cost.terms(amounts)
    dual = np.zeros((len(amounts), 2, *amounts.shape[1:]), amounts.dtype)
    # The first proximal problem is solved roughly: to a share of all that there is.
    return _State(amounts, terms, amounts, 1.0, 1.0, dual, 0.1 * abs(terms.total))


def _descend(cost: Cost, state: _State) -> bool:
    """One step that lowers the cost; False where there is none."""
    while True:
        found, terms = _step(cost, state)
        if terms.total < state.terms.total:
            _advance(state, found, terms)
            return True
        if state.ahead is not state.amounts:
            state.ahead, state.speed = state.amounts, 1.0
        elif state.decrease > 1e-9 * abs(state.terms.total):
            state.decrease *= 0.1
        else:
            return False


def _advance(state: _State, found: Array, terms: Terms) -> None:
    """Take the step; look ahead along it, as far as momentum says and amounts allow."""
    faster = (1 + (1 + 4 * state.speed**2) ** 0.5) / 2
    ahead = found + (state.speed - 1) / faster * (found - state.amounts)
    state.decrease = state.terms.total - terms.total
    state.ahead = np.maximum(ahead, 0)
    state.amounts, state.terms, state.speed = found, terms, faster


def _step(cost: Cost, state: _State) -> tuple[Array, Terms]:
    """Proximal gradient step from the point ahead, as stiff as it must be for its model to hold."""
    value, gradient, curvature = cost.smooth_slope(state.ahead)
    np.maximum(curvature, _softest(curvature), out=curvature)
    state.stiffness = max(1.0, SOFTER * state.stiffness)
    while True:
        metric = curvature * state.stiffness
        solved = total_variation.prox(
            state.ahead - gradient / metric,
            cost.variation_weights,
            metric=metric,
            non_negative=True,
            tolerance=0.0,
            gap=SHARE_OF_DECREASE * state.decrease / len(metric),
            iterations=INNER_ITERATIONS,
            dual=state.dual,
        )
        state.dual = solved.dual
        away = solved.maps - state.ahead
        model = value + float(np.sum(gradient * away) + 0.5 * np.sum(metric * away * away))
        slack = float(np.finfo(metric.dtype).eps) * abs(value)
        terms = cost.terms(solved.maps)
        smooth = terms.elastic + terms.chemical
        if smooth <= model + slack or state.stiffness > STIFFEST:
            return solved.maps, terms
        state.stiffness *= STIFFER


def _softest(curvature: Array) -> Array:
    """Least curvature (n, 1, 1) of each map; an empty one takes that of all, or 1."""
    means = curvature.mean(axis=(1, 2), keepdims=True)
    means[means == 0] = curvature.mean() or 1.0
    return LEAST_CURVATURE * means


def _history(rows: list[Terms]) -> pd.DataFrame:
    columns = ("elastic", "chemical", "variation", "total")
    table = pd.DataFrame({name: [getattr(row, name) for row in rows] for name in columns})
    table.insert(0, "iteration", np.arange(len(rows)))
    return table
