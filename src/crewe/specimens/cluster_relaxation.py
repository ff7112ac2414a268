"""Atoms of a metal cluster pulled to sensible distances by a pair potential."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.specimens.cloud import Array

# Well of width 1/STIFFNESS nearest-neighbour distances, about that of fcc metals.
STIFFNESS = 5.0
CUTOFF = 2.2


def relax_cluster(
    positions: Array, held: NDArray[np.bool_], distance: float, steps: int = 400
) -> Array:
    """Quench atoms in a Morse potential with its minimum at a distance; return positions (n, 3).

    E = Σ (1 − e^{−s (r/d − 1)})² − 1 over pairs nearer than 2.2 d, with s = 5. Atoms `held` (n,)
    stay where they are. Descent with momentum that is dropped when it points uphill (Bitzek et
    al. 2006, doi:10.1103/PhysRevLett.97.170201), steps limited to a tenth of d. The quench ends
    in a near minimum: what was disordered stays so, but no two atoms overlap.
    """
    return distance * _quench(positions / distance, held, steps)


@njit(cache=True, nogil=True)
def _forces(positions: Array, force: Array) -> None:
    force[:] = 0.0
    for n in range(len(positions)):
        for m in range(n):
            dx = positions[n, 0] - positions[m, 0]
            dy = positions[n, 1] - positions[m, 1]
            dz = positions[n, 2] - positions[m, 2]
            squared = dx * dx + dy * dy + dz * dz
            if squared > CUTOFF * CUTOFF:
                continue
            r = max(np.sqrt(squared), 1e-6)
            # Below half a distance the wall is as steep as it gets: overlaps do not explode.
            wall = np.exp(-STIFFNESS * (max(r, 0.5) - 1.0))
            push = -2.0 * STIFFNESS * wall * (1.0 - wall) / r
            for axis in range(3):
                part = push * (positions[n, axis] - positions[m, axis])
                force[n, axis] += part
                force[m, axis] -= part


@njit(cache=True, nogil=True)
def _quench(start: Array, held: NDArray[np.bool_], steps: int) -> Array:
    positions, velocity = start.copy(), np.zeros_like(start)
    force = np.zeros_like(start)
    pace, mixing, downhill = 0.02, 0.1, 0
    for _ in range(steps):
        _forces(positions, force)
        for n in range(len(held)):
            if held[n]:
                force[n] = 0.0
        power = (force * velocity).sum()
        if power > 0.0:
            size = np.sqrt((velocity**2).sum() / max((force**2).sum(), 1e-300))
            velocity[:] = (1 - mixing) * velocity + mixing * size * force
            downhill += 1
            if downhill > 5:
                pace, mixing = min(1.1 * pace, 0.06), 0.99 * mixing
        else:
            velocity[:] = 0.0
            pace, mixing, downhill = max(0.5 * pace, 1e-3), 0.1, 0
        velocity += pace * force
        for n in range(len(positions)):
            length = pace * np.sqrt((velocity[n] ** 2).sum())
            if length > 0.1:
                velocity[n] *= 0.1 / length
        positions += pace * velocity
    return positions
