from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage

from crewe.errors import CalibrationError
from crewe.simulation.emulator.monomials import monomials
from crewe.simulation.emulator.neighbourhood import Neighbourhood
from crewe.simulation.emulator.normal_equations import NormalEquations
from crewe.simulation.emulator.terms import Terms

COUNT, PIXELS, SIGMA = 12, 4000, 0.3


def _problem(seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(COUNT, PIXELS)) * np.geomspace(1e-3, 1e3, COUNT)[:, None]
    values[0] = 1
    true = rng.normal(size=COUNT) / np.geomspace(1e-3, 1e3, COUNT)
    return values, true, true @ values + rng.normal(0, SIGMA, PIXELS)


def _equations(values, target, parts=1):
    equations = NormalEquations(len(values))
    for pixels in np.array_split(np.arange(len(target)), parts):
        equations.add(values[:, pixels], target[pixels])
    return equations


def test_the_solution_is_that_of_least_squares():
    values, _, target = _problem()
    equations = _equations(values, target, 7)
    found, _ = equations.solve()
    expected, residual, _, _ = np.linalg.lstsq(values.T, target, rcond=None)
    assert np.allclose(found, expected, rtol=1e-9, atol=0)
    assert equations.residual_sum(found) == pytest.approx(residual[0], rel=1e-9)
    assert equations.samples == PIXELS
    assert equations.target_variance() == pytest.approx(target.var(), rel=1e-9)


def test_parts_in_any_order_and_merged_are_the_whole():
    values, _, target = _problem()
    whole = _equations(values, target)
    half = PIXELS // 2
    first, second = (
        _equations(values[:, part], target[part], 3) for part in (slice(half), slice(half, None))
    )
    summed = second + first
    first.merge(second)
    for merged in (first, summed):
        assert np.allclose(merged.matrix, whole.matrix, rtol=1e-12)
        assert np.allclose(merged.solve()[0], whole.solve()[0], rtol=1e-9)
        assert merged.target_square_sum == pytest.approx(whole.target_square_sum)
        assert merged.samples == PIXELS
    assert second.samples == PIXELS - half
    assert np.allclose(whole.matrix, values @ values.T, rtol=1e-12)


def test_coefficients_scatter_by_their_covariance():
    """Over repeated noise: variance of each coefficient and of a prediction, to 5 σ of their own.

    A variance estimated from n draws is known to √(2/n) of itself.
    """
    values, true, _ = _problem()
    values = values[:, :200]
    repeats = 2000
    noise = np.random.default_rng(9).normal(0, SIGMA, (repeats, 200))
    equations = [_equations(values, true @ values + each) for each in noise]
    found = np.array([each.solve()[0] for each in equations])
    variances = [e.residual_variance(c) for e, c in zip(equations, found, strict=True)]
    assert np.mean(variances) == pytest.approx(SIGMA**2, rel=5 * np.sqrt(2 / (repeats * 188)))
    factor = equations[0].solve()[1]
    tolerance = 5 * np.sqrt(2 / repeats)
    predicted = SIGMA**2 * (factor**2).sum(axis=1)
    assert np.allclose(found.var(axis=0), predicted, rtol=tolerance)
    place = values[:, 3]
    spread = SIGMA**2 * np.sum((factor.T @ place) ** 2)
    assert (found @ place).var() == pytest.approx(spread, rel=tolerance)


def test_a_ridge_is_the_textbook_formula_and_spares_the_constant():
    values, _, target = _problem()
    ridge = 0.2
    found, factor = _equations(values, target).solve(ridge)
    scale = np.sqrt((values**2).sum(axis=1))
    penalty = np.diag(ridge * scale**2)
    penalty[0, 0] = 0
    inverse = np.linalg.inv(values @ values.T + penalty)
    assert np.allclose(found, inverse @ (values @ target), rtol=1e-8)
    assert np.allclose(factor @ factor.T, inverse, rtol=1e-8, atol=1e-12 * np.abs(inverse).max())
    mean_only, _ = _equations(values, target).solve(1e12)
    assert mean_only[0] == pytest.approx(target.mean(), rel=1e-6)


