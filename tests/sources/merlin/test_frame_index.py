import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.sources.merlin.frame_index import frame_index, highest_number, start_again


@given(st.permutations(range(12)), st.sets(st.integers(0, 11), max_size=5))
def test_frames_in_any_order_are_found_at_their_places(order, lost):
    numbers = np.array([number + 1 for number in order if number not in lost])
    index = frame_index(numbers, 1, 12)
    for place in range(12):
        found = np.flatnonzero(numbers == place + 1)
        assert index.frames[place] == (found[0] if found.size else -1)
    assert (index.places == numbers - 1).all()
    assert index.missing == len(lost)
    assert not index.late.any()
    frames, offsets = index.among(3, 8)
    assert (numbers[frames] - 1 - 3 == offsets).all()
    assert len(frames) == len(set(range(3, 8)) - lost)
    assert len(index.among(-5, 0)[0]) == len(index.among(12, 20)[0]) == 0


def test_of_several_with_one_number_that_between_its_neighbours_is_taken():
    numbers = np.array([1, 2, 3, 6, 4, 5, 6, 7, 7, 8])
    index = frame_index(numbers, 1, 8)
    assert index.frames.tolist() == [0, 1, 2, 4, 5, 6, 7, 9]
    assert np.flatnonzero(index.late).tolist() == [3, 8]


def test_numbers_beyond_the_last_and_damaged_ones_have_no_place():
    index = frame_index(np.array([5, 99, 7, -1, 9, 4]), 5, 5)
    assert index.frames.tolist() == [0, -1, 2, -1, 4]
    assert index.damaged.tolist() == [False, True, False, True, False, True]
    assert index.missing == 0  # three have no known place


@pytest.mark.parametrize(
    ("numbers", "again"),
    [
        ([1, 2, 3, 4, 1, 2, 3, 4], True),
        ([1, 1], True),
        ([1] * 9, True),
        ([7, 8, 9, 7, 8], True),
        ([1, 2, 3, 3, 4, 5], False),
        ([1, 2, 3, 5, 4, 6], False),
        ([2, 1, 3, 4], False),
        ([1, 2, 3, 1, 4, 5], False),
        ([1, 2, 3, 4, 5, 6, 2, 3, 4, 7], False),
    ],
)
def test_only_a_fall_to_the_first_number_starts_again(numbers, again):
    assert start_again(np.array(numbers), min(numbers)) == again


def test_a_single_number_far_ahead_is_not_believed():
    assert highest_number(np.array([1, 2, 999, 3, 5, 4]), 4) == 4
    assert highest_number(np.array([1, 2, 7, 8, 5, 4]), 4) == 8
