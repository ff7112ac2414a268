from dataclasses import replace

import numpy as np
import pytest
from small_models import small_model

from crewe.atoms.noise import counting_noise
from crewe.atoms.problem import Problem
from crewe.atoms.scoring import fit_scoring


def shot_noise(residual, expected):
    return counting_noise(1e-4, expected)


def problem_of(data, kinds=None, **options):
    return Problem(
        data, lambda residual, expected: counting_noise(1e-4, expected), kinds, **options
    )


def shifted(model, by=0.05, widened=1.1, seed=0):
    columns = model.columns.copy()
    columns[:, 1:3] += np.random.default_rng(seed).normal(0, by, (len(columns), 2))
    columns[:, 0] *= 0.8
    columns[:, 3] *= widened
    return replace(model, columns=columns, knots=model.knots * 0.5)


@pytest.mark.parametrize("peak", ["gaussian", "lorentzian"])
def test_returns_to_the_model_that_drew_the_image(peak):
    model = small_model(peak)
    found = fit_scoring(shifted(model), problem_of(model.image()))
    assert found.converged.all()
    assert np.allclose(found.model.columns, model.columns, rtol=1e-3, atol=1e-3)
    assert np.allclose(found.model.knots, model.knots, rtol=1e-2)


def test_the_score_vanishes_at_the_solution():
    """At the maximum of the likelihood no parameter can improve it."""
    from crewe.atoms.equations import gradient

    model = small_model()
    data = np.random.default_rng(1).poisson(model.image() * 1e4) / 1e4
    problem = problem_of(data)
    found = fit_scoring(shifted(model), problem)
    expected = found.model.image()
    weight = problem.weight(found.noise, expected)
    slope = gradient(found.model, weight * (data - expected))
    error = np.sqrt(np.diagonal(found.covariance, axis1=1, axis2=2)).ravel()
    assert np.abs(slope[: model.columns.size] * error).max() < 0.1


def test_fixed_widths_stay():
    model = small_model()
    start = shifted(model)
    found = fit_scoring(start, problem_of(model.image(), free="hxy"))
    assert np.array_equal(found.model.columns[:, 3], start.columns[:, 3])


def test_known_positions_stay():
    model = small_model()
    start = shifted(model, by=0.0)
    found = fit_scoring(start, problem_of(model.image(), free="hw"))
    assert np.array_equal(found.model.columns[:, 1:3], start.columns[:, 1:3])
    assert np.allclose(found.model.columns[:, 3], model.columns[:, 3], rtol=1e-3)


def test_a_shared_width_is_one_number():
    model = small_model()
    kinds = np.arange(12) % 2
    start = shifted(model, widened=np.where(kinds == 1, 0.99, 1.02))
    found = fit_scoring(start, problem_of(model.image(), kinds))
    change = found.model.columns[:, 3] - start.columns[:, 3]
    for kind in (0, 1):
        assert np.allclose(change[kinds == kind], change[kind])
    assert abs(change[0] - change[1]) > 1e-4
