"""From a network to the positions of its atoms in the plane."""

from __future__ import annotations

import numpy as np
from numba import njit

from crewe.specimens.cloud import Array, Index
from crewe.specimens.planar_network import Network

# Bond stretching against bond bending; for graphene bending is the softer by about this much.
BENDING = 0.25


def tutte_positions(network: Network, periods: Array) -> Array:
    """Put every atom in the middle of its three neighbours; no bonds cross then.

    Tutte 1963 (doi:10.1112/plms/s3-13.1.743), on a torus: a linear system with one atom held.
    """
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import spsolve

    size = len(network.neighbours)
    rows = np.repeat(np.arange(size), 3)
    right = (network.neighbour_images * periods).sum(axis=1)
    entries = np.concatenate([np.full(size, 3.0), np.full(3 * size, -1.0)])
    where = (
        np.concatenate([np.arange(size), rows]),
        np.concatenate([np.arange(size), network.neighbours.ravel()]),
    )
    laplacian = csc_array((entries, where), shape=(size, size))[1:, 1:]
    positions = np.zeros((size, 2))
    # The last digits depend on the processor's linear algebra.
    positions[1:] = np.round(spsolve(laplacian.tocsc(), right[1:]), 6)
    return positions


def relax(
    positions: Array, network: Network, periods: Array, bond_length: float, steps: int = 400
) -> Array:
    """Lower the strain of bonds and angles in fixed periods; return the positions (n, 2).

    E = Σ_bonds (r² − r0²)² + ¼ Σ_angles (r_i·r_j + r0²/2)², in units of r0. A fixed number of steps
    of FIRE: Bitzek et al. 2006, Phys. Rev. Lett. 97, 170201 (doi:10.1103/PhysRevLett.97.170201),
    so that the result is the same on every machine.
    """
    shifts = network.neighbour_images * periods / bond_length
    start = np.ascontiguousarray(positions / bond_length)
    return _descend(start, network.neighbours, shifts, steps) * bond_length


# Of FIRE, as its authors give them; the longest step suits the stiffness of a bond.
FIRST_STEP, LONGEST_STEP = 0.05, 0.25
MIXING, SLOWER, FASTER, LESS_MIXING, PATIENCE = 0.1, 0.5, 1.1, 0.99, 5


@njit(cache=True, nogil=True)
def _descend(positions: Array, neighbours: Index, shifts: Array, steps: int) -> Array:
    velocity = np.zeros_like(positions)
    step, mixing, downhill = FIRST_STEP, MIXING, 0
    for _ in range(steps):
        force = -_strain(positions, neighbours, shifts)[1]
        power = (force * velocity).sum()
        if power > 0:
            downhill += 1
            size = np.sqrt((velocity**2).sum() / max((force**2).sum(), 1e-300))
            velocity = (1 - mixing) * velocity + mixing * size * force
            if downhill > PATIENCE:
                step, mixing = min(step * FASTER, LONGEST_STEP), mixing * LESS_MIXING
        else:
            velocity = np.zeros_like(positions)
            step, mixing, downhill = step * SLOWER, MIXING, 0
        velocity += step * force
        positions = positions + step * velocity
    return positions


@njit(cache=True, nogil=True)
def _strain(positions: Array, neighbours: Index, shifts: Array) -> tuple[float, Array]:
    energy = 0.0
    slope = np.zeros_like(positions)
    arm = np.empty((3, 2))
    for n in range(len(positions)):
        for k in range(3):
            for axis in range(2):
                other = positions[neighbours[n, k], axis] + shifts[n, k, axis]
                arm[k, axis] = other - positions[n, axis]
        for k in range(3):
            # Each bond is met from both its ends, so half of it counts here.
            stretch = arm[k, 0] ** 2 + arm[k, 1] ** 2 - 1.0
            energy += 0.5 * stretch * stretch
            m = (k + 1) % 3
            bend = arm[k, 0] * arm[m, 0] + arm[k, 1] * arm[m, 1] + 0.5
            energy += BENDING * bend * bend
            for axis in range(2):
                pull = 2.0 * stretch * arm[k, axis]
                to_k, to_m = 2 * BENDING * bend * arm[m, axis], 2 * BENDING * bend * arm[k, axis]
                slope[neighbours[n, k], axis] += pull + to_k
                slope[neighbours[n, m], axis] += to_m
                slope[n, axis] -= pull + to_k + to_m
    return energy, slope
