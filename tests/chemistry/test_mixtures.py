import numpy as np
import pytest
from scipy import stats

from crewe.chemistry.mixtures import Mixture, best_mixture


def draw(number, *parts, seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(m, s, int(share * number)) for share, m, s in parts])


def test_one_gaussian_is_its_mean_and_deviation():
    values = draw(5000, (1.0, 0.4, 0.004))
    mixture = best_mixture(values, np.ones(5000), 5000)
    assert mixture.mean.size == 1
    assert mixture.mean[0] == pytest.approx(values.mean(), abs=1e-5)
    assert mixture.sigma[0] == pytest.approx(values.std(), rel=0.01)
    expected = stats.norm.logpdf(values, values.mean(), values.std()).mean()
    assert mixture.mean_log_likelihood == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_as_many_components_as_were_drawn(number):
    means = 0.1 + 0.2 * np.arange(number)
    values = draw(8000, *[(1 / number, mean, 0.02) for mean in means])
    mixture = best_mixture(values, np.ones(values.size), values.size)
    assert np.allclose(mixture.mean, means, atol=0.003)
    assert np.allclose(mixture.sigma, 0.02, rtol=0.1)
    assert np.allclose(mixture.share, 1 / number, atol=0.01)


def test_overlapping_components_of_unlike_share():
    values = draw(20_000, (0.8, 0.3, 0.03), (0.2, 0.42, 0.03))
    mixture = best_mixture(values, np.ones(values.size), values.size)
    assert np.allclose(mixture.mean, [0.3, 0.42], atol=0.006)
    assert np.allclose(mixture.share, [0.8, 0.2], atol=0.03)


def test_weights_are_repeated_values():
    values = draw(2000, (0.5, 0.2, 0.02), (0.5, 0.5, 0.04))
    weights = np.random.default_rng(1).integers(0, 4, 2000)
    one = best_mixture(values, weights, 3000)
    other = best_mixture(np.repeat(values, weights), np.ones(weights.sum()), 3000)
    assert np.allclose(one.mean, other.mean, atol=1e-4)
    assert np.allclose(one.share, other.share, atol=1e-3)


def test_few_independent_values_allow_few_components():
    values = draw(4000, (0.5, 0.3, 0.03), (0.5, 0.36, 0.03))
    assert best_mixture(values, np.ones(4000), 4000).mean.size == 2
    assert best_mixture(values, np.ones(4000), 20).mean.size == 1


def test_responsibilities_add_up_and_follow_distance():
    mixture = best_mixture(draw(4000, (0.5, 0.0, 1.0), (0.5, 9.0, 1.0)), np.ones(4000), 4000)
    belongs = mixture.responsibilities(np.array([[-1.0, 10.0, 500.0]]))
    assert np.allclose(belongs.sum(axis=0), 1)
    assert np.allclose(belongs[:, 0, :2], np.eye(2), atol=1e-6)


def test_a_mixture_that_is_not_accepted_is_not_returned():
    values = draw(4000, (0.5, 0.3, 0.03), (0.5, 0.36, 0.03))
    assert best_mixture(values, np.ones(4000), 4000).mean.size == 2
    one = best_mixture(values, np.ones(4000), 4000, accept=lambda mixture: False)
    assert one.mean.size == 1
    assert one.sigma[0] == pytest.approx(values.std(), rel=1e-4)


@pytest.mark.parametrize(("distance", "low", "high"), [(1.5, 0.99, 1.0), (4.0, 0.2, 0.35)])
def test_valleys_tell_peaks_that_stand_apart(distance, low, high):
    """Equal Gaussians 4 sigma apart meet at 2·exp(−2) of their peaks; 1.5 apart there is no dip."""
    pair = Mixture(np.full(2, 0.5), np.array([0.0, distance]), np.ones(2), 0.0)
    assert low <= pair.valleys()[0] <= high
    if distance == 4:
        assert pair.valleys()[0] == pytest.approx(2 * np.exp(-2), rel=0.01)


def test_values_all_alike_are_one_component():
    mixture = best_mixture(np.full(50, 0.25), np.ones(50), 50)
    assert mixture.mean[0] == pytest.approx(0.25)
    assert mixture.sigma[0] == 0


def test_a_spike_does_not_swallow_the_rest():
    values = np.concatenate([np.full(500, 0.3), draw(1000, (1.0, 0.3, 0.05))])
    mixture = best_mixture(values, np.ones(1500), 1500)
    assert mixture.sigma.min() >= 0.0199 * values.std()
    assert np.isfinite(mixture.mean_log_likelihood)
