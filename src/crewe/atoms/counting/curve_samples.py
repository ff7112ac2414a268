"""Weighted samples of thickness curves, and how those of several families or opinions join."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from crewe.atoms.stamps import Array


@dataclass(frozen=True)
class CurveSamples:
    """Samples of curves."""

    curves: Array
    """Parameters (n, 7), see `Family`."""
    weights: Array
    """Posterior weights (n,), sum 1."""
    effective: float
    """Number of equally weighted samples that would say as much."""
    log_evidence: float
    """Logarithm of the probability of the data under the family, up to a common constant."""


def together(families: Sequence[CurveSamples]) -> CurveSamples:
    """Samples of several families, each as probable beforehand, weighted by its evidence."""
    logs = np.array([one.log_evidence for one in families])
    odds = np.exp(logs - logsumexp(logs))
    pairs = list(zip(odds, families, strict=True))
    return CurveSamples(
        curves=np.concatenate([one.curves for one in families]),
        weights=np.concatenate([odd * one.weights for odd, one in pairs]),
        effective=1 / float(np.sum([odd**2 / one.effective for odd, one in pairs])),
        log_evidence=float(logsumexp(logs)) - np.log(len(families)),
    )


def side_by_side(opinions: Sequence[CurveSamples]) -> CurveSamples:
    """Samples under assumptions between which the data shall not choose: each has the same say."""
    part = 1 / len(opinions)
    return CurveSamples(
        curves=np.concatenate([one.curves for one in opinions]),
        weights=np.concatenate([part * one.weights for one in opinions]),
        effective=1 / sum(part**2 / one.effective for one in opinions),
        log_evidence=float(np.mean([one.log_evidence for one in opinions])),
    )
