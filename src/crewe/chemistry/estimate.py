"""Amounts from counts and HAADF with all settings fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry.composition import CompositionFit, Problem, fit_composition
from crewe.chemistry.guide import texture
from crewe.chemistry.kept_counts import keep_counts
from crewe.chemistry.measured import Measured
from crewe.chemistry.translations import column_patterns

Planes = NDArray[np.float32]

# Patterns of columns are found with a composition, and that with the patterns.
_ROUNDS = 2


@dataclass(frozen=True)
class Settings:
    """What a fusion leaves to choose."""

    prior: str
    """'composition', 'columns' or 'spectra' (which does not look at HAADF)."""
    strength: float
    """Of the smoothing, without unit; the same at every dose."""
    gamma: float
    """HAADF rises with amounts to this power."""
    guide_smoothing_px: float
    """Sigma of the Gaussian that HAADF is smoothed with."""


@dataclass(frozen=True)
class Estimate:
    """Amounts in counts, and how they came about."""

    amounts: Planes
    guide: Planes
    fit: CompositionFit


def estimate(
    measured: Measured,
    settings: Settings,
    *,
    iterations: int = 200,
    watch: Callable[[Planes], float] | None = None,
) -> Estimate:
    """Return amounts (element, y, x) in counts that explain maps and HAADF together."""
    guide = _guide(measured, settings)
    if settings.prior != "columns":
        return _with_guide(measured, guide, settings, iterations, watch)
    if measured.translations is None:
        raise ValueError("columns need translations")
    expected = guide
    for _ in range(_ROUNDS):
        pattern = column_patterns(measured.signal, expected, measured.haadf, measured.translations)
        with_pattern = _of_mean_one(guide * np.maximum(pattern, 0.0))
        result = _with_guide(measured, with_pattern, settings, iterations, watch)
        expected = guide * result.fit.composition
    return result


def _guide(measured: Measured, settings: Settings) -> Planes:
    if settings.prior == "spectra":
        return np.ones_like(measured.counts)
    seen = texture(
        measured.haadf, settings.gamma, measured.haadf_offset, settings.guide_smoothing_px
    )
    return np.ascontiguousarray(np.broadcast_to(seen, measured.counts.shape))


def _with_guide(
    measured: Measured,
    guide: Planes,
    settings: Settings,
    iterations: int,
    watch: Callable[[Planes], float] | None,
) -> Estimate:
    problem = Problem(measured.counts, guide, measured.background, measured.variance())
    fit = fit_composition(problem, settings.strength, iterations=iterations, watch=watch)
    amounts = keep_counts(guide * fit.composition, measured.signal)
    return Estimate(amounts, guide, fit)


def _of_mean_one(guide: Planes) -> Planes:
    mean = np.maximum(guide.mean((1, 2), keepdims=True), 1e-12)
    return np.ascontiguousarray(guide / mean, np.float32)
