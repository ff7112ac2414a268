import numpy as np
import pytest

from crewe.stem4d.ricom_kernel import Band
from crewe.stem4d.ricom_plan import RicomPlan


def empty(plan):
    return plan.integrate(np.zeros((2, *plan.scan_shape)), np.zeros(plan.scan_shape))


@pytest.mark.parametrize("shape", [(12, 17), (5, 30), (30, 5), (1, 1)])
@pytest.mark.parametrize("size", [3, 13, 61])
@pytest.mark.parametrize("band", [None, Band(0.05, 0.2)])
def test_lines_and_whole_maps_make_the_same_images(shape, size, band):
    plan = RicomPlan.of(size, (0.2, 0.3), band, shape)
    rng = np.random.default_rng(0)
    vectors, weights = rng.normal(size=(2, *shape)), rng.poisson(2.0, shape).astype(float)
    done = empty(plan)
    for rows in np.array_split(rng.permutation(shape[0]), 3):
        plan.take_lines(done, rows, vectors[:, rows], weights[rows])
    for one, other in zip(done, plan.integrate(vectors, weights), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-11)


def test_images_of_the_weights_are_those_of_a_constant_shift():
    """Why the reference can change without the patterns: it enters through these alone."""
    plan = RicomPlan.of(7, (1.0, 1.0), None, (9, 11))
    weights = np.random.default_rng(1).poisson(2.0, (9, 11)).astype(float)
    constant = np.reshape([0.7, -1.3], (2, 1, 1))
    done = plan.integrate(constant * weights, weights)
    expected = np.tensordot(constant.ravel(), done.weight_images, 1)
    np.testing.assert_allclose(done.image, expected, atol=1e-13)


def test_weights_that_are_the_same_are_not_integrated_again():
    plan = RicomPlan.of(7, (1.0, 1.0), None, (9, 11))
    before = plan.integrate(np.zeros((2, 9, 11)), np.ones((9, 11)))
    after = plan.integrate(np.ones((2, 9, 11)), np.ones((9, 11)), before)
    assert after.weight_images is before.weight_images
    other = plan.integrate(np.ones((2, 9, 11)), np.eye(9, 11), before)
    assert not np.allclose(other.weight_images, before.weight_images)


def test_a_line_is_added_by_itself_and_a_whole_scan_at_once():
    plan = RicomPlan.of(61, (1.0, 1.0), None, (256, 256))
    assert plan.lines_are_quicker(0)
    assert plan.lines_are_quicker(8)
    assert not plan.lines_are_quicker(256)
