import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.quiver import Quiver

from crewe.errors import PlanError
from crewe.plots.displacements import PALE, displacement_figure
from crewe.plots.palette import TYPE_COLOURS
from crewe.plots.save import png_bytes


def displaced(side=6):
    y, x = np.mgrid[0:side, 0:side].reshape(2, -1) * 4.0 + 3
    table = pd.DataFrame({"x": x, "y": y, "lattice": (x > 12).astype(int)})
    table["displacement_x"], table["displacement_y"] = 0.1, -0.05
    table["displacement_x_std"] = table["displacement_y_std"] = 0.02
    return table


def arrows(figure):
    return next(one for one in figure.axes[0].collections if isinstance(one, Quiver))


def test_each_known_displacement_is_an_arrow_in_the_colour_of_its_lattice():
    table = displaced()
    table.loc[0, "displacement_x"] = np.nan
    table.loc[1, ["displacement_x", "displacement_y"]] = 0.01
    figure = displacement_figure(table, title="shifted")
    drawn = arrows(figure)
    assert drawn.U.size == len(table) - 1
    np.testing.assert_allclose(drawn.U[1:], 0.1)
    np.testing.assert_allclose(drawn.V[1:], -0.05)
    colours = drawn.get_facecolors()[:, :3]
    np.testing.assert_allclose(colours[0], to_rgb(PALE))
    first = (table["lattice"] == 0).to_numpy()[1:]
    np.testing.assert_allclose(colours[first][1:], [to_rgb(TYPE_COLOURS[0])] * (first.sum() - 1))
    np.testing.assert_allclose(colours[~first], [to_rgb(TYPE_COLOURS[1])] * (~first).sum())


def test_without_standard_errors_every_arrow_is_in_full_colour():
    table = displaced().drop(columns=["displacement_x_std", "displacement_y_std", "lattice"])
    colours = arrows(displacement_figure(table)).get_facecolors()[:, :3]
    np.testing.assert_allclose(colours, [to_rgb(TYPE_COLOURS[0])] * len(table))


def test_a_table_without_any_displacement_is_drawn_without_arrows():
    table = displaced().assign(displacement_x=np.nan)
    assert png_bytes(displacement_figure(table), 50).startswith(b"\x89PNG")
    with pytest.raises(PlanError, match="index_columns"):
        displacement_figure(table[["x", "y"]])
