"""Columns on one line, which fix a lattice in one direction only."""

import numpy as np

from crewe.atoms.stamps import Array
from crewe.errors import PlanError

# Å by which columns must scatter across their longest direction, or they are a single row.
LEAST_ACROSS = 0.1


def check_two_directions(points: Array) -> None:
    """Raise PlanError where columns (N, 2) in Å all lie on one line."""
    across = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[1]
    if across < LEAST_ACROSS * len(points) ** 0.5:
        raise one_line(points)


def one_line(points: Array) -> PlanError:
    """What to say of columns (N, 2) in Å that lie on one line."""
    axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2]
    along, across = np.ptp(points @ axes.T, axis=0)
    return PlanError(
        f"all {len(points)} columns lie on one line, {along:.1f} Å long and {across:.2f} Å wide: a "
        "lattice needs columns in two directions; take a larger part of the image, or see "
        "whether columns were missed"
    )
