"""Coordination numbers: how many neighbours each atom has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks
from scipy.spatial import cKDTree

from crewe.atoms.stamps import Array
from crewe.errors import SpecimenError

if TYPE_CHECKING:
    from ase import Atoms

# Shells are told apart on a histogram with this many bins per nearest-neighbour distance,
BINS = 200
# smoothed by this many bins, up to this many nearest-neighbour distances.
SMOOTHING = 3.0
REACH = 1.9
# Atoms looked at to find the shells.
SAMPLE = 5000


def coordination_numbers(atoms: Atoms, radius: float | None = None) -> NDArray[np.int64]:
    """Number of neighbours (N,) of each atom within a radius in Å.

    Without a radius it is `first_minimum(atoms.positions)`. Bulk atoms of an fcc metal have 12,
    those of its {111} and {100} facets 9 and 8. No atoms give no numbers; periodic boundaries
    are not looked across. Raises SpecimenError unless the radius is positive.
    """
    places = atoms.positions
    if radius is not None and not radius > 0:
        raise SpecimenError(f"neighbours need a positive radius in Å, not {radius}")
    if len(places) < 2:
        return np.zeros(len(places), np.int64)
    if radius is None:
        radius = first_minimum(places)
    number = cKDTree(places).query_ball_point(places, radius, return_length=True)
    return np.asarray(number, np.int64) - 1


def first_minimum(places: Array) -> float:
    """Distance in Å between the first and the second shell of neighbours of places (N, 3).

    The minimum of the radial distribution between its first two peaks, the middle of it where it
    is flat; 1.3 nearest-neighbour distances where there is no second peak. Needs two places.
    """
    tree = cKDTree(places)
    nearest = float(np.median(tree.query(places, k=2)[0][:, 1]))
    step = max(1, len(places) // SAMPLE)
    pairs = cKDTree(places[::step]).sparse_distance_matrix(
        tree, REACH * nearest, output_type="ndarray"
    )
    distance = pairs["v"][pairs["v"] > 0] / nearest
    edges = np.arange(0, REACH, 1 / BINS)
    density, _ = np.histogram(distance, edges)
    middle = (edges[1:] + edges[:-1]) / 2
    radial = gaussian_filter1d(density / middle**2, SMOOTHING)
    peaks, _ = find_peaks(np.append(radial, 0.0), height=0.1 * radial.max())
    peaks = peaks[peaks > 0.8 * BINS]
    if len(peaks) < 2:
        return 1.3 * nearest
    between = radial[peaks[0] : peaks[1] + 1]
    low = np.flatnonzero(between <= between.min() + 1e-6 * radial.max())
    return float(middle[peaks[0] + low].mean() * nearest)
