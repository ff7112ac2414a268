import numpy as np
import pytest
from scipy import stats

from crewe.recipes import child_generator, distribution
from crewe.recipes.distributions import Normal, pick

DRAWS = 4000


def drawn(form, draws=DRAWS, seed=1):
    rng = child_generator(seed)
    made = distribution(form)
    return np.array([made.draw(rng) for _ in range(draws)])


@pytest.mark.parametrize(
    ("form", "law"),
    [
        ([2, 5], stats.uniform(2, 3)),
        ({"uniform": [-1, 1]}, stats.uniform(-1, 2)),
        ({"log_uniform": [0.05, 5]}, stats.loguniform(0.05, 5)),
        ({"normal": [3, 0.5]}, stats.norm(3, 0.5)),
        # Cut exponential of scale 0.5 on [0, 1], stretched over the range.
        (
            {"exponential": {"scale": 0.5, "range": [0.5, 750]}},
            stats.truncexpon(2, 0.5, 749.5 * 0.5),
        ),
    ],
)
def test_draws_follow_the_law(form, law):
    assert stats.kstest(drawn(form), law.cdf).pvalue > 1e-3


def test_integers_reach_both_ends_equally_often():
    counts = np.bincount(drawn({"integers": [3, 6]}), minlength=7)
    assert counts[:3].sum() == 0
    assert stats.chisquare(counts[3:]).pvalue > 1e-3


def test_choice_follows_its_weights():
    values = drawn({"choice": ["rod", "cut", "never"], "weights": [1, 3, 0]})
    assert set(values) == {"rod", "cut"}
    assert stats.binomtest(int((values == "cut").sum()), DRAWS, 0.75).pvalue > 1e-3


def test_a_weight_of_zero_is_never_picked_and_the_last_catches_rounding():
    rng = child_generator(2)
    assert {pick("abc", [0, 1, 0], rng) for _ in range(500)} == {"b"}
    assert {pick("ab", [0.1, 0.2], rng) for _ in range(500)} == {"a", "b"}


@pytest.mark.parametrize(
    "form",
    [
        4,
        [2, 5],
        {"log_uniform": [0.05, 5]},
        {"integers": [3, 6]},
        {"exponential": {"scale": 0.5, "range": [0.5, 750]}},
        {"choice": [3, 1, 2]},
    ],
)
def test_draws_lie_between_the_extremes_and_reach_towards_both(form):
    ends, values = distribution(form).extremes(), drawn(form)
    assert min(ends) <= values.min()
    assert values.max() <= max(ends)
    assert np.ptp(values) >= 0.98 * (max(ends) - min(ends))


def test_a_normal_number_lies_between_its_extremes_as_often_as_it_should():
    low, high = distribution({"normal": [3, 0.5]}).extremes()
    values = drawn({"normal": [3, 0.5]})
    outside = int(((values < low) | (values > high)).sum())
    assert (low, high) == (1.5, 4.5)
    assert stats.binomtest(outside, DRAWS, 2 * stats.norm.sf(3)).pvalue > 1e-3


def test_a_normal_number_is_drawn_again_where_its_place_does_not_allow_it():
    rng = child_generator(6)
    values = [Normal(0, 1, least=-0.5, most=2).draw(rng) for _ in range(DRAWS)]
    assert stats.kstest(values, stats.truncnorm(-0.5, 2).cdf).pvalue > 1e-3
