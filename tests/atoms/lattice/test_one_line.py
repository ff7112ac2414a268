import numpy as np
import pytest
from laid_out_cells import rotation

from crewe.atoms.lattice.one_line import check_two_directions, one_line
from crewe.errors import PlanError

ROW = np.column_stack([4.0 * np.arange(10), np.zeros(10)])


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, -45.0])
def test_a_row_is_refused_with_its_size_however_turned(angle):
    with pytest.raises(PlanError, match=r"all 10 columns.* 36\.0 Å long and 0\.00 Å wide"):
        check_two_directions(ROW @ rotation(angle) + 7.0)


@pytest.mark.parametrize("angle", [0.0, 30.0])
def test_two_rows_are_enough(angle):
    check_two_directions(np.concatenate([ROW, ROW + np.array([2.0, 1.5])]) @ rotation(angle))


def test_the_width_is_that_across_the_line():
    # symmetric about its middle, so that the longest direction is that of the row
    wide = (ROW + np.outer([0, 0.3, 0, 0.3, 0, 0, 0.3, 0, 0.3, 0], [0.0, 1.0])) @ rotation(20.0)
    assert "0.30 Å wide" in str(one_line(wide))
