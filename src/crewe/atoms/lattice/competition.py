"""Which lattice a column belongs to when several reach it."""

import numpy as np

from crewe.atoms.lattice.growth import AROUND, Grown
from crewe.atoms.lattice.placement import stretch
from crewe.atoms.lattice.pose import Crystal
from crewe.atoms.stamps import Array, Index

# What a local stretch of the cell counts against a misfit of the whole tolerance.
STRAIN = 10.0


def share_out(reached: list[tuple[Crystal, Grown]], around: Index) -> Index:
    """Lattice (N,) that places each column best, −1 for columns that none reaches.

    Compared are the misfit to what the neighbours in that lattice say, in parts of the
    tolerance, the local stretch of the cell, and the part of the nearest columns that no other
    lattice reaches.
    """
    inside = np.array([grown.site >= 0 for _, grown in reached])
    alone = inside & (inside.sum(axis=0) == 1)
    near = around[:, :AROUND]
    costs = [
        _cost(grown, crystal, alone[n][near].mean(axis=1))
        for n, (crystal, grown) in enumerate(reached)
    ]
    best = np.argmin(costs, axis=0)
    return np.where(inside.any(axis=0), best, -1).astype(np.int64)


def _cost(grown: Grown, crystal: Crystal, support: Array) -> Array:
    inside = np.flatnonzero(grown.site >= 0)
    strain = [stretch(crystal.vectors, vectors) for vectors in grown.vectors[inside]]
    cost = np.full(len(grown.site), np.inf)
    misfit = grown.error[inside] / crystal.tolerance
    cost[inside] = misfit - support[inside] + STRAIN * np.array(strain)
    return cost
