"""How many components a mixture has: AIC, BIC and ICL.

The integrated classification likelihood adds to BIC twice the entropy of the posterior, so that
components that overlap count against a mixture: C. Biernacki, G. Celeux and G. Govaert, IEEE
Trans. Pattern Anal. Mach. Intell. 22 (2000) 719, doi:10.1109/34.865189; in atom counting A. De
Backer et al., Ultramicroscopy 134 (2013) 23, doi:10.1016/j.ultramic.2013.05.003.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, xlogy

from crewe.atoms.counting.mixture_em import DOSE_FITTED, LEAST_PART, variances_of

Array = NDArray[np.float64]


def mixture_posterior(values: Array, theta: Array) -> Array:
    """Probability (N, K) of each component for each value; with its own width, dose or not."""
    count = (len(theta) - 2) // 2
    variances = variances_of(theta, 1e-300)
    away = values[:, None] - theta[None, count : 2 * count]
    density = np.log(np.maximum(theta[:count], LEAST_PART)) - 0.5 * np.log(variances)
    density = density - 0.5 * away**2 / variances
    return np.exp(density - logsumexp(density, axis=1, keepdims=True))


def entropy(posterior: Array) -> float:
    """−Σ τ ln τ over all columns and components."""
    return -float(xlogy(posterior, posterior).sum())


def parameter_number(components: int, mode: int) -> int:
    """Numbers fitted: K − 1 parts, K means, the common width, and the dose where it is fitted."""
    return 2 * components + (mode == DOSE_FITTED)


def criteria(
    values: Array, thetas: list[Array], likelihoods: Array, mode: int
) -> dict[str, list[float]]:
    """AIC = 2p − 2 ln L, BIC = p ln N − 2 ln L and ICL = BIC + 2 entropy of each mixture.

    Lists over the mixtures: `components`, `icl`, `bic`, `aic`, `log_likelihood`.
    """
    numbers = [(len(theta) - 2) // 2 for theta in thetas]
    free = np.array([parameter_number(number, mode) for number in numbers])
    entropies = np.array([entropy(mixture_posterior(values, theta)) for theta in thetas])
    bic = free * np.log(len(values)) - 2 * likelihoods
    return {
        "components": [int(number) for number in numbers],
        "icl": (bic + 2 * entropies).tolist(),
        "bic": bic.tolist(),
        "aic": (2 * free - 2 * likelihoods).tolist(),
        "log_likelihood": np.asarray(likelihoods, dtype=float).tolist(),
    }


def local_minima(values: list[float]) -> list[int]:
    """Places of a list that lie below both neighbours; an end must be below its only one.

    The last place counts only as the lowest of all: a criterion that still falls there says that
    the list is too short, not that it has a minimum.
    """
    found = []
    for place, value in enumerate(values):
        before = values[place - 1] if place else np.inf
        after = values[place + 1] if place + 1 < len(values) else -np.inf
        if (value < before and value < after) or value == min(values):
            found.append(place)
    return found
