"""The cost of eq. 1: elastic misfit, chemical misfit and total variation, each with its weight.

Schwartz et al. 2022, doi:10.1038/s41524-021-00692-5.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry import total_variation
from crewe.chemistry.likelihoods import (
    least_poisson_cost,
    poisson_cost,
    poisson_slope,
    squares_cost,
)
from crewe.chemistry.operators import ElasticModel
from crewe.errors import ImageError, PlanError

Array = NDArray[Any]

LIKELIHOODS = ("poisson", "least_squares")
# Share of a map's mean that keeps log(x + ε) finite where no background is known.
EPSILON_SHARE = 1e-3


@dataclass(frozen=True)
class Terms:
    """The three terms of eq. 1, each multiplied with its weight."""

    elastic: float
    chemical: float
    variation: float

    @property
    def total(self) -> float:
        """Their sum, what is minimised."""
        return self.elastic + self.chemical + self.variation


@dataclass(frozen=True)
class Cost:
    """λ₀·½‖A xᵞ − b_H‖² + λ₁ Σ(x − b log(x + ε)) + Σₑ λ₂ TV(xₑ), over amounts x (n, y, x) ≥ 0.

    Make it with `fusion_cost`, which checks. `counts` b and `background` ε are (n, y, x),
    `signals` b_H (rows, y, x) or None, `variation_weights` λ₂ (n,). Least squares has
    ½Σ(x + ε − b)² in the middle. All values and derivatives are weighted.
    """

    counts: Array
    background: Array
    signals: Array | None
    model: ElasticModel
    haadf_weight: float
    chemical_weight: float
    variation_weights: NDArray[np.float64]
    likelihood: str

    def terms(self, amounts: Array) -> Terms:
        """The three terms; the chemical one is ∞ where counts meet x + ε = 0."""
        variation = np.dot(self.variation_weights, total_variation.value(amounts))
        return Terms(self._elastic(amounts), self._chemical(amounts), float(variation))

    def smooth(self, amounts: Array) -> float:
        """The first two terms, those that have a gradient."""
        return self._elastic(amounts) + self._chemical(amounts)

    def smooth_slope(self, amounts: Array) -> tuple[float, Array, Array]:
        """First two terms, their gradient (eqs. 2 and 3) and a curvature for steps, (n, y, x).

        The curvature is a diagonal, not negative, that is at least the Hessian at x (but for
        what is infinite at x = 0), and enough for most steps from there.
        """
        value, gradient, curvature = 0.0, np.zeros_like(amounts), np.zeros_like(amounts)
        if self.signals is not None and self.haadf_weight > 0:
            value, gradient, curvature = self.model.misfit_and_slope(amounts, self.signals)
            value *= self.haadf_weight
            gradient *= self.haadf_weight
            curvature *= self.haadf_weight
        if self.likelihood == "poisson":
            weight = float(self.chemical_weight)
            given = (amounts, self.counts, self.background)
            value += weight * poisson_slope(*given, weight, gradient, curvature)
            return value, gradient, curvature
        gradient += self.chemical_weight * (amounts + self.background - self.counts)
        curvature += self.chemical_weight
        return value + self._chemical(amounts), gradient, curvature

    def gradient(self, amounts: Array) -> Array:
        """Gradient (n, y, x) of the first two terms, eqs. 2 and 3."""
        return self.smooth_slope(amounts)[1]

    def hessian(self, amounts: Array) -> NDArray[np.float64]:
        """Second derivatives (n, n, y, x) of the first two terms, one block per pixel: eq. 4.

        Where x is 0 and γ < 2 the part with xᵞ⁻², there infinite, is left out.
        """
        n = len(amounts)
        blocks = np.zeros((n, *amounts.shape))
        if self.signals is not None and self.haadf_weight > 0:
            blocks = self.haadf_weight * self.model.hessian(amounts, self.signals)
        each = np.arange(n)
        if self.likelihood == "poisson":
            expected = amounts.astype(np.float64) + self.background
            there = self.counts > 0
            curve = np.divide(self.counts, expected**2, out=np.zeros_like(expected), where=there)
            blocks[each, each] += self.chemical_weight * curve
        else:
            blocks[each, each] += self.chemical_weight
        return blocks

    def least(self) -> float:
        """A bound from below: no misfit, no variation, and amounts that are the counts."""
        if self.likelihood == "poisson":
            return self.chemical_weight * least_poisson_cost(self.counts, self.background)
        return 0.0

    def _elastic(self, amounts: Array) -> float:
        if self.signals is None or self.haadf_weight == 0:
            return 0.0
        return self.haadf_weight * self.model.misfit(amounts, self.signals)

    def _chemical(self, amounts: Array) -> float:
        if self.likelihood == "poisson":
            return self.chemical_weight * poisson_cost(amounts, self.counts, self.background)
        return self.chemical_weight * squares_cost(amounts, self.counts, self.background)


def fusion_cost(
    maps: Array,
    haadf: Array | None,
    model: ElasticModel,
    *,
    haadf_weight: float,
    chemical_weight: float,
    variation_weight: Any,
    likelihood: str = "poisson",
    background: Any = None,
) -> Cost:
    """Check what belongs to eq. 1 and return its cost.

    `maps` (n, y, x) counts, in the order of the model's elements; `haadf` (y, x) or (rows, y, x),
    or None. `background`: mean background counts ε, a number, (n,) or (n, y, x); None means none,
    but for a thousandth of each map's mean under "poisson", which keeps the logarithm finite.
    `variation_weight` is one number or one per element. float32 maps stay float32.

    Raises ImageError for NaN, shapes that do not fit or negative counts under "poisson",
    PlanError for an unknown likelihood or a weight that is negative.
    """
    if likelihood not in LIKELIHOODS:
        raise PlanError(f"likelihood {likelihood!r} is unknown; known are {', '.join(LIKELIHOODS)}")
    counts = _counts(maps, model, likelihood)
    weights = (haadf_weight, chemical_weight, *np.ravel(variation_weight))
    if not np.all(np.isfinite(weights)) or min(weights) < 0:
        raise PlanError(f"weights of the cost are finite and 0 or more; given were {weights}")
    if np.size(variation_weight) not in (1, len(counts)):
        raise PlanError(f"{np.size(variation_weight)} weights of variation: give one per element")
    return Cost(
        counts,
        _background(background, counts, likelihood),
        _signals(haadf, model, counts),
        model,
        float(haadf_weight),
        float(chemical_weight),
        np.array(np.broadcast_to(variation_weight, (len(counts),)), np.float64),
        likelihood,
    )


def _counts(maps: Array, model: ElasticModel, likelihood: str) -> Array:
    given = np.asarray(maps)
    if given.ndim != 3 or len(given) != len(model.elements):
        raise ImageError(
            f"maps of shape {given.shape} do not fit the {len(model.elements)} elements "
            f"{', '.join(model.elements)}: give (element, y, x)"
        )
    if not np.all(np.isfinite(given)):
        raise ImageError("maps have NaN or infinite counts: crop or fill them first")
    if likelihood == "poisson" and given.min() < 0:
        raise ImageError(
            f"counts cannot be negative; the least is {given.min():g}. Where a background was "
            "taken off, give it as `background` or use likelihood 'least_squares'"
        )
    kind = np.float32 if given.dtype == np.float32 else np.float64
    return np.ascontiguousarray(given, kind)


def _background(background: Any, counts: Array, likelihood: str) -> Array:
    means = counts.mean(axis=(1, 2), dtype=np.float64)
    if background is None:
        background = EPSILON_SHARE * means if likelihood == "poisson" else 0.0
    given = np.asarray(background, counts.dtype)
    given = given[:, None, None] if given.ndim == 1 else given
    if given.shape not in ((), (len(counts), 1, 1), counts.shape):
        raise ImageError(f"background of shape {given.shape} does not fit maps {counts.shape}")
    if not np.all(given >= 0):
        raise ImageError("mean background counts are 0 or more, and known everywhere")
    return np.array(np.broadcast_to(given, counts.shape), order="C")


def _signals(haadf: Array | None, model: ElasticModel, counts: Array) -> Array | None:
    if haadf is None:
        return None
    given = np.asarray(haadf)
    given = given[None] if given.ndim == 2 else given
    if given.shape != (len(model.weights), *counts.shape[1:]):
        raise ImageError(
            f"elastic images of shape {given.shape} do not fit maps of {counts.shape[1:]} pixels "
            f"and a model of {len(model.weights)} rows"
        )
    if not np.all(np.isfinite(given)):
        raise ImageError("the elastic images have NaN: crop or fill them first")
    return np.ascontiguousarray(given, counts.dtype)
