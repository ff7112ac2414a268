import numpy as np
from scipy.spatial import cKDTree

from crewe.specimens.stacking import stack_layers


def test_a_layer_is_the_turned_and_shifted_block_everywhere():
    """Distances within a layer are those of the periodic block, so each layer is a rigid copy."""
    rng = np.random.default_rng(0)
    block = rng.random((40, 3)) * [12.0, 12.0, 6.0]
    made = stack_layers(block, (12.0, 12.0, 6.0), (50.0, 40.0, 6.0), 1, 1.0, rng)
    periodic = cKDTree(block % [12, 12, 6], boxsize=[12.0, 12.0, 6.0])
    nearest = np.sort(periodic.query(block, k=2)[0][:, 1])
    inner = made[((made[:, :2] > 8) & (made[:, :2] < [42, 32])).all(axis=1)]
    found = cKDTree(made).query(inner, k=2)[0][:, 1]
    # Where the cut along z parts neighbours the distance grows; it never shrinks.
    assert found.min() >= nearest.min() - 1e-9
    assert np.isclose(found[:, None], nearest[None], atol=1e-9).any(axis=1).mean() > 0.5


def test_number_of_atoms_and_gaps():
    rng = np.random.default_rng(1)
    block = rng.random((200, 3)) * [10.0, 10.0, 5.0]
    box = (100.0, 80.0, 4 * 5.0 + 3 * 2.0)
    made = stack_layers(block, (10.0, 10.0, 5.0), box, 4, 2.0, rng)
    assert len(made) == np.round(len(made))
    assert abs(len(made) - 4 * 200 * 80) < 600
    height = made[:, 2] % 7.0
    assert height.max() <= 5.0 + 1e-9
    assert (made >= 0).all()
    assert (made < box).all()


def test_a_box_smaller_than_the_block():
    rng = np.random.default_rng(2)
    block = rng.random((1000, 3)) * [50.0, 50.0, 10.0]
    counts = [
        len(stack_layers(block, (50.0, 50.0, 10.0), (5.0, 5.0, 10.0), 1, 1.0, rng))
        for _ in range(300)
    ]
    assert np.mean(counts) == np.clip(np.mean(counts), 9.2, 10.8)
