import numpy as np
import pandas as pd
import pytest
from matplotlib.quiver import Quiver

from crewe.errors import PlanError
from crewe.plots.save import png_bytes
from crewe.plots.shifts import direction_colours, shifts_figure


def shifted(side=6):
    y, x = np.mgrid[0:side, 0:side].reshape(2, -1) * 4.0 + 3
    angle = 2 * np.pi * np.arange(x.size) / x.size
    table = pd.DataFrame({"x": x, "y": y, "shift_x": np.cos(angle), "shift_y": np.sin(angle)})
    return 0.1 * table.assign(x=10 * x, y=10 * y, shift_x_std=0.2, shift_y_std=0.2)


def test_arrows_have_the_colour_of_their_direction_and_unsure_ones_are_pale():
    table = shifted()
    table.loc[0, "shift_x"] = np.nan
    table.loc[3, ["shift_x_std", "shift_y_std"]] = 1.0
    figure = shifts_figure(table, title="polarisation")
    drawn = next(one for one in figure.axes[0].collections if isinstance(one, Quiver))
    colours = drawn.get_facecolors()
    known = table.iloc[1:]
    expected = direction_colours(known["shift_x"].to_numpy(), known["shift_y"].to_numpy())
    np.testing.assert_allclose(colours[:, :3], expected[:, :3])
    np.testing.assert_array_equal(np.flatnonzero(colours[:, 3] < 1), [2])
    assert png_bytes(figure, 50).startswith(b"\x89PNG")


def test_all_directions_are_equally_light_and_different():
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rgb = direction_colours(np.cos(angle), np.sin(angle))[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ (0.2126, 0.7152, 0.0722)
    # L* = 70; a few hues lie outside what a screen shows and are cut.
    np.testing.assert_allclose(luminance, ((70 + 16) / 116) ** 3, rtol=0.08)
    assert np.linalg.norm(np.diff(rgb, axis=0), axis=1).min() > 0.02


def test_a_table_without_shifts_is_refused():
    with pytest.raises(PlanError, match="site_shifts"):
        shifts_figure(shifted()[["x", "y"]])
    nothing = shifted().assign(shift_x=np.nan)
    assert png_bytes(shifts_figure(nothing), 50).startswith(b"\x89PNG")
