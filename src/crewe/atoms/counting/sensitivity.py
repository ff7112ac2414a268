"""How often a mixture puts a column into another component than its own.

After A. De Backer et al., Ultramicroscopy 151 (2015) 56, doi:10.1016/j.ultramic.2014.11.028: the
overlap of neighbouring components, each within the range of values assigned to the other.
"""

import numpy as np
from numpy.typing import NDArray

from crewe.atoms.counting.criteria import mixture_posterior
from crewe.atoms.counting.mixture_em import variances_of

Array = NDArray[np.float64]

# Each component is sampled to six widths, finely enough that sums stand for integrals.
REACH, SAMPLES = 6.0, 2401


def confusion(theta: Array) -> Array:
    """Probability (K, K) that a column of component i (row) is assigned to j; rows sum to 1."""
    count = (len(theta) - 2) // 2
    away = np.linspace(-REACH, REACH, SAMPLES)
    density = np.exp(-0.5 * away**2)
    density /= density.sum()
    widths = np.sqrt(variances_of(theta, 1e-300))
    table = np.zeros((count, count))
    for k in range(count):
        values = theta[count + k] + widths[k] * away
        chosen = mixture_posterior(values, theta).argmax(axis=1)
        table[k] = np.bincount(chosen, weights=density, minlength=count)
    return table


def single_atom_sensitivity(theta: Array, most: int = 3) -> dict[str, object]:
    """Probability to be right, and to be off by 1, 2, … atoms, as plain values.

    `right` and `off_by` (list, from one atom on) are means over the columns as the mixture has
    them; `right_by_component` tells each component's own.
    """
    count = (len(theta) - 2) // 2
    table, parts = confusion(theta), theta[:count] / theta[:count].sum()
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    off = [
        float(parts @ np.where(apart == away, table, 0.0).sum(axis=1)) for away in range(most + 1)
    ]
    return {
        "right": off[0],
        "off_by": off[1:],
        "right_by_component": np.diag(table).tolist(),
    }
