import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.atoms.counting.mixture_em import (
    COMMON,
    DOSE_FITTED,
    DOSE_GIVEN,
    MEANS_GIVEN,
    em,
    expectation,
    maximisation,
    variances_of,
)

FLOOR = 1e-12


def mixture(rng, count=4, gain=0.0):
    parts = rng.dirichlet(np.full(count, 3.0))
    means = np.sort(rng.uniform(0.5, 6.0, count))
    return np.concatenate([parts, means, [rng.uniform(0.02, 0.3), gain]])


def draws(rng, theta, size=300):
    count = (len(theta) - 2) // 2
    place = rng.choice(count, size, p=theta[:count])
    widths = np.sqrt(variances_of(theta, 0.0))
    return np.sort(theta[count + place] + widths[place] * rng.normal(size=size))


def density(values, theta):
    """Naive density (N, K) of part and component together."""
    count = (len(theta) - 2) // 2
    variances = variances_of(theta, FLOOR)
    away = values[:, None] - theta[count : 2 * count]
    return theta[:count] * np.exp(-0.5 * away**2 / variances) / np.sqrt(2 * np.pi * variances)


@pytest.mark.parametrize("gain", [0.0, 0.03])
def test_expectation_is_the_naive_sum(gain):
    rng = np.random.default_rng(3)
    theta = mixture(rng, gain=gain)
    values, weights = draws(rng, theta), rng.integers(1, 4, 300).astype(float)
    sums = np.zeros((3, 4))
    likelihood = expectation(values, weights, theta, FLOOR, sums)
    joint = density(values, theta)
    assert likelihood == pytest.approx(weights @ np.log(joint.sum(axis=1)), rel=1e-10)
    share = weights[:, None] * joint / joint.sum(axis=1, keepdims=True)
    away = values[:, None] - theta[4:8]
    for power in range(3):
        assert np.allclose(sums[power], (share * away**power).sum(axis=0), rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([COMMON, DOSE_GIVEN, DOSE_FITTED, MEANS_GIVEN]))
def test_no_step_lowers_the_likelihood(seed, mode):
    rng = np.random.default_rng(seed)
    gain = 0.0 if mode == COMMON else rng.uniform(0.001, 0.2)
    values = draws(rng, mixture(rng, gain=gain))
    theta, weights, sums = mixture(rng, gain=gain), np.ones(300), np.zeros((3, 4))
    before = expectation(values, weights, theta, FLOOR, sums)
    for _ in range(12):
        theta = maximisation(theta, sums, mode, FLOOR)
        assert theta[:4].sum() == pytest.approx(1.0)
        after = expectation(values, weights, theta, FLOOR, sums)
        assert after >= before - 1e-9 * abs(before)
        before = after
    assert em(values, weights, theta, mode, FLOOR, 1e-9, 50)[1] >= before - 1e-9 * abs(before)


@pytest.mark.parametrize("mode", [COMMON, DOSE_GIVEN, DOSE_FITTED])
def test_the_end_is_a_maximum(mode):
    rng = np.random.default_rng(11)
    gain = 0.0 if mode == COMMON else 0.01
    truth = np.concatenate([np.full(4, 0.25), [1.0, 2.0, 3.0, 4.0], [0.02, gain]])
    values, weights, sums = draws(rng, truth, 2000), np.ones(2000), np.zeros((3, 4))
    theta, best = em(values, weights, truth, mode, FLOOR, 1e-10, 2000)
    free = [*range(4, 9), *([9] if mode == DOSE_FITTED else [])]
    for place in free:
        for step in (-1e-3, 1e-3):
            moved = theta.copy()
            moved[place] += step
            assert expectation(values, weights, moved, FLOOR, sums) < best + 1e-6


def test_what_is_given_stays():
    rng = np.random.default_rng(5)
    theta = mixture(rng, gain=0.05)
    values = draws(rng, theta)
    found, _ = em(values, np.ones(300), theta, MEANS_GIVEN, FLOOR, 1e-8, 100)
    assert np.array_equal(found[4:8], theta[4:8])
    assert found[-1] == 0.05
    found, _ = em(values, np.ones(300), theta, DOSE_GIVEN, FLOOR, 1e-8, 100)
    assert found[-1] == 0.05


def test_a_value_far_from_all_components_is_no_breakdown():
    theta = np.array([0.5, 0.5, 1.0, 2.0, 1e-4, 0.0])
    values = np.array([-50.0, 1.0, 2.0, 1e3])
    sums = np.zeros((3, 2))
    assert np.isfinite(expectation(values, np.ones(4), theta, FLOOR, sums))
    assert sums[0].sum() == pytest.approx(4.0)
