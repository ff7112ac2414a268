import numpy as np
import pytest

from crewe.plots.element_colours import element_colours, full_value, overlay


@pytest.mark.parametrize("number", [1, 2, 3])
def test_equal_amounts_are_white(number):
    picture = overlay(np.ones((number, 4, 5)))
    assert picture.shape == (4, 5, 3)
    assert picture.min() > 0.8


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6])
def test_each_element_has_a_colour_of_its_own(number):
    colours = np.array(element_colours(number))
    assert colours.shape == (number, 3)
    distances = np.linalg.norm(colours[:, None] - colours, axis=-1) + 9 * np.eye(number)
    assert distances.min() > 0.4


def test_zero_is_black_and_what_is_missing_is_grey():
    maps = np.zeros((2, 3, 3))
    maps[0, 0, 0], maps[1, 2, 2] = 7.0, np.nan
    picture = overlay(maps)
    np.testing.assert_array_equal(picture[1, 1], 0)
    np.testing.assert_array_equal(picture[2, 2], 0.5)
    np.testing.assert_allclose(picture[0, 0], element_colours(2)[0])


def test_full_colour_is_not_set_by_a_single_bright_pixel():
    values = np.ones((50, 50))
    values[3, 3] = 1e6
    assert full_value(values) == 1
    assert full_value(np.zeros((3, 3))) == 1
    assert full_value(np.full((3, 3), np.nan)) == 1
