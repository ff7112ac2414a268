import numpy as np
import pytest

from crewe.chemistry.variation_loops import (
    climb,
    half_squares,
    length_of_gradient,
    missing_alignment,
    primal,
    set_steps,
)


def gradient(u):
    """K u: forward differences, zero at the far edges."""
    down, right = np.zeros_like(u), np.zeros_like(u)
    down[:-1] = np.diff(u, axis=0)
    right[:, :-1] = np.diff(u, axis=1)
    return np.stack([down, right])


def some_field(rng, shape):
    """A dual field within the unit discs, zero where differences are."""
    field = rng.normal(size=(2, *shape))
    field /= np.maximum(1, np.linalg.norm(field, axis=0))
    field[0, -1] = field[1, :, -1] = 0
    return field


@pytest.mark.parametrize("shape", [(6, 9), (1, 5), (4, 1), (1, 1)])
def test_primal_takes_the_adjoint_of_the_gradient(shape):
    rng = np.random.default_rng(1)
    field, u = some_field(rng, shape), rng.normal(size=shape)
    moved = np.empty(shape)
    primal(np.zeros(shape), np.ones(shape), field[0], field[1], -np.inf, moved)
    assert np.vdot(-moved, u) == pytest.approx(np.vdot(field, gradient(u)), abs=1e-12)


def test_sums_are_those_of_whole_arrays():
    rng = np.random.default_rng(2)
    u, v, d = rng.normal(size=(3, 7, 5))
    lengths = np.linalg.norm(gradient(u), axis=0)
    field = some_field(rng, u.shape)
    assert length_of_gradient(u) == pytest.approx(lengths.sum())
    expected = lengths.sum() - np.vdot(field, gradient(u))
    assert missing_alignment(u, field[0], field[1]) == pytest.approx(expected)
    assert expected > 0
    assert half_squares(u, v, d) == pytest.approx(0.5 * np.sum(d * (u - v) ** 2))


def test_a_step_is_that_of_whole_arrays_and_stays_in_the_discs():
    rng = np.random.default_rng(3)
    u, rate = rng.normal(size=(7, 5)), rng.uniform(0.1, 2, (7, 5))
    field, ahead = some_field(rng, u.shape), 1.3 * some_field(rng, u.shape)
    expected = ahead + rate * gradient(u)
    expected /= np.maximum(1, np.linalg.norm(expected, axis=0))
    further = expected + 0.4 * (expected - field)
    climb(u, rate, 0.4, field, ahead)
    assert np.allclose(field, expected)
    assert np.allclose(ahead, further)


def test_the_dual_step_is_never_too_long():
    """The diagonal 1/step bounds weight²·K D⁻¹ Kᵀ, for a metric that varies thousandfold."""
    rng = np.random.default_rng(4)
    shape, weight = (5, 6), 0.7
    metric = 10 ** rng.uniform(-2, 1, shape)
    pull, rate = np.empty(shape), np.empty(shape)
    set_steps(metric, weight, pull, rate)
    assert np.allclose(pull, weight / metric)
    basis = np.eye(metric.size).reshape(-1, *shape)
    k = np.array([gradient(u).ravel() for u in basis]).T
    curvature = weight * k @ np.diag(1 / metric.ravel()) @ k.T
    slack = np.diag(np.tile(1 / rate.ravel(), 2)) - curvature
    assert np.linalg.eigvalsh(slack).min() > -1e-9
