import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.recipes import child_generator, distribution
from crewe.recipes.forms import is_number


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
        {"choice": [1, 2], "weights": [1e308, 1e308]},
        [0, 10**400],
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


def test_numbers_are_finite_and_neither_words_nor_truth_values():
    assert all(map(is_number, (0, -3, 2.5, 10**300)))
    assert not any(map(is_number, (math.nan, math.inf, 10**400, True, "3", None, [1])))
