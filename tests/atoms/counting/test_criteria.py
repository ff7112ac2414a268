import numpy as np
import pytest

from crewe.atoms.counting.criteria import (
    criteria,
    entropy,
    local_minima,
    mixture_posterior,
    parameter_number,
)
from crewe.atoms.counting.mixture_em import COMMON, DOSE_FITTED, DOSE_GIVEN

THETA = np.array([0.3, 0.7, 1.0, 2.0, 0.04, 0.0])
VALUES = np.array([0.9, 1.2, 1.5, 1.9, 2.3])


def normal(x, mean, variance):
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def test_criteria_by_hand():
    first, second = 0.3 * normal(VALUES, 1.0, 0.04), 0.7 * normal(VALUES, 2.0, 0.04)
    share = first / (first + second)
    likelihood = np.log(first + second).sum()
    disorder = -np.sum(share * np.log(share) + (1 - share) * np.log(1 - share))
    table = criteria(VALUES, [THETA], np.array([likelihood]), COMMON)
    assert table["components"] == [2]
    assert table["aic"][0] == pytest.approx(-2 * likelihood + 2 * 4)
    assert table["bic"][0] == pytest.approx(-2 * likelihood + 4 * np.log(5))
    assert table["icl"][0] == pytest.approx(-2 * likelihood + 2 * disorder + 4 * np.log(5))


def test_the_posterior_has_each_components_own_width():
    theta = np.array([0.5, 0.5, 1.0, 4.0, 0.0, 0.1])
    first, second = normal(2.0, 1.0, 0.1), normal(2.0, 4.0, 0.4)
    expected = first / (first + second)
    assert mixture_posterior(np.array([2.0]), theta)[0, 0] == pytest.approx(expected)


def test_certain_columns_have_no_entropy():
    assert entropy(np.eye(3)) == 0.0
    assert entropy(np.full((2, 4), 0.25)) == pytest.approx(2 * np.log(4))


def test_a_fitted_dose_is_one_parameter_more():
    assert parameter_number(7, COMMON) == parameter_number(7, DOSE_GIVEN) == 14
    assert parameter_number(7, DOSE_FITTED) == 15


def test_minima_of_a_list():
    assert local_minima([3.0, 1.0, 2.0, 0.5, 0.7]) == [1, 3]
    assert local_minima([0.0, 2.0, 1.0]) == [0]
    assert local_minima([2.0, 1.0]) == [1]
