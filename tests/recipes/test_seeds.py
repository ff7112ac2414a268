import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.recipes import child_generator


@given(st.integers(0, 2**40), st.lists(st.integers(0, 10**9), max_size=3))
def test_a_place_has_one_stream_and_no_other_place_shares_it(seed, place):
    again = child_generator(seed, *place).integers(0, 2**60, 4)
    assert np.array_equal(child_generator(seed, *place).integers(0, 2**60, 4), again)
    assert not np.array_equal(child_generator(seed, *place, 1).integers(0, 2**60, 4), again)


def test_a_stream_is_the_same_on_every_machine():
    """Written down once; a training set made elsewhere has to have the same samples."""
    assert child_generator(1, 2, 3).integers(0, 1000, 4).tolist() == [925, 89, 40, 228]


def test_streams_beside_each_other_are_independent():
    draws = np.array([child_generator(7, sample).normal(size=2000) for sample in range(20)])
    correlation = np.corrcoef(draws) - np.eye(20)
    assert np.abs(correlation).max() < 5 / np.sqrt(2000)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="non-negative"):
        child_generator(-1)
