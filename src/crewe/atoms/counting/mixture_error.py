"""Standard errors of the means of a mixture, from the scores of the single columns.

The information is the sum of outer products of the columns' scores at the maximum: I. Meilijson,
J. R. Stat. Soc. B 51 (1989) 127, doi:10.1111/j.2517-6161.1989.tb01754.x.
"""

import numpy as np
from numpy.typing import NDArray

from crewe.atoms.counting.criteria import mixture_posterior
from crewe.atoms.counting.mixture_em import COMMON, DOSE_FITTED, variances_of

Array = NDArray[np.float64]


def standard_errors(values: Array, theta: Array, mode: int = COMMON) -> Array:
    """Standard error (K,) of each mean, parts and widths being fitted as well.

    Where the columns do not carry the information, the error is NaN: fewer columns than
    parameters, or components that coincide.
    """
    count = (len(theta) - 2) // 2
    scores = _scores(values, theta, mode)
    if scores.shape[0] <= scores.shape[1]:
        return np.full(count, np.nan)
    information = scores.T @ scores
    size = np.sqrt(np.diag(information))
    size[size == 0] = 1.0
    scaled = information / np.outer(size, size)
    if np.linalg.cond(scaled) > 1e12:
        return np.full(count, np.nan)
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(scaled))) / size)[:count]


def _scores(values: Array, theta: Array, mode: int) -> Array:
    """Derivatives (N, P) of each log-density by means, parts but the last, and variances."""
    count = (len(theta) - 2) // 2
    parts, means = theta[:count], theta[count : 2 * count]
    variances = variances_of(theta, 1e-300)
    posterior = mixture_posterior(values, theta)
    away = values[:, None] - means
    by_variance = 0.5 * posterior * (away**2 / variances - 1) / variances
    by_part = posterior / np.maximum(parts, 1e-300)
    columns = [
        posterior * away / variances + theta[-1] * by_variance,
        by_part[:, :-1] - by_part[:, -1:],
        by_variance.sum(axis=1, keepdims=True),
    ]
    if mode == DOSE_FITTED:
        columns.append((by_variance * means).sum(axis=1, keepdims=True))
    return np.concatenate(columns, axis=1)
