import numpy as np
import pytest

from crewe.atoms.counting.comb import cross_sections
from crewe.atoms.counting.curve_evidence import log_posteriors
from crewe.atoms.counting.curve_posterior import sample_curves
from crewe.atoms.counting.curve_search import find_summits
from crewe.atoms.counting.thickness_curve import library_family


@pytest.fixture(scope="module", params=[0.15, 0.35])
def sampled(request):
    """A library whose scale alone is free, so that a grid gives the posterior exactly."""
    rng = np.random.default_rng(5)
    values = np.sort(rng.integers(3, 21, 200) + request.param * rng.standard_normal(200)) / 20
    data = cross_sections(values, np.ones(200), np.zeros(200), False)
    family = library_family(np.arange(41) / 20, 1, False, 0.1)
    breadth = np.where(np.arange(7) == 0, family.breadth, 0.0)
    centre = family.centre.copy()
    centre[5] = np.log(request.param)
    family = family._replace(breadth=breadth, centre=centre)
    curves, _ = find_summits(family, data)
    samples = sample_curves(curves, family, data, np.random.default_rng(6))
    return family, data, samples


def test_samples_have_the_posterior_on_a_grid(sampled):
    family, data, samples = sampled
    grid = np.linspace(-0.4, 0.4, 8001)
    curves = np.tile(family.centre, (len(grid), 1))
    curves[:, 0] = grid
    logs = log_posteriors(curves, family, data)
    exact = np.exp(logs - logs.max())
    exact = np.cumsum(exact) / exact.sum()
    order = np.argsort(samples.curves[:, 0])
    cumulative = np.cumsum(samples.weights[order])
    found = np.interp(grid, samples.curves[order, 0], cumulative)
    assert np.abs(found - exact).max() < 0.06


def test_weights_sum_to_one_and_fixed_numbers_stay(sampled):
    family, _, samples = sampled
    assert samples.weights.sum() == pytest.approx(1.0)
    assert 100 < samples.effective <= len(samples.weights)
    assert np.all(samples.curves[:, 1:] == family.centre[1:])


def test_the_same_seed_gives_the_same_samples(sampled):
    family, data, _ = sampled
    curves, _ = find_summits(family, data)
    first, second = (
        sample_curves(curves, family, data, np.random.default_rng(7)) for _ in range(2)
    )
    assert np.array_equal(first.curves, second.curves)
