import numpy as np
import pytest

from crewe.specimens.cloud import AtomCloud
from crewe.training_sets.atom_map_columns import apparent_columns

FIELD, PIXEL = 20.0, 0.1


def columns_of(numbers, positions, resolution=0.5, visible=0.04, exponent=2.0):
    cloud = AtomCloud(
        np.asarray(numbers, np.uint8), np.asarray(positions, float), (FIELD, FIELD, 10.0)
    )
    return apparent_columns(cloud, exponent, FIELD, PIXEL, resolution, visible)


def test_atoms_behind_one_another_are_one_column():
    made = columns_of([78] * 5 + [8], [[5, 7, z] for z in range(5)] + [[5.01, 7, 9]])
    assert len(made.positions) == 1
    assert made.positions[0] == pytest.approx([7, 5], abs=1e-3)
    assert made.strength[0] == pytest.approx(5 * 78**2 + 8**2)
    assert made.atoms[0] == 6
    assert made.heaviest[0] == 78


def test_unresolved_columns_meet_at_their_weighted_centre():
    made = columns_of([20, 10], [[5.0, 7.0, 0], [5.3, 7.0, 0]])
    assert made.positions[0] == pytest.approx([7.0, 5.0 + 0.3 * 100 / 500])


def test_resolved_columns_stay_apart_and_are_sorted_by_y():
    made = columns_of([20, 10, 30], [[5.0, 7.0, 0], [5.6, 7.0, 0], [9, 1, 0]])
    assert made.positions.tolist() == [[1, 9], [7, 5], [7, 5.6]]


def test_a_chain_is_not_merged_into_one_long_column():
    made = columns_of([10] * 40, [[1 + 0.3 * i, 5, 0] for i in range(40)])
    assert np.diff(made.positions[:, 1]).min() > 0.3
    assert len(made.positions) >= 13


def test_weak_columns_beside_strong_ones_are_listed_but_not_visible():
    made = columns_of([78, 8, 8], [[5, 5, 0], [5, 7, 0], [5, 12, 0]], visible=0.1)
    assert made.visible.tolist() == [True, False, True]


@pytest.mark.parametrize(("x", "inside"), [(-0.051, 0), (-0.049, 1), (19.949, 1), (19.951, 0)])
def test_the_field_ends_at_the_rim_of_its_pixels(x, inside):
    assert len(columns_of([10], [[x, 5, 0]]).positions) == inside


def test_atoms_and_strength_are_conserved():
    rng = np.random.default_rng(2)
    numbers = rng.integers(1, 100, 3000)
    made = columns_of(numbers, rng.uniform(3, 17, (3000, 3)))
    assert made.atoms.sum() == 3000
    assert made.strength.sum() == pytest.approx((numbers**2.0).sum())


def test_an_empty_specimen_has_no_column():
    assert len(columns_of([], np.zeros((0, 3))).positions) == 0
