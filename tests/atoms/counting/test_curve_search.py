import numpy as np

from crewe.atoms.counting.comb import cross_sections, log_posterior
from crewe.atoms.counting.curve_search import climb, find_summits
from crewe.atoms.counting.thickness_curve import free_family, library_family


def comb_data(noise, size=20, number=300):
    rng = np.random.default_rng(4)
    values = np.sort(rng.integers(1, size + 1, number) + noise * rng.standard_normal(number)) / size
    return cross_sections(values, np.ones(number), np.zeros(number), True)


def test_the_highest_summit_is_the_true_number_of_steps():
    for size in (5, 20, 45):
        curves, heights = find_summits(free_family(60, 1, True), comb_data(0.12, size, 400))
        assert abs(np.exp(curves[0, 0]) - size) < 0.2
        assert np.all(np.diff(heights) <= 0)


def test_summits_are_what_the_posterior_says():
    family, data = free_family(40, 1, True), comb_data(0.25)
    curves, heights = find_summits(family, data)
    again = [log_posterior(curve, family, data) for curve in curves]
    assert np.allclose(heights, again)


def test_a_library_is_searched_within_its_scale():
    family = library_family(np.arange(61) / 20 * 1.07, 1, False, 0.1)
    curves, _ = find_summits(family, comb_data(0.15))
    assert abs(np.exp(curves[0, 0]) * 1.07 - 1) < 0.005
    assert np.all(np.abs(curves[:, 0]) < 0.45)


def test_climbing_never_goes_down_and_leaves_fixed_numbers():
    family, data = free_family(40, 1, True), comb_data(0.2)
    start = np.array([np.log(20.3), 0.1, 0.05, 0.2, 1.8, -1.4, -1.4])
    steps = np.array([0.005, 0.03, 0.05, 0.1, 0.0, 0.1, 0.0])
    summit, height = climb(start, steps, family, data, 300)
    assert height > log_posterior(start, family, data)
    assert np.allclose(summit[[4, 6]], start[[4, 6]], rtol=1e-12)
