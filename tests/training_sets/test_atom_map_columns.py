import numpy as np
import pytest

from crewe.simulation.projected_atoms import fine_image, gaussian_transfer, project
from crewe.specimens.cloud import AtomCloud
from crewe.training_sets.atom_map_columns import apparent_columns, with_visibility

FIELD, PIXEL = 20.0, 0.1


def cloud_of(numbers, positions):
    return AtomCloud(
        np.asarray(numbers, np.uint8), np.asarray(positions, float), (FIELD, FIELD, 10.0)
    )


def columns_of(numbers, positions, resolution=0.5, exponent=2.0):
    return apparent_columns(cloud_of(numbers, positions), exponent, FIELD, PIXEL, resolution)


def judged(numbers, positions, fwhm=1.0, fraction=0.1):
    """Columns of an image whose probe is a Gaussian."""
    cloud = cloud_of(numbers, positions)
    atoms = project(cloud, 2.0, round(FIELD / PIXEL), PIXEL)
    fine = fine_image(atoms, gaussian_transfer(atoms, fwhm / 2.355))
    columns = apparent_columns(cloud, 2.0, FIELD, PIXEL, fwhm / 2)
    return with_visibility(columns, fine, PIXEL, 0.25 * fwhm, fraction)


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


def test_kinds_of_weak_columns_beside_strong_ones_are_listed_but_not_visible():
    made = judged([78, 8], [[5, 5, 0], [5, 7, 0]])
    assert made.visible.tolist() == [True, False]
    assert judged([78, 30], [[5, 5, 0], [5, 7, 0]]).visible.all()


def test_a_weak_column_far_from_strong_ones_is_visible():
    made = judged([78, 30], [[5, 5, 0], [5, 12, 0]], fraction=0.5)
    assert made.visible.all()


def test_one_kind_is_judged_alike_over_the_whole_field():
    """Ratios from 0.09 to 0.12 on both sides of the limit: one answer, that of the median."""
    strong = [[x, 5, z] for x in range(2, 18, 3) for z in range(10)]
    weak = [[x, 6.5, z] for x in range(2, 18, 3) for z in range(9 + x % 4)]
    made = judged([60] * len(strong) + [19] * len(weak), strong + weak)
    of_kind = made.visible[made.heaviest == 19]
    assert of_kind.size == 6
    assert of_kind.all() or not of_kind.any()


def test_a_shoulder_without_a_maximum_of_its_own_is_not_visible():
    resolved = judged([40, 30], [[5, 5, 0], [5, 6.6, 0]])
    assert resolved.visible.tolist() == [True, True]
    shoulder = judged([40, 20], [[5, 5, 0], [5, 5.75, 0]])
    assert shoulder.visible.tolist() == [True, False]


def test_an_unresolved_dumbbell_is_one_column_between_its_halves():
    made = judged([14, 14], [[5, 5, 0], [5, 6.3, 0]], fwhm=1.8)
    assert made.positions.tolist() == [[pytest.approx(5.65), pytest.approx(5)]]
    assert made.visible.all()
    assert made.atoms[0] == 2
    assert made.strength[0] == pytest.approx(2 * 14**2)


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
