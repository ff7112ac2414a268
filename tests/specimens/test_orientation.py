import numpy as np
import pytest
from scipy.stats import kstest

from crewe.errors import SpecimenError
from crewe.specimens.orientation import (
    MAIN_ZONE_AXES,
    about_z,
    along_zone_axis,
    near_zone_axis,
    random_rotation,
    tilted,
)
from crewe.specimens.space_groups import cell_vectors

TRICLINIC = cell_vectors(4.0, 5.0, 7.0, 70.0, 80.0, 110.0)


def assert_rotation(matrix):
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


@pytest.mark.parametrize("axis", MAIN_ZONE_AXES)
def test_zone_axis_of_any_lattice_comes_to_lie_along_z(axis):
    rotation = along_zone_axis(TRICLINIC, axis)
    assert_rotation(rotation)
    turned = rotation @ (np.array(axis) @ TRICLINIC)
    np.testing.assert_allclose(turned[:2], 0, atol=1e-12)
    assert turned[2] > 0


def test_chosen_direction_points_along_x():
    rotation = along_zone_axis(np.eye(3), (1, 1, 2), up=(1, 1, -1))
    np.testing.assert_allclose(rotation @ [1, 1, -1], [np.sqrt(3), 0, 0], atol=1e-12)


def test_eight_axes_all_different():
    assert len(set(MAIN_ZONE_AXES)) == 8


def test_senseless_axes_are_refused():
    with pytest.raises(SpecimenError, match="no direction"):
        along_zone_axis(np.eye(3), (0, 0, 0))
    with pytest.raises(SpecimenError, match="cannot point along x"):
        along_zone_axis(np.eye(3), (0, 0, 1), up=(0, 0, 2))


def test_rotation_about_z_goes_from_x_to_y():
    np.testing.assert_allclose(about_z(90.0) @ [1, 0, 0], [0, 1, 0], atol=1e-12)


def test_tilt_tips_z_by_its_angle_towards_its_direction():
    tipped = tilted(10.0, 30.0) @ [0, 0, 1]
    assert np.degrees(np.arccos(tipped[2])) == pytest.approx(10.0)
    assert np.degrees(np.arctan2(tipped[1], tipped[0])) == pytest.approx(30.0)


def test_random_rotations_are_uniform():
    """Haar measure: rotated axes uniform on the sphere, angle density (1 − cos ω)/π."""
    rng = np.random.default_rng(1)
    rotations = np.array([random_rotation(rng) for _ in range(4000)])
    for matrix in rotations[:10]:
        assert_rotation(matrix)
    for row in range(3):
        for column in range(3):
            # Each coordinate of a uniform unit vector is uniform (Archimedes).
            assert kstest(rotations[:, row, column], "uniform", args=(-1, 2)).pvalue > 1e-3
    angle = np.arccos(np.clip((np.trace(rotations, axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert kstest(angle, lambda w: (w - np.sin(w)) / np.pi).pvalue > 1e-3


def test_mistilt_and_in_plane_rotation():
    rng = np.random.default_rng(2)
    axis = np.array([1, 1, 0]) @ TRICLINIC
    for _ in range(20):
        rotation = near_zone_axis(TRICLINIC, (1, 1, 0), 7.0, rng)
        assert_rotation(rotation)
        turned = rotation @ axis / np.linalg.norm(axis)
        assert np.degrees(np.arccos(turned[2])) == pytest.approx(7.0)
