"""Amounts from counts and HAADF with all settings fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry.amounts import fuse_amounts
from crewe.chemistry.composition import (
    CompositionFit,
    Problem,
    averaged_signal,
    fit_composition,
    self_weighted,
)
from crewe.chemistry.guide import offset_and_scale, texture
from crewe.chemistry.kept_counts import keep_counts
from crewe.chemistry.measured import Measured, haadf_noise
from crewe.chemistry.operators import ElasticModel
from crewe.chemistry.translations import column_patterns
from crewe.errors import ImageError

if TYPE_CHECKING:
    import pandas as pd

Planes = NDArray[np.float32]

# Patterns of columns are found with a composition, and that with the patterns.
_ROUNDS = 2


@dataclass(frozen=True)
class Settings:
    """What a fusion leaves to choose."""

    prior: str
    """'composition', 'columns', 'spectra' (which does not look at HAADF) or 'amounts' (eq. 1)."""
    strength: float
    """Of the smoothing, without unit; the same at every dose."""
    gamma: float
    """HAADF rises with amounts to this power."""
    guide_smoothing_px: float
    """Sigma of the Gaussian that HAADF is smoothed with."""
    without_haadf: tuple[str, ...] = ()
    """Elements whose amounts, not composition, are smooth: HAADF says nothing about them."""


@dataclass(frozen=True)
class Estimate:
    """Amounts in counts, and how they came about."""

    amounts: Planes
    guide: Planes
    history: pd.DataFrame
    """Columns iteration, elastic, chemical, variation and total."""


def estimate(
    measured: Measured,
    settings: Settings,
    *,
    iterations: int = 400,
    threads: int = 1,
    watch: Callable[[Planes], float] | None = None,
) -> Estimate:
    """Return amounts (element, y, x) in counts that explain maps and HAADF together."""
    if settings.prior == "amounts":
        return _as_printed(measured, settings, iterations)
    guide = _guide(measured, settings)
    if settings.prior != "columns":
        fit = _fit(measured, guide, settings, iterations, threads, watch)
        return _finished(measured, guide, fit)
    if measured.translations is None:
        raise ImageError(
            "HAADF shows no columns that repeat: use the prior 'composition' or 'auto'"
        )
    expected = guide
    for _ in range(_ROUNDS):
        pattern = column_patterns(
            measured.signal, expected, measured.haadf, measured.translations, threads
        )
        with_pattern = _of_mean_one(guide * np.maximum(pattern, 0.0))
        with_pattern = _with_ones(with_pattern, measured, settings)
        fit = _fit(measured, with_pattern, settings, iterations, threads, watch)
        expected = guide * fit.composition
    return _finished(measured, with_pattern, fit)


def _guide(measured: Measured, settings: Settings) -> Planes:
    if settings.prior == "spectra":
        return np.ones_like(measured.counts)
    seen = texture(
        measured.haadf, settings.gamma, measured.haadf_offset, settings.guide_smoothing_px
    )
    guide = np.array(np.broadcast_to(seen, measured.counts.shape), np.float32)
    return _with_ones(guide, measured, settings)


def _with_ones(guide: Planes, measured: Measured, settings: Settings) -> Planes:
    """Return the guide, 1 everywhere for elements that HAADF says nothing about."""
    alone = [symbol in settings.without_haadf for symbol in measured.symbols]
    guide[alone] = 1.0
    return guide


def _fit(
    measured: Measured,
    guide: Planes,
    settings: Settings,
    iterations: int,
    threads: int,
    watch: Callable[[Planes], float] | None,
) -> CompositionFit:
    problem = Problem(measured.counts, guide, measured.background, measured.variance())
    return fit_composition(
        problem, settings.strength, iterations=iterations, threads=threads, watch=watch
    )


def _finished(measured: Measured, guide: Planes, fit: CompositionFit) -> Estimate:
    import pandas as pd

    terms = {
        "iteration": fit.iterations,
        "elastic": fit.watched,
        "chemical": fit.chemical,
        "variation": fit.variation,
        "total": fit.chemical + fit.variation,
    }
    amounts = keep_counts(guide * fit.composition, measured.signal)
    return Estimate(amounts, guide, pd.DataFrame(terms))


def _as_printed(measured: Measured, settings: Settings, iterations: int) -> Estimate:
    """Minimise eq. 1 with every term weighed by its noise and variation by the strength."""
    signal = np.maximum(measured.signal, 0.0)
    offset, scale = offset_and_scale(measured.haadf, signal, measured.numbers, settings.gamma)
    scale = max(scale, 1e-30)
    seen = averaged_signal(signal)
    level = self_weighted(seen, seen)[:, 0, 0]
    spread = measured.variance()
    chemical = 1.0 if spread is None else 1.0 / float(spread.mean())
    information = level if spread is None else np.square(level) * chemical
    amounts, history = fuse_amounts(
        measured.counts,
        np.asarray((measured.haadf - offset) / scale, np.float32),
        ElasticModel(measured.symbols, settings.gamma, "power"),
        haadf_weight=(scale / haadf_noise(measured.haadf)) ** 2,
        chemical_weight=chemical,
        variation_weight=settings.strength * np.sqrt(information) / level,
        likelihood="poisson" if measured.poisson else "least_squares",
        background=np.maximum(measured.background, 1e-3 * level[:, None, None]),
        iterations=iterations,
    )
    guide = np.ones_like(measured.counts)
    return Estimate(np.asarray(amounts, np.float32), guide, history)


def _of_mean_one(guide: Planes) -> Planes:
    mean = np.maximum(guide.mean((1, 2), keepdims=True), 1e-12)
    return np.ascontiguousarray(guide / mean, np.float32)
