import numpy as np
import pytest
from scipy.spatial import cKDTree

from crewe.testing.zeolite import CELL_ANGSTROM, zeolite_cell, zeolite_phase


def bonds():
    """Vectors (silicon, 4, 3) to the oxygens nearest to each silicon, and their numbers."""
    numbers, positions = zeolite_cell()
    oxygen = positions[numbers == 8]
    tree = cKDTree(oxygen, boxsize=CELL_ANGSTROM)
    _, nearest = tree.query(positions[numbers == 14], k=4)
    vectors = oxygen[nearest] - positions[numbers == 14][:, None]
    return vectors - CELL_ANGSTROM * np.round(vectors / CELL_ANGSTROM), nearest


def angles(vectors):
    lengths = np.linalg.norm(vectors, axis=-1)
    cosines = np.einsum("nik,njk->nij", vectors, vectors)
    cosines /= lengths[:, :, None] * lengths[:, None, :]
    one, other = np.triu_indices(vectors.shape[1], 1)
    return np.degrees(np.arccos(cosines[:, one, other]))


def test_it_is_silica():
    numbers, positions = zeolite_cell()
    assert np.bincount(numbers)[[8, 14]].tolist() == [48, 24]
    assert positions.min() >= 0
    assert positions.max() < CELL_ANGSTROM


def test_every_silicon_is_in_a_regular_tetrahedron_of_oxygen():
    vectors, _ = bonds()
    lengths = np.linalg.norm(vectors, axis=-1)
    assert lengths.min() > 1.59
    assert lengths.max() < 1.63
    assert np.abs(angles(vectors) - 109.47).max() < 1


def test_every_oxygen_joins_two_silicons_at_a_wide_angle():
    vectors, nearest = bonds()
    joined = [vectors.reshape(-1, 3)[nearest.ravel() == oxygen] for oxygen in range(48)]
    assert all(len(ends) == 2 for ends in joined)
    wide = angles(-np.array(joined))
    assert wide.min() > 140
    assert wide.max() < 165


def test_the_channel_is_empty_and_the_phase_has_the_symmetry_of_the_square():
    phase = zeolite_phase(1, 120)
    # The oxygens at the rim of the pore are 3.4 Å from its middle.
    assert phase[52:69, 52:69].max() < 0.02 * phase.max()
    assert phase == pytest.approx(phase.T, abs=1e-9)
    assert np.roll(phase[::-1], 1, axis=0) == pytest.approx(phase, abs=1e-9)


def test_cells_repeat_and_thickness_adds_up():
    one = zeolite_phase(1, 60)
    assert np.array_equal(zeolite_phase(2, 60)[60:, :60], one)
    assert zeolite_phase(1, 60, cells_thick=3) == pytest.approx(3 * one)
