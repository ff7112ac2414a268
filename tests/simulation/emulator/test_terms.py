import itertools

import numpy as np
import pytest

from crewe.errors import CalibrationError
from crewe.simulation.emulator.neighbourhood import Neighbourhood
from crewe.simulation.emulator.terms import CONSTANT, Terms


def _count(size, log, degree, interactions):
    return Terms(len(Neighbourhood(size, log).names), degree, interactions).count


def test_counts_are_those_of_the_paper():
    """378 terms in its optimal model, models of 2 to 3654 terms explored."""
    assert _count(5, True, 2, True) == 378
    assert _count(1, False, 1, False) == 2
    assert _count(5, True, 3, True) == 3654


@pytest.mark.parametrize("interactions", [True, False])
@pytest.mark.parametrize(("features", "degree"), [(1, 1), (1, 4), (3, 1), (3, 2), (4, 3), (2, 5)])
def test_every_monomial_comes_once_by_degree(features, degree, interactions):
    terms = Terms(features, degree, interactions)
    powers = [tuple(row) for row in terms.exponents.tolist()]
    expected = {
        p
        for p in itertools.product(range(degree + 1), repeat=features)
        if sum(p) <= degree and (interactions or np.count_nonzero(p) <= 1)
    }
    assert len(powers) == terms.count == len(expected)
    assert set(powers) == expected
    assert powers[0] == (0,) * features
    assert terms.degrees.tolist() == sorted(terms.degrees.tolist())
    assert terms.degrees.tolist() == [sum(p) for p in powers]


@pytest.mark.parametrize("interactions", [True, False])
def test_children_follow_one_another_and_so_do_their_factors(interactions):
    terms = Terms(4, 3, interactions)
    assert terms.parents[0] == terms.factors[0] == CONSTANT
    assert terms.first_children[0] == 1
    assert terms.first_children[-1] == terms.count
    for term in range(terms.count):
        start, end = terms.first_children[term], terms.first_children[term + 1]
        assert np.all(terms.parents[start:end] == term)
        assert np.all(np.diff(terms.factors[start:end]) == 1)
        if start < end:
            assert terms.factors[start] >= terms.factors[term]
    assert np.count_nonzero(np.diff(terms.first_children)) == np.sum(terms.degrees < 3)


def test_the_order_within_a_degree_is_that_of_the_features():
    names = Terms(2, 3, True).names(("a", "b"))
    assert names == ("1", "a", "b", "a²", "a b", "b²", "a³", "a² b", "a b²", "b³")
    assert Terms(2, 2, False).names(("a", "b")) == ("1", "a", "b", "a²", "b²")
    assert Terms(1, 12, False).names(("a",))[-1] == "a¹²"


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "2"])
def test_numbers_below_one_are_refused(bad):
    with pytest.raises(CalibrationError, match="features of 1 or more"):
        Terms(bad, 2, True)
    with pytest.raises(CalibrationError, match="degree of 1 or more"):
        Terms(2, bad, True)
