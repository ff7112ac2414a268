import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from crewe.atoms.counting.comb import (
    OUTLIERS,
    REACH,
    comb_likelihood,
    cross_sections,
    log_posterior,
    noise_variance,
    tooth_weights,
)
from crewe.atoms.counting.thickness_curve import free_family

MEANS = 0.1 * np.arange(13) - 0.001 * np.arange(13) ** 2


def gathered(values, own=0.0, anchored=False):
    values = np.sort(values)
    return cross_sections(values, np.ones(len(values)), np.full(len(values), own), anchored)


@pytest.fixture
def values():
    return np.random.default_rng(0).uniform(0.05, 1.0, 80)


@given(sigma=st.floats(0.01, 0.06), own=st.floats(0.0, 1e-3), first=st.integers(1, 4))
def test_the_likelihood_is_that_of_the_mixture_written_out(sigma, own, first):
    data = gathered(np.random.default_rng(1).uniform(0.05, 1.0, 40), own)
    variances = np.full(13, sigma**2)
    weights = tooth_weights(MEANS, first, 11, data)
    fast = comb_likelihood(data, MEANS, variances, weights, (first, 11), False, 0.0)
    density = np.full(40, OUTLIERS)
    for g in range(first, 12):
        z = (data.values - MEANS[g]) / np.sqrt(sigma**2 + own)
        felt = np.abs(z) <= REACH
        density += felt * weights[g] * norm.pdf(z) / np.sqrt(sigma**2 + own)
    assert fast == pytest.approx(np.log(density).sum(), abs=1e-6)


def test_weights_are_shares_of_a_distribution(values):
    for anchored in (False, True):
        data = gathered(values, anchored=anchored)
        weights = tooth_weights(MEANS, 2, 12, data)
        assert weights.sum() == pytest.approx(1.0)
        assert np.all(weights >= 0)
        assert np.all(weights[:2] == 0)


def test_evenly_spread_columns_are_equally_frequent():
    data = gathered(np.linspace(0.05, 1.25, 500))
    weights = tooth_weights(0.1 * np.arange(13), 1, 12, data)
    assert np.allclose(weights[1:], 1 / 12, rtol=0.02)


def test_teeth_that_may_move_are_integrated_over():
    # Two teeth far apart: the lower bound is then the integral itself.
    rng = np.random.default_rng(2)
    means, sigma, play = np.array([0.0, 0.2, 0.8]), 0.02, 0.015
    values = np.concatenate([rng.normal(0.21, sigma, 7), rng.normal(0.79, sigma, 9)])
    data = gathered(values)
    weights, variances = np.array([0.0, 0.4, 0.6]), np.full(3, sigma**2)
    bound = comb_likelihood(data, means, variances, weights, (1, 2), False, play**2)

    def tooth(g, some):
        def integrand(shift):
            logs = norm.logpdf(some, means[g] + shift, sigma).sum() + len(some) * np.log(weights[g])
            return np.exp(logs - 20) * norm.pdf(shift, 0, play)

        return np.log(quad(integrand, -0.1, 0.1, points=[0.0])[0]) + 20

    exact = tooth(1, values[:7]) + tooth(2, values[7:])
    assert bound == pytest.approx(exact, abs=0.01)


def test_an_anchored_comb_needs_a_column_on_its_first_tooth(values):
    data = gathered(values + 0.3)
    weights, variances = np.full(13, 1 / 12), np.full(13, 1e-4)
    free = comb_likelihood(data, MEANS, variances, weights, (1, 12), False, 0.0)
    held = comb_likelihood(data, MEANS, variances, weights, (1, 12), True, 0.0)
    assert held < free - 20


def test_variance_grows_with_the_electrons():
    assert noise_variance(3.0, 0.1, 0.2, 0.0, 0.0) == pytest.approx(0.0004)
    assert noise_variance(3.0, 0.1, 0.2, 0.0, 0.01) == pytest.approx(0.0004 + 0.03)
    assert noise_variance(3.0, 0.1, 0.2, 0.5, -1.0) == pytest.approx(0.0004 + 3 * 0.05**2)


def test_the_right_comb_is_likelier_than_denser_and_sparser_ones():
    rng = np.random.default_rng(3)
    values = (rng.integers(1, 21, 300) + 0.15 * rng.standard_normal(300)) / 20
    family = free_family(60, 1, True)
    data = gathered(values, anchored=True)

    def height(size):
        return log_posterior(np.array([np.log(size), 0, 0, 0, 1.8, -1.9, 0]), family, data)

    assert height(20.0) > max(height(size) for size in (10.0, 15.0, 19.5, 20.5, 25.0, 40.0)) + 20