@pytest.mark.parametrize("ridge", [1e-12, 1e-10])
def test_the_378_terms_of_smooth_images_predict_as_least_squares_does(ridge):
    """Neighbouring pixels are nearly the same number, so the equations are nearly singular.

    Least squares by singular values sees the ridge as further rows, and squares no condition.
    """
    rng = np.random.default_rng(11)
    image = ndimage.gaussian_filter((rng.uniform(size=(120, 120)) > 0.97).astype(float), 3.8)
    image = (image / image.std()).astype(np.float32)
    planes = Neighbourhood(5, log=True).planes(image)[:, 2:-2, 2:-2].reshape(26, -1).astype(float)
    planes = (planes - planes.mean(axis=1)[:, None]) / planes.std(axis=1)[:, None]
    values = monomials(planes, Terms(26, 2, True))
    blurred = ndimage.gaussian_filter(image, 1.5)[2:-2, 2:-2].ravel().astype(float)
    target = np.tanh(0.4 * planes[12]) + 0.2 * blurred**1.5
    found, _ = _equations(values, target, 5).solve(ridge)
    scale = np.linalg.norm(values, axis=1)
    penalty = np.sqrt(ridge) * np.diag(np.arange(378) > 0)
    rows = np.concatenate([(values / scale[:, None]).T, penalty])
    wanted = np.concatenate([target, np.zeros(378)])
    expected = np.linalg.lstsq(rows, wanted, rcond=1e-15)[0] / scale
    difference = (found - expected) @ values
    assert difference.std() < 1e-4 * target.std()


def test_threads_with_their_own_equations_sum_to_the_whole():
    values, _, target = _problem()
    parts = np.array_split(np.arange(PIXELS), 4)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda part: _equations(values[:, part], target[part]), parts))
    merged = sum(found[1:], start=found[0])
    assert np.allclose(merged.matrix, _equations(values, target).matrix, rtol=1e-12)
    assert merged.samples == PIXELS


def test_terms_that_cannot_be_told_apart_are_named_as_such():
    values, _, target = _problem()
    twice = np.concatenate([values, values[-1:]])
    with pytest.raises(CalibrationError, match="cannot tell 13 terms apart"):
        _equations(twice, target).solve()
    found, _ = _equations(twice, target).solve(1e-6)
    assert found[-1] == pytest.approx(found[-2], rel=1e-4)
    dark = np.concatenate([values, np.zeros((1, PIXELS))])
    with pytest.raises(CalibrationError, match="term 12 is zero"):
        _equations(dark, target).solve()
    assert _equations(dark, target).solve(1e-9)[0][-1] == 0


def test_parts_that_do_not_fit_are_refused():
    equations = NormalEquations(3)
    with pytest.raises(CalibrationError, match="shapes"):
        equations.add(np.ones((2, 5)), np.ones(5))
    with pytest.raises(CalibrationError, match="shapes"):
        equations.add(np.ones((3, 5)), np.ones(4))
    with pytest.raises(CalibrationError, match="cannot be merged"):
        equations.merge(NormalEquations(4))
    with pytest.raises(CalibrationError, match="at least one term"):
        NormalEquations(0)
    equations.add(np.ones((3, 0)), np.ones(0))
    with pytest.raises(CalibrationError, match="nothing to fit"):
        equations.solve()
    assert np.isnan(equations.target_variance())


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", ["monomial", "target"])
def test_nan_is_refused_and_leaves_the_sums_as_they_were(place, value):
    values, _, target = _problem()
    equations = _equations(values, target)
    before = equations.matrix.copy()
    bad, wanted = values[:, :5].copy(), target[:5].copy()
    if place == "monomial":
        bad[3, 2:4] = value, -value
    else:
        wanted[2:4] = value, -value
    with pytest.raises(CalibrationError, match="mask these pixels"):
        equations.add(bad, wanted)
    assert np.array_equal(equations.matrix, before)
    assert equations.samples == PIXELS


def test_a_fit_without_freedom_has_no_residual_variance():
    values, _, target = _problem()
    equations = _equations(values[:, :COUNT], target[:COUNT])
    found, _ = equations.solve()
    with pytest.raises(CalibrationError, match="no freedom"):
        equations.residual_variance(found)
    with pytest.raises(CalibrationError, match="ridge must be"):
        equations.solve(-1)
