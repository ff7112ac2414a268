import numpy as np
import pytest

from crewe.atoms.counting.curve_samples import CurveSamples, side_by_side, together


def samples(size, log_evidence, level):
    return CurveSamples(np.full((size, 7), level), np.full(size, 1 / size), size, log_evidence)


def test_families_join_by_their_evidence():
    joined = together([samples(4, 0.0, 1.0), samples(6, np.log(3.0), 2.0)])
    assert joined.weights.sum() == pytest.approx(1)
    assert joined.weights[:4].sum() == pytest.approx(0.25)
    assert joined.weights @ joined.curves[:, 0] == pytest.approx(1.75)
    # the mean evidence of the two
    assert joined.log_evidence == pytest.approx(np.log(2.0))


def test_one_certain_family_leaves_its_own_number_of_samples():
    joined = together([samples(50, 0.0, 1.0), samples(80, -100.0, 2.0)])
    assert joined.effective == pytest.approx(50)


def test_opinions_have_the_same_say_whatever_their_evidence():
    joined = side_by_side([samples(4, 0.0, 1.0), samples(6, 90.0, 2.0)])
    assert joined.weights[:4].sum() == pytest.approx(0.5)
    assert joined.weights.sum() == pytest.approx(1)
    assert joined.effective == pytest.approx(1 / (0.25 / 4 + 0.25 / 6))
