import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.cluster import Octahedron
from hypothesis import given
from hypothesis import strategies as st

from crewe.atoms.volume import coordination_numbers
from crewe.atoms.volume.coordination import first_minimum
from crewe.errors import SpecimenError


def test_an_octahedron_has_corners_edges_and_facets():
    number = coordination_numbers(Octahedron("Pt", 9, cutoff=0))
    count = dict(zip(*np.unique(number, return_counts=True), strict=True))
    # Six corners, twelve edges and eight {111} facets of a full octahedron of edge n.
    assert count == {4: 6, 7: 12 * 7, 9: 8 * 7 * 6 // 2, 12: 489 - 6 - 84 - 168}


def test_a_cube_face_of_fcc_has_eight_neighbours():
    slab = bulk("Pt", "fcc", a=3.92, cubic=True) * (6, 6, 6)
    number = coordination_numbers(slab)
    face = np.isclose(slab.positions[:, 2], 0) & (
        np.abs(slab.positions[:, :2] - 10).max(axis=1) < 5
    )
    assert set(number[face]) == {8}


@pytest.mark.parametrize(
    ("name", "structure", "neighbours"), [("Fe", "bcc", 8), ("Si", "diamond", 4), ("Po", "sc", 6)]
)
def test_the_first_minimum_lies_between_the_first_two_shells(name, structure, neighbours):
    crystal = bulk(name, structure, a=4.0, cubic=True) * (6, 6, 6)
    assert coordination_numbers(crystal).max() == neighbours


def test_places_that_scatter_keep_their_neighbours():
    crystal = bulk("Pt", "fcc", a=3.92, cubic=True) * (7, 7, 7)
    crystal.positions += np.random.default_rng(1).normal(0, 0.08, crystal.positions.shape)
    number = coordination_numbers(crystal)
    inside = (np.abs(crystal.positions - crystal.positions.mean(axis=0)) < 9).all(axis=1)
    assert (number[inside] == 12).mean() > 0.995


@given(st.integers(2, 30), st.integers(0, 2**32 - 1), st.floats(0.5, 8.0))
def test_neighbours_agree_with_counting_each_pair(size, seed, radius):
    places = np.random.default_rng(seed).uniform(0, 10, (size, 3))
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    expected = (apart <= radius).sum(axis=1) - 1
    found = coordination_numbers(Atoms(f"C{size}", places), radius)
    assert np.array_equal(found, expected)
    assert first_minimum(places) > 0


def test_few_atoms_and_wrong_radii():
    assert coordination_numbers(Atoms()).shape == (0,)
    assert coordination_numbers(Atoms("C")).tolist() == [0]
    assert coordination_numbers(Atoms("C2", [[0, 0, 0], [0, 0, 1.5]])).tolist() == [1, 1]
    with pytest.raises(SpecimenError, match="positive radius in Å, not 0"):
        coordination_numbers(Atoms("C"), 0.0)
