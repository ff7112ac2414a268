"""How near fitted columns come to those of the noise-free image.

Equations 2.21 to 2.23 of T. Friedrich, PhD thesis, University of Antwerp 2023.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.quantification_networks_images import Estimates
from crewe.atoms import mean_confidence_interval

BORDER = 2.5
"""Columns nearer than this to the border (Å) are not scored."""
CORE_RADIUS = 8.0
"""Columns within this of the dislocation line (Å) are scored in that case; about fifty."""


@dataclass(frozen=True)
class Reference:
    """Columns as a fit of the noise-free image gives them, with their true atom counts."""

    x: np.ndarray
    """Å."""
    y: np.ndarray
    """Å."""
    scs: np.ndarray
    """Å²."""
    atoms: np.ndarray
    scored: np.ndarray
    """Which columns count."""


@dataclass(frozen=True)
class Mean:
    """A mean over realisations and half its 95 % confidence interval."""

    value: float
    half: float

    def __str__(self) -> str:
        digits = 0 if self.value >= 100 else (1 if self.value >= 10 else 2)
        return f"{self.value:.{digits}f} ± {self.half:.{digits}f}"


@dataclass(frozen=True)
class Score:
    """What one kind of image gives at one dose."""

    position_pm: Mean
    """Mean absolute error of the position."""
    aligned_pm: Mean
    """The same after the shift that all columns of an image share is taken off."""
    scs_percent: Mean
    """Mean absolute percentage error of the cross-section."""
    scs_bias_percent: float
    """Mean of estimate over truth less one."""
    counted_percent: Mean
    """Columns whose atoms are counted right with the library of the noise-free image."""
    position_scatter: float
    """Root mean variance over realisations of x, Å."""
    scs_scatter: float
    """The same of the cross-section, Å²."""


def score(found: Estimates, reference: Reference) -> Score:
    """Compare all realisations with the reference."""
    kept = reference.scored
    truth = np.stack([reference.x, reference.y], axis=1)[kept]
    away = found.places[:, kept] - truth
    shift = away.mean(axis=1, keepdims=True)
    relative = found.scs[:, kept] / reference.scs[kept] - 1
    right = counts(found.scs[:, kept], reference) == reference.atoms[kept]
    return Score(
        position_pm=_mean(100 * np.linalg.norm(away, axis=2)),
        aligned_pm=_mean(100 * np.linalg.norm(away - shift, axis=2)),
        scs_percent=_mean(100 * np.abs(relative)),
        scs_bias_percent=100 * float(relative.mean()),
        counted_percent=_mean(100 * right),
        position_scatter=float(np.sqrt(found.x[:, kept].var(axis=0, ddof=1).mean())),
        scs_scatter=float(np.sqrt(found.scs[:, kept].var(axis=0, ddof=1).mean())),
    )


def counts(scs: np.ndarray, reference: Reference) -> np.ndarray:
    """Return the count whose library value, the mean noise-free cross-section, lies nearest."""
    known = np.unique(reference.atoms)
    library = np.array([reference.scs[reference.atoms == n].mean() for n in known])
    return known[np.abs(scs[..., None] - library).argmin(axis=-1)]


def _mean(values: np.ndarray) -> Mean:
    """Mean over columns in each realisation (realisation, column), then over realisations."""
    each = values.mean(axis=1)
    low, high = mean_confidence_interval(each)
    return Mean(float(each.mean()), 0.5 * (high - low))
