import numpy as np
import pytest

from crewe.chemistry.composition_steps import (
    divergence,
    fit_counts,
    fit_squares,
    joint_variation,
    shrink,
)

SHAPE = (2, 7, 9)


def planes(rng, *more):
    return rng.random((*more, *SHAPE), np.float32)


def gradient(image):
    down = np.zeros_like(image)
    right = np.zeros_like(image)
    down[:, :-1] = np.diff(image, axis=1)
    right[:, :, :-1] = np.diff(image, axis=2)
    return np.stack([down, right])


def test_divergence_is_the_adjoint_of_the_gradient():
    rng = np.random.default_rng(0)
    image, edges, dual = planes(rng), planes(rng, 2), planes(rng, 2)
    # Edges that leave the image have no gradient.
    for field in (edges, dual):
        field[0, :, -1] = 0
        field[1, :, :, -1] = 0
    out = np.empty(SHAPE, np.float32)
    divergence(0, SHAPE[1], edges, dual, 3.0, out)
    left = float((gradient(image) * (edges - dual)).sum(dtype=float))
    assert float((image * out).sum(dtype=float)) == pytest.approx(3 * left, rel=1e-4, abs=1e-4)


def test_shrinking_shortens_the_common_length_by_the_threshold():
    rng = np.random.default_rng(1)
    smooth, edges, dual = planes(rng), planes(rng, 2) - 0.5, planes(rng, 2) - 0.5
    scale = np.array([1.0, 2.0], np.float32)
    wanted = 1.7 * gradient(smooth) + (1 - 1.7) * edges + dual
    shrink(0, SHAPE[1], smooth, edges, dual, scale, 0.4, 1.7)
    np.testing.assert_allclose(edges + dual, wanted, atol=1e-5)
    weights = np.square(scale)[None, :, None, None]
    before = np.sqrt((weights * np.square(wanted)).sum((0, 1)))
    after = np.sqrt((weights * np.square(edges)).sum((0, 1)))
    np.testing.assert_allclose(after, np.maximum(before - 0.4, 0), atol=1e-4)


def test_counts_are_fitted_where_the_derivative_vanishes():
    rng = np.random.default_rng(2)
    smooth, fitted, dual = planes(rng) + 0.5, planes(rng) + 0.5, planes(rng) - 0.5
    expected, background = 5 * planes(rng) + 0.1, planes(rng)
    counts = rng.poisson(5, SHAPE).astype(np.float32)
    penalty = np.array([0.7, 3.0], np.float32)
    wanted = 1.7 * smooth - 0.7 * fitted + dual
    fit_counts(0, SHAPE[1], smooth, fitted, dual, expected, penalty, 1.7, counts, background)
    slope = expected - counts * expected / (expected * fitted + background)
    slope += penalty[:, None, None] * (fitted - wanted)
    inside = fitted > 0
    assert inside.mean() > 0.5
    assert np.abs(slope[inside]).max() < 1e-3
    assert (slope[~inside] > -1e-3).all()
    np.testing.assert_allclose(dual, wanted - fitted, atol=1e-5)


def test_squares_are_fitted_where_the_derivative_vanishes():
    rng = np.random.default_rng(3)
    smooth, fitted, dual = planes(rng) + 0.5, planes(rng) + 0.5, planes(rng) - 0.5
    expected, variance = 5 * planes(rng) + 0.1, planes(rng) + 0.2
    signal = 4 * planes(rng)
    penalty = np.array([0.7, 3.0], np.float32)
    wanted = 1.7 * smooth - 0.7 * fitted + dual
    fit_squares(0, SHAPE[1], smooth, fitted, dual, expected, penalty, 1.7, signal, variance)
    slope = expected * (expected * fitted - signal) / variance
    slope += penalty[:, None, None] * (fitted - wanted)
    assert np.abs(slope[fitted > 0]).max() < 1e-3


def test_steps_over_bands_are_the_step_over_all():
    rng = np.random.default_rng(4)
    smooth, edges, dual = planes(rng), planes(rng, 2), planes(rng, 2)
    scale = np.ones(2, np.float32)
    whole = edges.copy(), dual.copy()
    shrink(0, SHAPE[1], smooth, *whole, scale, 0.4, 1.7)
    for first, last in ((0, 3), (3, 4), (4, SHAPE[1])):
        shrink(first, last, smooth, edges, dual, scale, 0.4, 1.7)
    np.testing.assert_array_equal(whole[0], edges)
    np.testing.assert_array_equal(whole[1], dual)


def test_joint_variation_of_one_plane_is_its_isotropic_one():
    image = np.zeros((1, 4, 5), np.float32)
    image[0, 1, 2] = 2
    # Two of its own gradient is (-2, -2); the pixel above and the one to the left see one each.
    weights = np.ones(1, np.float32)
    assert joint_variation(image, weights) == pytest.approx(np.sqrt(8) + 2 + 2)
