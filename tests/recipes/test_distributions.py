import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crewe.recipes import child_generator, distribution

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


@pytest.mark.parametrize("value", [3, 0.25, True, "hrstem"])
def test_a_scalar_is_itself_and_uses_no_random_number(value):
    rng, untouched = child_generator(5), child_generator(5)
    assert distribution(value).draw(rng) == value
    assert rng.random() == untouched.random()


@pytest.mark.parametrize(
    "form",
    [
        [5, 2],
        [1, 2, 3],
        ["a", "b"],
        [math.nan, 1],
        None,
        {"integers": [1.5, 2]},
        {"integers": [3, 1]},
        {"log_uniform": [0, 1]},
        {"normal": [0, -1]},
        {"exponential": {"scale": 0, "range": [0, 1]}},
        {"exponential": [0, 1]},
        {"choice": []},
        {"choice": "abc"},
        {"choice": [1, 2], "weights": [1]},
        {"choice": [1, 2], "weights": [0, 0]},
        {"uniform": [0, 1], "weights": [1, 1]},
        {"gaussian": [0, 1]},
        {},
        {"integers": [1, 2], "normal": [0, 1]},
        {"choice": [1, 2], "weights": 3},
    ],
)
def test_what_cannot_be_drawn_is_refused(form):
    with pytest.raises(ValueError, match=r"\w"):
        distribution(form)


@given(
    st.sampled_from(["uniform", "normal", "integers", "log_uniform"]),
    st.integers(1, 50),
    st.integers(0, 50),
)
def test_plain_form_reads_back_as_the_same_distribution(kind, low, width):
    made = distribution({kind: [low, low + width]})
    assert distribution(made.plain()) == made


@given(st.integers(0, 2**40), st.lists(st.integers(0, 10**9), max_size=3))
def test_a_place_has_one_stream_and_no_other_place_shares_it(seed, place):
    again = child_generator(seed, *place).integers(0, 2**60, 4)
    assert np.array_equal(child_generator(seed, *place).integers(0, 2**60, 4), again)
    assert not np.array_equal(child_generator(seed, *place, 1).integers(0, 2**60, 4), again)
