"""What must tie counts to their absolute number, and what contradicts the tie that was given."""

import numpy as np
from numpy.random import Generator

from crewe.atoms.counting.comb import CrossSections
from crewe.atoms.counting.curve_posterior import sample_curves
from crewe.atoms.counting.curve_samples import CurveSamples
from crewe.atoms.counting.curve_search import find_summits
from crewe.atoms.counting.thickness_curve import SIZE, Family, curve_means
from crewe.atoms.stamps import Array

SHIFTS = {-2: 0.05, -1: 0.2, 0: 0.5, 1: 0.2, 2: 0.05}
"""How probable it is that all counts are one or two off where nothing says how many atoms the
thinnest columns have. Real curves leave the family near zero atoms by up to a step and a half, and
do so smoothly, so that the data's own preference for one of these is worth nothing."""
ANY_SCALE = 1.0
CONTRADICTED = 5.0
"""Gain of log evidence of a free scale that chance hardly makes."""
AWAY = 1.5
"""Standard errors of the given scale within which another one is no contradiction."""


def shifted(posterior: Array) -> Array:
    """Posterior (N, K + 1) over counts that may all be off by a few; rows sum to 1."""
    total = np.zeros_like(posterior)
    last = posterior.shape[1] - 1
    for shift, probability in SHIFTS.items():
        moved = np.roll(posterior, shift, axis=1)
        if shift > 0:
            moved[:, :shift] = 0.0
        elif shift < 0:
            moved[:, last + 1 + shift :] = 0.0
        total += probability * moved
    return total / total.sum(axis=1, keepdims=True)


def better_scale(
    samples: CurveSamples, family: Family, data: CrossSections, rng: Generator
) -> float | None:
    """Factor on the given scale under which the data are far more probable; None without one.

    A narrow prior pulls the fit to the next comb within its reach, which may look quite sure.
    """
    if family.by_library:
        if family.breadth[SIZE] == 0:
            return None
        breadth = family.breadth.copy()
        breadth[SIZE] = ANY_SCALE
        free = family._replace(breadth=breadth)
    elif family.first_atom > 0:
        free = family._replace(first_atom_std=ANY_SCALE)
    else:
        return None
    found = sample_curves(find_summits(free, data)[0], free, data, rng)
    # The prior of a single atom's cross-section is not normalised among the others.
    price = 0.0 if family.by_library else np.log(ANY_SCALE / family.first_atom_std)
    if found.log_evidence - price < samples.log_evidence + CONTRADICTED:
        return None
    factor = float(np.exp(found.weights @ np.log(_scales(found.curves, free))))
    spread = family.breadth[SIZE] if family.by_library else family.first_atom_std
    return factor if abs(np.log(factor)) > AWAY * spread else None


def _scales(curves: Array, family: Family) -> Array:
    """Factor (n,) of each curve on the library, or on the cross-section of a single atom."""
    if family.by_library:
        return np.exp(curves[:, SIZE])
    means = np.empty(family.shape.size)
    firsts = np.empty(len(curves))
    for n, curve in enumerate(curves):
        curve_means(curve, family.shape, False, means)
        firsts[n] = means[1] - means[0]
    return np.maximum(firsts, 1e-6) / family.first_atom
