import numpy as np
import pytest

from crewe.axes import calibrated_image
from crewe.plots.panel_grid import draw_panel, hide_empty, in_rows, panel_grid, tallness


def image(values, unit="counts"):
    return calibrated_image(np.asarray(values, float), 0.2, attrs={"units": unit})


def test_names_are_divided_into_rows_of_about_equal_length():
    assert in_rows("abc", 3) == [["a", "b", "c"]]
    assert in_rows("abcd", 3) == [["a", "b"], ["c", "d"]]
    assert in_rows("abcdefg", 3) == [["a", "b", "c"], ["d", "e", "f"], ["g"]]


def test_a_panel_says_its_range_and_unit():
    _, panels = panel_grid([1.0], 2, "")
    ramp = image(np.linspace(0, 200, 1200).reshape(30, 40))
    drawn = draw_panel(panels[0, 0], "Co", ramp)
    assert drawn.get_clim() == pytest.approx((1, 199))
    assert panels[0, 0].get_title(loc="left") == "Co"
    assert panels[0, 0].get_xlabel() == "1 … 199 counts"
    hide_empty(panels)
    assert [panel.axison for panel in panels[0]] == [True, False]


@pytest.mark.parametrize("values", [np.nan, 0.0, 7.0])
def test_maps_without_any_contrast_are_drawn(values):
    _, panels = panel_grid([1.0], 1, "even")
    low, high = draw_panel(panels[0, 0], "Co", image(np.full((5, 6), values))).get_clim()
    assert low < high


def test_few_bright_pixels_are_still_seen():
    values = np.zeros((50, 50))
    values[3, 3] = 4.0
    _, panels = panel_grid([1.0], 1, "")
    assert draw_panel(panels[0, 0], "Co", image(values)).get_clim() == (0, 4)


def test_panels_take_the_shape_of_their_images():
    assert tallness(image(np.zeros((20, 40)))) == pytest.approx(0.5)
    assert tallness(image(np.zeros((2, 400)))) == 0.3


def test_rows_may_be_of_different_heights():
    figure, panels = panel_grid([2.0, 1.0], 3, "")
    assert panels.shape == (2, 3)
    figure.draw_without_rendering()
    high, low = (panels[row, 0].get_position().height for row in (0, 1))
    assert high / low == pytest.approx(2, rel=0.2)
