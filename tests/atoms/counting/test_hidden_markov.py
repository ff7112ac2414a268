from itertools import pairwise, product

import numpy as np
import pytest

from crewe.atoms.counting.hidden_markov import (
    CountChain,
    baum_welch,
    forward_backward,
    improved,
    log_emission,
    pseudo_counts,
    starting_chain,
    viterbi,
)

MEANS = np.array([0.0, 1.0, 1.9])


def tiny(seed=0, frames=4, columns=3):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(3), 3)
    chain = CountChain(MEANS, 1.1, 0.5, rng.dirichlet(np.ones(3)), transition)
    values = rng.uniform(0, 2.5, (frames, columns))
    values[1, 0] = np.nan
    return chain, values


def brute_force(density, chain):
    """Posterior, transitions, likelihood and best path of one column by summing over all paths."""
    frames, states = density.shape
    posterior, moves = np.zeros((frames, states)), np.zeros((states, states))
    total, best, best_path = 0.0, -1.0, None
    for path in product(range(states), repeat=frames):
        chance = chain.start[path[0]] * np.exp(density[0, path[0]])
        for t in range(1, frames):
            chance *= chain.transition[path[t - 1], path[t]] * np.exp(density[t, path[t]])
        total += chance
        for t, state in enumerate(path):
            posterior[t, state] += chance
        for before, after in pairwise(path):
            moves[before, after] += chance
        if chance > best:
            best, best_path = chance, path
    return posterior / total, moves / total, np.log(total), best_path


@pytest.mark.parametrize("seed", range(5))
def test_sums_over_all_paths(seed):
    chain, values = tiny(seed)
    density = log_emission(values, chain)
    posterior, moves, likelihood = forward_backward(density, chain.start, chain.transition)
    paths = viterbi(density, chain.start, chain.transition)
    naive = [brute_force(density[:, n], chain) for n in range(3)]
    for n, (share, _, _, path) in enumerate(naive):
        assert np.allclose(posterior[:, n], share, atol=1e-12)
        assert tuple(paths[:, n]) == path
    assert np.allclose(moves, sum(one[1] for one in naive), atol=1e-12)
    assert likelihood == pytest.approx(sum(one[2] for one in naive), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_no_step_lowers_the_density(seed):
    chain, values = tiny(seed, frames=8, columns=40)
    reached = []
    for _ in range(15):
        chain, density = improved(values, chain)
        reached.append(density)
    assert np.all(np.diff(reached) > -1e-9)


def test_a_missing_value_says_nothing():
    chain, values = tiny()
    density = log_emission(values, chain)
    assert np.array_equal(density[1, 0], np.zeros(3))
    values[:, 2] = np.nan
    density = log_emission(values, chain)
    posterior, _, _ = forward_backward(density, chain.start, chain.transition)
    assert np.allclose(posterior[0, 2], chain.start)
    assert np.allclose(posterior[1, 2], chain.start @ chain.transition)


def test_parameters_come_back():
    rng = np.random.default_rng(9)
    means = np.arange(7.0)
    truth = starting_chain(means, 1.07, 0.3, np.full(7, 1 / 7))
    states = np.empty((12, 300), int)
    states[0] = rng.integers(0, 7, 300)
    for t in range(1, 12):
        states[t] = [rng.choice(7, p=truth.transition[i]) for i in states[t - 1]]
    values = 1.07 * means[states] + rng.normal(0, 0.3, states.shape)
    found, reached = baum_welch(values, starting_chain(means, 1.0, 0.5, np.full(7, 1 / 7)))
    assert found.scale == pytest.approx(1.07, abs=0.01)
    assert found.width == pytest.approx(0.3, rel=0.06)
    assert np.abs(found.transition - truth.transition).max() < 0.12
    assert reached == sorted(reached)


def test_far_jumps_are_unlikely_but_possible():
    counts = pseudo_counts(20)
    assert np.all(counts > 0)
    assert np.all(np.diff(counts[0]) < 0)


def test_values_far_from_every_state_are_no_breakdown():
    chain, values = tiny()
    values[2, 1] = 1e6
    posterior, _, likelihood = forward_backward(
        log_emission(values, chain), chain.start, chain.transition
    )
    assert np.isfinite(likelihood)
    assert np.allclose(posterior.sum(axis=2), 1.0)
