import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from crewe.axes import calibrated_image
from crewe.plots.column_marks import (
    bounds_of,
    draw_discs,
    draw_ground,
    points_per_unit,
    spacing_of,
    tallness_of,
)


def square(side=5, spacing=2.0, shift=0.0):
    y, x = np.mgrid[0:side, 0:side].reshape(2, -1) * spacing + shift
    return pd.DataFrame({"x": x, "y": y})


def test_spacing_and_bounds_of_a_square_lattice():
    columns = square()
    assert spacing_of(columns) == 2.0
    assert bounds_of(columns) == (-2.0, 10.0, 12.0, -2.0)
    assert tallness_of(columns) == pytest.approx(14 / 12)
    assert points_per_unit(columns, 4.0) == pytest.approx(72 * 4 / 12)
    assert spacing_of(columns.iloc[:1]) == 1.0


def test_the_panel_ends_where_the_image_does():
    columns = square(5, 2.0, 1.0)
    image = calibrated_image(np.zeros((50, 100)), 0.1)
    assert tallness_of(columns, image) == pytest.approx(5.0 / 10.0, abs=0.01)
    assert tallness_of(square(5, 2.0, 500.0), image) == 1.0


def test_positions_that_are_missing_do_not_matter():
    columns = square()
    columns.loc[3] = np.nan
    assert spacing_of(columns) == 2.0
    assert bounds_of(columns) == (-2.0, 10.0, 12.0, -2.0)


def test_the_image_is_cut_to_its_columns_and_stays_where_it_was():
    random = np.random.default_rng(1)
    image = calibrated_image(random.normal(size=(400, 300)), 0.1)
    columns = square(4, 2.0, shift=10.0)
    axes = Figure().subplots()
    draw_ground(axes, columns, image)
    left, right, bottom, top = bounds_of(columns)
    drawn = axes.images[0].get_extent()
    np.testing.assert_allclose(drawn, (left, right, bottom, top), atol=0.1)
    row = round((drawn[3] + 0.05) / 0.1)
    np.testing.assert_array_equal(axes.images[0].get_array()[0, 0], image[row, round(left / 0.1)])


@pytest.mark.parametrize("shift", [-30.0, 200.0])
def test_columns_beside_the_image_do_not_break_it(shift):
    image = calibrated_image(np.arange(2500.0).reshape(50, 50), 0.1)
    axes = Figure().subplots()
    draw_ground(axes, square(3, 2.0, shift), image)
    assert min(axes.images[0].get_array().shape) >= 1


def test_discs_have_their_diameter_in_the_unit_of_the_image():
    axes = Figure().subplots()
    columns = square()
    draw_ground(axes, columns, None)
    discs = draw_discs(axes, columns, 1.5)
    axes.figure.draw_without_rendering()
    radius = discs.get_transforms()[0][0, 0] * discs.get_transform().get_matrix()[0, 0]
    across = axes.transData.transform((1.5, 0))[0] - axes.transData.transform((0, 0))[0]
    assert 2 * radius == pytest.approx(across, rel=1e-6)
    np.testing.assert_array_equal(discs.get_offsets(), columns[["x", "y"]])
