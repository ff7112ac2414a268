import numpy as np
import pytest

from crewe.errors import RecipeError, SpecimenError
from crewe.specimens.crystals import RandomCrystal, random_crystal
from crewe.specimens.fill import fill_box
from crewe.specimens.nearest import nearest_image, plane_spacings
from crewe.specimens.space_groups import operations

PAPER = RandomCrystal()


def of_group(group, seed, **others):
    part = RandomCrystal.read({"space_group": group, **others})
    return random_crystal(part, np.random.default_rng(seed))


@pytest.mark.parametrize("group", [2, 14, 62, 88, 129, 148, 166, 194, 205, 216, 227, 230])
def test_symmetry_operations_map_the_crystal_onto_itself(group):
    crystal = of_group(group, seed=group, types={"integers": [1, 4]}).crystal
    spacings = plane_spacings(crystal.cell)
    for rotation, shift in zip(*operations(group), strict=True):
        image = crystal.scaled[0] @ rotation.T + shift
        same = crystal.scaled[crystal.numbers == crystal.numbers[0]]
        squared = min(
            nearest_image(*(image - atom), crystal.cell, spacings, 1.0, False)[0] for atom in same
        )
        assert squared < 1e-10


@pytest.mark.parametrize("seed", range(8))
def test_every_atom_has_an_image_under_every_operation(seed):
    drawn = random_crystal(PAPER, np.random.default_rng(seed))
    crystal = drawn.crystal
    rotations, shifts = operations(drawn.space_group)
    pick = np.random.default_rng(seed).integers(len(shifts), size=3)
    spacings = plane_spacings(crystal.cell)
    for m in pick:
        for atom, number in zip(crystal.scaled[::7], crystal.numbers[::7], strict=True):
            image = rotations[m] @ atom + shifts[m]
            near = [
                number == other_number
                for other, other_number in zip(crystal.scaled, crystal.numbers, strict=True)
                if nearest_image(*(image - other), crystal.cell, spacings, 1e-3, False)[0] < 1e-7
            ]
            assert near == [True]


def test_smallest_distance_is_that_of_the_filled_crystal():
    from scipy.spatial import cKDTree

    for seed in range(12):
        drawn = random_crystal(PAPER, np.random.default_rng(100 + seed))
        side = 20.0 + np.abs(drawn.crystal.cell).sum(axis=0).max()
        filled = fill_box(drawn.crystal, (side, side, side)).positions
        found = cKDTree(filled).query(filled, k=2)[0][:, 1].min()
        assert found == pytest.approx(drawn.smallest_distance, abs=1e-6)
        assert 0.95 - 1e-9 <= found <= 7.0 + 1e-9


def test_elements_and_groups_cover_their_ranges():
    rng = np.random.default_rng(3)
    crystals = [random_crystal(PAPER, rng) for _ in range(600)]
    types = np.bincount([len(drawn.elements) for drawn in crystals], minlength=17)[1:]
    # Sixteen numbers of types, equally likely: χ² with 15 degrees of freedom, 99.9 % at 37.7.
    assert (np.square(types - 37.5) / 37.5).sum() < 37.7
    for drawn in crystals:
        assert len(set(drawn.elements)) == len(drawn.elements)
        assert set(drawn.crystal.numbers.tolist()) == set(drawn.elements)
    groups = np.array([drawn.space_group for drawn in crystals])
    assert groups.min() <= 5
    assert groups.max() >= 226
    assert abs(groups.mean() - 115.5) < 4 * 230 / np.sqrt(12 * 600)
    elements = np.concatenate([drawn.elements for drawn in crystals])
    assert elements.min() == 1
    assert elements.max() == 103


def test_the_same_generator_gives_the_same_crystal():
    first, second = (random_crystal(PAPER, np.random.default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(first.crystal.scaled, second.crystal.scaled)


def test_merging_makes_special_positions():
    cell = {"lattice_parameter_angstrom": 4.0, "types": 1, "merge_distance_angstrom": 2.0}
    counts = [len(of_group(225, seed, **cell).crystal.numbers) for seed in range(20)]
    assert max(counts) < 192
    assert min(counts) in (4, 8)


def test_what_cannot_be_made_says_so():
    with pytest.raises(SpecimenError, match="space group 1 with 16 elements"):
        of_group(1, 0, types=16, lattice_parameter_angstrom=3.1, smallest_distance_angstrom=[3, 7])
    with pytest.raises(SpecimenError, match="not among those"):
        of_group(1, 0, types=3, element={"choice": [1, 2]})
    with pytest.raises(RecipeError, match="unknown key"):
        RandomCrystal.read({"elements": 3})
