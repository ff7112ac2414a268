import numpy as np
import pytest
from scipy.spatial import cKDTree

from crewe.errors import SpecimenError
from crewe.specimens.amorphous_graphene import amorphous_graphene, random_network

DENSITY = 4 / (3 * np.sqrt(3) * 1.42**2)


def test_network_is_three_fold_with_rings_of_five_to_seven():
    positions, network, periods = random_network(60.0, 50.0, np.random.default_rng(0), 0.5)
    assert len(network.bonds) == 1.5 * len(positions)
    assert (np.bincount(network.bonds.ravel()) == 3).all()
    assert set(np.unique(network.ring_sizes)) == {5, 6, 7}
    # Euler on a torus: the mean ring has six sides.
    assert network.ring_sizes.mean() == 6
    assert 0.15 < (network.ring_sizes == 5).mean() < 0.35
    lengths = network.bond_lengths(positions, periods)
    assert lengths.mean() == pytest.approx(1.42)
    assert lengths.std() < 0.06
    assert lengths.min() > 1.2


def test_nearest_three_atoms_are_the_bonded_ones():
    positions, network, periods = random_network(60.0, 50.0, np.random.default_rng(1), 0.5)
    tree = cKDTree(positions % periods, boxsize=periods)
    near = tree.query(positions % periods, k=4)[1][:, 1:]
    same = [
        set(a) == set(b) for a, b in zip(near.tolist(), network.neighbours.tolist(), strict=True)
    ]
    assert np.mean(same) > 0.99


def test_without_flips_it_is_graphene():
    sheet = amorphous_graphene((40.0, 35.0, 5.0), np.random.default_rng(0), flips_per_ring=0.0)
    distance = cKDTree(sheet.positions).query(sheet.positions, k=2)[0][:, 1]
    np.testing.assert_allclose(distance, 1.42, atol=1.5e-3)
    assert len(sheet) == pytest.approx(DENSITY * 40 * 35, rel=0.04)


def test_sheet_covers_its_box_at_nearly_the_density_of_graphene():
    box = (70.0, 60.0, 8.0)
    sheet = amorphous_graphene(box, np.random.default_rng(2))
    assert (sheet.positions[:, 2] == 4.0).all()
    assert (sheet.positions >= 0).all()
    assert (sheet.positions < box).all()
    counts, _, _ = np.histogram2d(*sheet.positions[:, :2].T, bins=4, range=[[0, 70], [0, 60]])
    np.testing.assert_allclose(counts, DENSITY * 70 * 60 / 16, rtol=0.08)


def test_order_fades():
    """The lattice's Bragg spot fades: structure factor at the first reflection of graphene."""
    spot = 2 * np.pi / (1.5 * 1.42)

    def peak(flips):
        positions, _, periods = random_network(60.0, 60.0, np.random.default_rng(3), flips)
        order = np.rint(spot * periods[1] / (2 * np.pi))
        phase = 2j * np.pi * order / periods[1] * positions[:, 1]
        return np.abs(np.exp(phase).sum()) / len(positions)

    assert peak(0.0) > 0.4
    assert peak(0.5) < 0.17
    assert peak(1.0) < 0.1


def test_impossible_sheets_are_refused():
    with pytest.raises(SpecimenError, match="give positive"):
        amorphous_graphene((10.0, 10.0, 3.0), np.random.default_rng(0), flips_per_ring=-1.0)


def test_a_large_sheet_repeats_its_block_without_a_seam():
    sheet = amorphous_graphene((70.0, 50.0, 5.0), np.random.default_rng(3), block_angstrom=30.0)
    assert len(sheet) == pytest.approx(0.379 * 70 * 50, rel=0.06)
    inner = np.all((sheet.positions[:, :2] > 2) & (sheet.positions[:, :2] < (68, 48)), axis=1)
    distances = cKDTree(sheet.positions).query(sheet.positions[inner], k=4)[0][:, 1:]
    assert distances.min() > 1.0
    assert distances.max() < 1.9
