import numpy as np
import pytest

from crewe.chemistry.likelihoods import (
    least_poisson_cost,
    poisson_cost,
    poisson_slope,
    squares_cost,
)

SHAPE = (2, 6, 5)


def counted(mean=2.0, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.1, 4, SHAPE), rng.poisson(mean, SHAPE).astype(float), rng


@pytest.mark.parametrize("background", [0.0, 0.3])
def test_cost_is_the_formula(background):
    x, b, _ = counted()
    ground = np.full(SHAPE, background)
    expected = np.sum(x - b * np.log(x + background))
    assert poisson_cost(x, b, ground) == pytest.approx(expected)


def test_slope_adds_equation_3_and_a_curvature_no_less_than_the_second_derivative():
    x, b, _ = counted()
    ground = np.full(SHAPE, 0.2)
    gradient, curvature = np.ones(SHAPE), np.ones(SHAPE)
    value = poisson_slope(x, b, ground, 0.7, gradient, curvature)
    assert value == pytest.approx(poisson_cost(x, b, ground))
    assert np.allclose(gradient - 1, 0.7 * (1 - b / (x + 0.2)))
    assert np.all(curvature - 1 >= 0.7 * b / (x + 0.2) ** 2 * (1 - 1e-12))


def test_the_step_that_the_curvature_gives_never_raises_the_cost():
    """From any x, and pixel by pixel: that is what makes it worth more than Newton's."""
    x, b, _ = counted(seed=1)
    x *= 10 ** np.random.default_rng(2).uniform(-2, 2, SHAPE)
    ground = np.full(SHAPE, 0.05)
    gradient, curvature = np.zeros(SHAPE), np.zeros(SHAPE)
    poisson_slope(x, b, ground, 1.0, gradient, curvature)
    moved = np.maximum(x - gradient / curvature, 0)
    one = lambda u: u - b * np.log(u + ground)  # noqa: E731
    assert np.all(one(moved) <= one(x) + 1e-9)


def test_counts_where_nothing_can_be_are_infinitely_unlikely():
    nothing = np.zeros((1, 2, 3))
    assert poisson_cost(nothing, nothing, nothing) == 0
    one = nothing.copy()
    one[0, 0, 0] = 1
    assert poisson_cost(nothing, one, nothing) == np.inf
    gradient, curvature = nothing.copy(), nothing.copy()
    assert poisson_slope(nothing, nothing, nothing, 1.0, gradient, curvature) == 0
    assert np.all(gradient == 1)


def test_nothing_is_cheaper_than_the_least():
    _, b, rng = counted(seed=3)
    ground = np.full(SHAPE, 1.5)
    least = least_poisson_cost(b, ground)
    costs = [poisson_cost(rng.uniform(0, 5, SHAPE), b, ground) for _ in range(200)]
    assert min(costs) > least
    near = np.maximum(b - ground, 0) + 1e-3
    assert poisson_cost(near, b, ground) == pytest.approx(least, abs=0.05)


def test_squares():
    x, b, _ = counted()
    assert squares_cost(x, b, np.ones(SHAPE)) == pytest.approx(0.5 * np.sum((x + 1 - b) ** 2))
