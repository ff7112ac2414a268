import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.degradation.crops import Crop
from crewe.degradation.electrons import Dose
from crewe.degradation.row_lines import RowLines
from crewe.errors import PlanError


@given(st.floats(max_value=0) | st.just(math.nan) | st.just(math.inf) | st.text() | st.none())
def test_a_dose_is_a_positive_number(value):
    with pytest.raises(PlanError, match="mean_electrons_per_pixel"):
        Dose(value)


def test_numbers_of_things_are_whole():
    assert RowLines(3.0, 0.5).lines == 3
    with pytest.raises(PlanError, match="whole"):
        RowLines(2.5, 0.5)
    with pytest.raises(PlanError, match="number"):
        RowLines(True, 0.5)


def test_words_are_told():
    with pytest.raises(PlanError, match="constant, median, not 'mean'"):
        Crop(1, 0.0, fill="mean")
