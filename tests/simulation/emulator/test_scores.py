import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from crewe.errors import ImageError
from crewe.simulation.emulator.scores import Score, fractional_rms, one_minus_r2, score

VALUES = arrays.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e3, 1e3))


def test_equation_4_written_out():
    rng = np.random.default_rng(0)
    actual = rng.gamma(2.0, 0.01, (30, 40))
    emulated = actual + rng.normal(0.001, 0.002, actual.shape)
    rms = np.sqrt(((emulated - actual) ** 2).mean())
    assert fractional_rms(emulated, actual) == pytest.approx(rms / actual.std(), rel=1e-12)
    assert one_minus_r2(emulated, actual) == pytest.approx(fractional_rms(emulated, actual) ** 2)


def test_the_mean_scores_one_the_truth_zero_and_a_bias_counts():
    actual = np.random.default_rng(1).normal(5.0, 2.0, 1000)
    assert one_minus_r2(np.full(1000, actual.mean()), actual) == pytest.approx(1.0, rel=1e-9)
    assert one_minus_r2(actual, actual) == 0
    biased = one_minus_r2(actual + 1.0, actual)
    assert biased == pytest.approx(1.0 / actual.var(), rel=1e-9)


@settings(deadline=None)
@given(VALUES, VALUES, st.floats(-10, 10))
def test_pixels_may_come_in_any_parts(first, second, bias):
    whole = np.concatenate([first, second])
    parts = Score()
    parts.add(first + bias, first)
    parts.merge(score(second + bias, second))
    together = score(whole + bias, whole)
    assert parts.pixels == together.pixels == whole.size
    assert parts.mean == pytest.approx(whole.mean(), rel=1e-9, abs=1e-9)
    scale = max(1.0, float(np.abs(whole).max()))
    assert parts.deviation == pytest.approx(whole.std(), abs=1e-6 * scale)
    assert parts.rms == pytest.approx(abs(bias), rel=1e-6, abs=1e-9 * scale)


def test_two_copies_of_the_target_change_nothing():
    rng = np.random.default_rng(2)
    actual, emulated = rng.normal(size=(2, 100))
    total = score(emulated, actual)
    total.merge(score(emulated, actual))
    assert total.one_minus_r2 == pytest.approx(one_minus_r2(emulated, actual))


def test_a_large_offset_costs_no_digits():
    actual = 1e6 + np.random.default_rng(3).normal(size=10_000)
    total = Score()
    for part in np.array_split(actual, 7):
        total.add(part + 0.1, part)
    assert total.one_minus_r2 == pytest.approx(0.01 / actual.var(), rel=1e-6)


def test_nothing_to_compare_is_nan_and_constants_too():
    assert math.isnan(Score().one_minus_r2)
    assert math.isnan(Score().rms)
    assert math.isnan(one_minus_r2(np.ones(4), np.ones(4)))
    empty = Score()
    empty.add(np.zeros(0), np.zeros(0))
    assert empty.pixels == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_missing_values_and_wrong_shapes_are_refused(bad):
    with pytest.raises(ImageError, match="mask them"):
        score(np.array([1.0, bad]), np.zeros(2))
    with pytest.raises(ImageError, match="do not match"):
        score(np.zeros(3), np.zeros(2))
