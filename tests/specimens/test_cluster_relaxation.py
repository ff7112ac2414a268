import numpy as np
import pytest

from crewe.specimens.cluster_relaxation import relax_cluster


def test_a_pair_settles_at_its_distance():
    for start in (0.4, 0.8, 1.3):
        pair = np.array([[0.0, 0, 0], [start * 2.5, 0.1, 0]])
        settled = relax_cluster(pair, np.zeros(2, bool), 2.5)
        assert np.linalg.norm(settled[1] - settled[0]) == pytest.approx(2.5, abs=1e-3)
        # No force from outside: the centre of mass stays.
        np.testing.assert_allclose(settled.mean(axis=0), pair.mean(axis=0), atol=1e-9)


def test_four_atoms_make_a_tetrahedron():
    rng = np.random.default_rng(0)
    settled = relax_cluster(rng.random((4, 3)) * 3, np.zeros(4, bool), 2.774)
    gaps = np.linalg.norm(settled[:, None] - settled[None], axis=2)[np.triu_indices(4, 1)]
    np.testing.assert_allclose(gaps, 2.774, atol=5e-3)


def test_held_atoms_stay():
    rng = np.random.default_rng(1)
    start, held = rng.random((10, 3)) * 5, np.arange(10) < 4
    settled = relax_cluster(start, held, 2.5)
    np.testing.assert_allclose(settled[held], start[held], atol=1e-12)
    assert (np.linalg.norm(settled - start, axis=1)[~held] > 1e-3).all()
