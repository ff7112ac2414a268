from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.special import gammaln, logsumexp

from crewe.atoms.background import Mesh
from crewe.atoms.equations import ColumnModel
from crewe.atoms.stamps import Grid
from crewe.atoms.weak_evidence import Equations, Likelihood, log_evidence, log_odds, maximise

GRID = Grid(70, 80, 0.15, 0.15)
UNITS = 1e-4


def truth(weak=0.06, apart=1.6):
    """Two heavy columns far from each other, and a weak one `apart` from the second."""
    columns = np.array(
        [[1.0, 3.0, 3.0, 0.45], [1.0, 8.0, 6.0, 0.45], [weak, 8.0 - apart, 6.3, 0.45]]
    )
    columns = columns[np.argsort(columns[:, 2])]
    return ColumnModel(GRID, "gaussian", columns, Mesh(1, 1), np.array([0.2]))


def without(model, member):
    return replace(model, columns=np.delete(model.columns, member, axis=0))


def poisson(model, seed=0):
    data = np.random.default_rng(seed).poisson(model.image() / UNITS) * UNITS
    return Likelihood(data, np.full(data.shape, np.nan), UNITS)


def normal(model, std, seed=0):
    data = model.image() + np.random.default_rng(seed).normal(0, std, model.image().shape)
    return Likelihood(data, np.full(data.shape, std**2))


KINDS = np.zeros(3, dtype=np.int64)


def test_the_poisson_likelihood_is_that_of_the_counts():
    model = truth()
    likelihood = poisson(model)
    counts = likelihood.data / UNITS
    means = [model.image() / UNITS, 1.1 * model.image() / UNITS]
    logs = [np.sum(counts * np.log(mean) - mean - gammaln(counts + 1)) for mean in means]
    found = likelihood.log(means[1] * UNITS) - likelihood.log(means[0] * UNITS)
    assert found == pytest.approx(logs[1] - logs[0])


def test_rougher_noise_flattens_the_likelihood():
    model = truth()
    for likelihood in (poisson(model), normal(model, 0.02)):
        rough = replace(likelihood, excess=2.0)
        assert rough.log(model.image()) == pytest.approx(likelihood.log(model.image()) / 4)
        assert np.allclose(rough.weight(model.image()), likelihood.weight(model.image()) / 4)


@pytest.mark.parametrize("kind", ["poisson", "normal"])
def test_the_score_vanishes_at_the_maximum(kind):
    model = truth()
    likelihood = poisson(model) if kind == "poisson" else normal(model, 0.01)
    start = replace(model, columns=model.columns * [0.9, 1.005, 1.0, 1.05], knots=model.knots * 0.9)
    found = maximise(start, likelihood, KINDS)
    equations = Equations(found, likelihood, KINDS)
    slope = equations.slope(found, equations.expected)
    # what is left to gain, in units of the log-likelihood
    assert 0.5 * slope @ equations.factors.solve(slope) < 1e-2
    assert likelihood.log(found.image()) >= likelihood.log(model.image())


@pytest.mark.parametrize("apart", [1.6, 1.0, 0.7])
@pytest.mark.parametrize("kind", ["poisson", "normal"])
def test_odds_equal_the_ratio_of_the_evidences_of_two_fits(kind, apart):
    """Two fits from scratch, whole determinants, against two steps beside one factorisation."""
    model = truth(apart=apart)
    likelihood = poisson(model) if kind == "poisson" else normal(model, 0.01)
    model = maximise(model, likelihood, KINDS)
    member = int(np.argmin(model.columns[:, 0]))
    (odds,) = log_odds(model, likelihood, KINDS, np.array([member]), 50.0)
    smaller = maximise(without(model, member), likelihood, KINDS[:2])
    expected = log_evidence(model, likelihood, KINDS, 1, 50.0)
    expected -= log_evidence(smaller, likelihood, KINDS[:2], 0, 50.0)
    assert odds == pytest.approx(expected, abs=0.02 * abs(expected) + 0.3)


def test_odds_equal_the_integral_over_height_and_place():
    """No Laplace: the likelihood ratio integrated over a fine grid of heights and places.

    Taking off the mean is what fitting the constant background does.
    """
    std, model = 0.02, truth(weak=0.06, apart=3.5)
    likelihood = normal(model, std, seed=3)
    model = maximise(model, likelihood, KINDS)
    member = int(np.argmin(model.columns[:, 0]))
    (odds,) = log_odds(model, likelihood, KINDS, np.array([member]), 40.0)
    _, x0, y0, width = model.columns[member]
    left = likelihood.data - without(model, member).image()
    left = left - left.mean()
    x, y = np.arange(80) * 0.15, np.arange(70) * 0.15
    heights = np.linspace(0, 0.15, 301)
    offsets = np.linspace(-0.5, 0.5, 41)
    logs = np.zeros((41, 41))
    for a, dy in enumerate(offsets):
        for b, dx in enumerate(offsets):
            g = np.exp(-((y - y0 - dy) ** 2) / (2 * width**2))[:, None]
            g = g * np.exp(-((x - x0 - dx) ** 2) / (2 * width**2))
            g = g - g.mean()
            gain = heights * np.sum(g * left) / std**2 - 0.5 * heights**2 * np.sum(g * g) / std**2
            logs[a, b] = gain.max() + np.log(trapezoid(np.exp(gain - gain.max()), heights))
    integral = logsumexp(logs) + 2 * np.log(offsets[1] - offsets[0]) - np.log(40.0)
    assert odds == pytest.approx(integral, abs=0.4)


def test_a_column_that_is_not_there_has_the_odds_against_it():
    model = truth(weak=0.0)
    likelihood = poisson(model)
    start = model.columns.copy()
    start[start[:, 0] == 0, 0] = 0.01
    fitted = maximise(replace(model, columns=start), likelihood, KINDS)
    member = int(np.argmin(fitted.columns[:, 0]))
    (odds,) = log_odds(fitted, likelihood, KINDS, np.array([member]), 100.0)
    assert odds < -3


def test_exchangeable_columns_count_as_often_as_they_can_be_exchanged():
    model = truth()
    likelihood = poisson(model)
    values = [log_evidence(model, likelihood, KINDS, k, 50.0) for k in (0, 1, 2, 3)]
    steps = np.diff(values) + np.log(50.0)
    assert np.allclose(steps, np.log([1, 2, 3]))
