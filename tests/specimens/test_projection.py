import numpy as np
import pytest

from crewe.errors import SpecimenError
from crewe.specimens.cloud import AtomCloud, empty_cloud
from crewe.specimens.named import named_crystal
from crewe.specimens.projection import columns_of


def test_columns_of_platinum_along_001():
    cloud = named_crystal("Pt", (0, 0, 1), (19.0, 19.0, 39.0), offset=(0.5, 0.5, 0.5))
    columns = columns_of(cloud)
    # Half of a from one to the next, along x and y; ten cells deep.
    spacing = np.unique(np.round(np.diff(np.unique(np.round(columns.x, 4))), 3))
    np.testing.assert_allclose(spacing, 3.9231 / 2, atol=2e-3)
    assert set(columns.atoms.tolist()) == {10}
    np.testing.assert_allclose(columns.weight, 10 * 78.0**1.7)


def test_columns_are_found_again_after_jitter_and_shuffling():
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.arange(12) * 1.5, np.arange(9) * 1.3)
    sites = np.column_stack([x.ravel(), y.ravel()])
    depth = rng.integers(1, 40, len(sites))
    owner = rng.permutation(np.repeat(np.arange(len(sites)), depth))
    jitter = rng.uniform(-0.1, 0.1, (len(owner), 2))
    positions = np.column_stack([sites[owner] + jitter, rng.random(len(owner)) * 80])
    numbers = rng.integers(1, 90, len(owner)).astype(np.uint8)
    columns = columns_of(AtomCloud(numbers, positions, (20.0, 15.0, 80.0)), 0.4, gamma=2.0)
    assert len(columns.x) == len(sites)
    for m in range(len(columns.x)):
        members = columns.column == m
        assert len(set(owner[members])) == 1
        assert columns.atoms[m] == members.sum() == depth[owner[members][0]]
        assert columns.x[m] == pytest.approx(positions[members, 0].mean())
        assert columns.y[m] == pytest.approx(positions[members, 1].mean())
        assert columns.weight[m] == pytest.approx((numbers[members].astype(float) ** 2).sum())


def test_no_atoms_no_columns():
    columns = columns_of(empty_cloud((5.0, 5.0, 5.0)))
    assert [len(part) for part in columns] == [0] * 5


def test_one_atom_one_column():
    cloud = AtomCloud(np.array([6], np.uint8), np.array([[1.0, 2.0, 3.0]]), (5.0, 5.0, 5.0))
    columns = columns_of(cloud)
    assert (columns.x[0], columns.y[0], columns.atoms[0]) == (1.0, 2.0, 1)


def test_tolerance_must_be_positive():
    with pytest.raises(SpecimenError, match="positive tolerance"):
        columns_of(empty_cloud((1.0, 1.0, 1.0)), 0.0)
