import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crewe.atoms.volume.interlock import Ranges, column_neighbours, interlock, touching

rising = st.lists(st.floats(-10, 10), max_size=8).map(lambda heights: np.sort(np.array(heights)))


@given(rising, rising, st.floats(0.01, 5))
def test_touching_pairs_agree_with_looking_at_each(lower, upper, reach):
    # Written with sums, as in the fast path, so that rounding does not decide.
    pairs = sum(
        b - reach < a < b + reach or a - reach < b < a + reach for a in lower for b in upper
    )
    surely = sum(abs(a - b) < reach - 1e-9 for a in lower for b in upper)
    assert surely <= touching(lower, upper, reach) <= pairs


def test_neighbours_stand_on_both_sides_of_each_pair():
    places = np.array([[0.0, 0.0], [2.0, 0.0], [5.0, 0.0]])
    near = column_neighbours(places, np.array([2.5, 2.5, 3.5]))
    assert near.first.tolist() == [0, 1, 3, 4]
    assert near.other.tolist() == [1, 0, 2, 1]
    assert np.allclose(near.reach, [1.5, 1.5, (3.5**2 - 9) ** 0.5, (3.5**2 - 9) ** 0.5])


def test_a_column_moves_to_where_it_has_most_neighbours():
    places = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    near = column_neighbours(places, np.full(3, 2.5))
    # Two fixed columns from 2 to 6, and one of three atoms between them that may stand at 0 to 8.
    heights = np.concatenate([[2.0, 4.0, 6.0], np.arange(0.0, 10.0, 2.0), [2.0, 4.0, 6.0]])
    ranges = Ranges(heights, np.array([0, 3, 8]), np.full(3, 3), np.array([1, 3, 1]))
    choice, bonds = interlock(ranges, near)
    assert choice.tolist() == [0, 1, 0]
    assert bonds == 6


def test_nothing_moves_where_nothing_is_gained():
    near = column_neighbours(np.zeros((1, 2)), np.ones(1))
    ranges = Ranges(np.arange(4.0), np.zeros(1, np.int64), np.array([3]), np.array([2]))
    choice, bonds = interlock(ranges, near)
    assert choice.tolist() == [0]
    assert bonds == 0
