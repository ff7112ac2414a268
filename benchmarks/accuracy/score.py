"""From many estimates of one truth to one row of the table.

A column counts where it lies at least 1.5 spacings from the border. Scatter, bias
and reported errors are taken over the columns that were matched in at least two
thirds of the realisations; the bound is averaged over the same columns. Scatter is
the root mean over columns of the variance over realisations (denominator n − 1).
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.bound import Bound
from benchmarks.accuracy.estimate import Estimate
from benchmarks.accuracy.matching import match
from benchmarks.accuracy.synthetic import Lattice


@dataclass(frozen=True)
class Quantity:
    """How well x, y or the scattering cross-section is measured."""

    scatter: float
    """Observed standard deviation; in Å, or in Å² for a cross-section."""
    over_bound: float
    """Scatter divided by the Cramér–Rao bound."""
    bias: float
    """Mean of estimate − truth, in units of the scatter."""
    column_bias: float
    """Root mean square over columns of their own mean error, less what noise explains of it."""
    reported: float
    """Root mean square of the reported standard errors divided by the scatter; NaN if none."""


@dataclass(frozen=True)
class Score:
    """One method at one dose."""

    realisations: int
    scored_columns: int
    missed_percent: float
    invented_percent: float
    x: Quantity
    y: Quantity
    scs: Quantity
    find_cpu_per_thousand: float
    fit_cpu_per_thousand: float
    fit_wall_per_thousand: float


def score(lattice: Lattice, bound: Bound, estimates: list[Estimate]) -> Score:
    """Compare every estimate with the truth."""
    inside = lattice.inside(lattice.x, lattice.y)
    partners = np.array([_partner(lattice, estimate) for estimate in estimates])
    often = (partners >= 0).mean(axis=0) >= 2 / 3
    kept = inside & often
    names = {"x": lattice.x, "y": lattice.y, "scs": np.full(lattice.x.size, lattice.scs)}
    quantities = {
        name: _quantity(name, true[kept], getattr(bound, name)[kept], estimates, partners[:, kept])
        for name, true in names.items()
    }
    thousands = sum(estimate.x.size for estimate in estimates) / 1000
    invented = sum(map(_invented, [lattice] * len(estimates), estimates, partners))
    return Score(
        realisations=len(estimates),
        scored_columns=int(kept.sum()),
        missed_percent=100 * float((partners[:, inside] < 0).mean()),
        invented_percent=100 * invented / (len(estimates) * inside.sum()),
        find_cpu_per_thousand=sum(e.find_cpu for e in estimates) / thousands,
        fit_cpu_per_thousand=sum(e.fit_cpu for e in estimates) / thousands,
        fit_wall_per_thousand=sum(e.fit_wall for e in estimates) / thousands,
        **quantities,
    )


def _partner(lattice: Lattice, estimate: Estimate) -> np.ndarray:
    return match(np.stack([lattice.x, lattice.y], 1), np.stack([estimate.x, estimate.y], 1))


def _invented(lattice: Lattice, estimate: Estimate, partner: np.ndarray) -> int:
    alone = np.ones(estimate.x.size, dtype=bool)
    alone[partner[partner >= 0]] = False
    return int((alone & lattice.inside(estimate.x, estimate.y)).sum())


def _quantity(
    name: str, true: np.ndarray, bound: np.ndarray, estimates: list[Estimate], partners: np.ndarray
) -> Quantity:
    error = _matched(name, estimates, partners) - true
    reported = _matched(f"{name}_std", estimates, partners)
    variance = np.nanvar(error, axis=0, ddof=1)
    scatter = np.sqrt(variance.mean())
    column_means = np.nanmean(error, axis=0)
    by_noise = (variance / np.isfinite(error).sum(axis=0)).mean()
    column_bias = np.sqrt(max(0.0, (column_means**2).mean() - by_noise))
    return Quantity(
        scatter=float(scatter),
        over_bound=float(scatter / np.sqrt((bound**2).mean())),
        bias=float(np.nanmean(error) / scatter),
        column_bias=float(column_bias / scatter),
        reported=_root_mean_square(reported) / float(scatter),
    )


def _matched(name: str, estimates: list[Estimate], partners: np.ndarray) -> np.ndarray:
    """Return one row per realisation, NaN where the column was missed."""
    rows = []
    for estimate, partner in zip(estimates, partners, strict=True):
        values = np.append(getattr(estimate, name), np.nan)
        rows.append(np.where(partner >= 0, values[partner], np.nan))
    return np.array(rows)


def _root_mean_square(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(np.sqrt((finite**2).mean())) if finite.size else float("nan")
