import numpy as np
import pytest

from crewe.simulation.emulator.optimum import Search, optimum_of


def quadratic(centres, curvature):
    """Images whose errors are parabolas around minima (image, value) of their own."""

    def errors(values):
        apart = values - centres
        return 0.01 + np.einsum("ni,ij,nj->n", apart, curvature, apart)

    return errors


def test_the_minimum_of_one_value_and_its_error():
    centres = 0.4 + 0.03 * np.random.default_rng(0).normal(size=(12, 1))
    search = Search(quadratic(centres, np.eye(1)), [0.3], [(0.0, 1.0)], [0.05])
    found = optimum_of(search)
    # The sum of equal parabolas is least at their centres' mean, as sure as a mean is.
    assert found.values[0] == pytest.approx(centres.mean(), abs=2e-3)
    assert found.errors[0] == pytest.approx(centres.std(ddof=1) / np.sqrt(12), rel=1e-3)
    assert found.least == pytest.approx(search.total(found.values))


def test_the_minimum_of_two_values_that_depend_on_each_other():
    centres = np.array([1.6, 0.4]) + np.random.default_rng(1).normal(size=(9, 2)) * [0.05, 0.01]
    curvature = np.array([[1.0, 3.0], [3.0, 20.0]])
    search = Search(quadratic(centres, curvature), [1.7, 0.38], [(1, 2.4), (0.1, 1)], [0.1, 0.04])
    found = optimum_of(search)
    assert (np.abs(found.values - centres.mean(axis=0)) < [0.01, 0.004]).all()
    np.testing.assert_allclose(found.errors, centres.std(axis=0, ddof=1) / 3, rtol=1e-3)


def test_values_are_computed_once_and_make_the_curve():
    calls = []

    def errors(values):
        calls.append(tuple(values))
        return np.full(3, (values[0] - 0.5) ** 2)

    heard = []
    search = Search(errors, [0.4], [(0.0, 1.0)], [0.1], heard.append)
    optimum_of(search)
    assert len(set(calls)) == len(calls) == len(heard) == heard[-1]
    curve = search.curve(["width"])
    assert list(curve["width"]) == sorted(value for (value,) in calls)
    np.testing.assert_allclose(curve["one_minus_r2"], 3 * (curve["width"] - 0.5) ** 2)


def test_a_slope_ends_at_the_edge_and_a_plain_tells_nothing():
    slope = Search(lambda values: np.full(4, 1 + values[0]), [0.0], [(0.0, 1.0)], [0.1])
    found = optimum_of(slope)
    assert found.values[0] == 0
    assert found.at_edge[0]
    assert np.isnan(found.errors[0])
    centres = np.full((5, 1), -0.2) + np.arange(5)[:, None] * 0.01
    outside = Search(quadratic(centres, np.eye(1)), [0.5], [(0.0, 1.0)], [0.1])
    assert optimum_of(outside).values[0] == pytest.approx(0, abs=0.01)
    assert np.isnan(optimum_of(outside).errors[0])
    plain = optimum_of(Search(lambda values: np.ones(4), [0.5], [(0.0, 1.0)], [0.1]))
    assert np.isnan(plain.errors[0])
    assert (plain.values[0], plain.at_edge[0]) == (0.5, False)
