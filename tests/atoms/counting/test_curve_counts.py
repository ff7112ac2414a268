import numpy as np
import pytest
from scipy.stats import norm

from crewe.atoms.counting.comb import cross_sections
from crewe.atoms.counting.curve_counts import count_on_curves
from crewe.atoms.counting.curve_samples import CurveSamples
from crewe.atoms.counting.thickness_curve import free_family

SIZE, WIDTH = 10.0, 0.25


@pytest.fixture(scope="module")
def counted():
    rng = np.random.default_rng(8)
    truth = rng.integers(1, 11, 400)
    values = (truth + WIDTH * rng.standard_normal(400)) / SIZE
    order = np.argsort(values)
    curve = np.array([[np.log(SIZE), 0.0, 0.0, 0.0, 1.8, np.log(WIDTH), 0.0]])
    samples = CurveSamples(np.tile(curve, (3, 1)), np.full(3, 1 / 3), 3.0, 0.0)
    data = cross_sections(values[order], np.ones(400), np.zeros(400), False)
    family = free_family(20, 1, False)
    found = count_on_curves(samples, family, data, values, np.zeros(400), rng)
    return truth, values, found


def test_rows_are_probabilities(counted):
    _, _, found = counted
    assert np.allclose(found.posterior.sum(axis=1), 1)
    assert np.allclose(found.frequencies.sum(axis=1), 1)
    assert found.shares.sum() == pytest.approx(1.0)


def test_a_column_follows_the_theorem_of_bayes(counted):
    _, values, found = counted
    counts = np.arange(21)
    for i in range(0, 400, 37):
        prior = found.frequencies[0] * norm.pdf(values[i], counts / SIZE, WIDTH / SIZE)
        assert np.allclose(found.posterior[i], prior / prior.sum(), atol=1e-4)


def test_probabilities_are_true(counted):
    truth, _, found = counted
    right = found.posterior.argmax(axis=1) == truth
    assert right.mean() == pytest.approx(found.posterior.max(axis=1).mean(), abs=0.03)


def test_frequencies_are_those_of_the_counts(counted):
    truth, _, found = counted
    real = np.bincount(truth, minlength=21) / 400
    assert np.abs(found.frequencies[0] - real).max() < 0.03
    assert found.totals[0] == pytest.approx(truth.sum(), rel=0.01)
    assert abs(found.totals[0] - truth.sum()) < 4 * np.sqrt(found.total_variances[0])
