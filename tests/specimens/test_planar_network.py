import numpy as np

from crewe.specimens.planar_network import flip_edges, triangular_rings


def checked(rings):
    """A triangulation of a torus, whatever was done to it."""
    half = np.arange(len(rings.origin))
    following = half - half % 3 + (half + 1) % 3
    np.testing.assert_array_equal(rings.twin[rings.twin], half)
    np.testing.assert_array_equal(rings.origin[rings.twin], rings.origin[following])
    np.testing.assert_allclose(rings.step[rings.twin], -rings.step, atol=1e-9)
    np.testing.assert_allclose(rings.step.reshape(-1, 3, 2).sum(axis=1), 0, atol=1e-9)
    np.testing.assert_array_equal(np.bincount(rings.origin), rings.degree)
    reached = rings.place[rings.origin] + rings.step - rings.place[rings.origin[following]]
    np.testing.assert_allclose(reached / rings.periods, np.rint(reached / rings.periods), atol=1e-9)


def test_perfect_lattice_is_consistent():
    rings = triangular_rings(6, 8)
    checked(rings)
    assert (rings.degree == 6).all()
    network = rings.network()
    assert (network.ring_sizes == 6).all()
    assert len(network.neighbours) == 2 * rings.count


def test_flips_keep_the_triangulation_and_the_rings():
    rings = triangular_rings(10, 10)
    done = flip_edges(rings, 500, np.random.default_rng(0))
    assert 20 < done < 500
    checked(rings)
    assert rings.degree.min() == 5
    assert rings.degree.max() == 7
    assert rings.degree.sum() == 6 * rings.count


def test_network_goes_round_in_the_same_periods():
    """Walking a bond out and back leads home; the images cancel."""
    rings = triangular_rings(8, 8)
    flip_edges(rings, 60, np.random.default_rng(1))
    network = rings.network()
    for atom in range(len(network.neighbours)):
        for other, image in zip(
            network.neighbours[atom], network.neighbour_images[atom], strict=True
        ):
            back = (network.neighbours[other] == atom) & (
                network.neighbour_images[other] == -image
            ).all(axis=1)
            assert back.sum() == 1
