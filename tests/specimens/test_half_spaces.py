import numpy as np
import pytest
from scipy.spatial import ConvexHull, Delaunay

from crewe.errors import SpecimenError
from crewe.specimens.cloud import AtomCloud
from crewe.specimens.half_spaces import HalfSpaces, cut
from crewe.specimens.orientation import random_rotation


@pytest.mark.parametrize("seed", range(5))
def test_hull_as_half_spaces_is_what_delaunay_says(seed):
    rng = np.random.default_rng(seed)
    corners = rng.normal(0, 5, (12, 3))
    planes = ConvexHull(corners).equations
    region = HalfSpaces(planes[:, :3], -planes[:, 3])
    points = rng.normal(0, 5, (5000, 3))
    expected = Delaunay(corners).find_simplex(points) >= 0
    np.testing.assert_array_equal(region.inside(points), expected)


def test_turning_and_moving_a_region_is_turning_and_moving_its_points():
    rng = np.random.default_rng(0)
    region = HalfSpaces(rng.normal(size=(5, 3)), rng.random(5) + 1)
    points, rotation, shift = rng.normal(0, 3, (500, 3)), random_rotation(rng), (1.0, -2.0, 3.0)
    moved = region.turned(rotation).moved(shift)
    np.testing.assert_array_equal(moved.inside(points @ rotation.T + shift), region.inside(points))


def test_kept_and_removed_atoms_are_all_atoms():
    rng = np.random.default_rng(1)
    cloud = AtomCloud(rng.integers(1, 90, 300).astype(np.uint8), rng.random((300, 3)), (1, 1, 1))
    region = HalfSpaces([[1, 0, 0]], [0.4]) & HalfSpaces([[0, 1, 0]], [0.7])
    inside, outside = cut(cloud, region), cut(cloud, region, keep=False)
    mask = (cloud.positions[:, 0] <= 0.4) & (cloud.positions[:, 1] <= 0.7)
    np.testing.assert_array_equal(inside.positions, cloud.positions[mask])
    np.testing.assert_array_equal(inside.numbers, cloud.numbers[mask])
    np.testing.assert_array_equal(outside.positions, cloud.positions[~mask])


def test_unequal_numbers_of_normals_and_offsets_are_refused():
    with pytest.raises(SpecimenError, match="as many offsets"):
        HalfSpaces(np.eye(3), [1.0])
