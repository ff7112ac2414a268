import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from crewe.plots.column_values import draw_values, robust_limit


def test_one_wild_column_does_not_take_the_scale():
    values = np.append(np.linspace(-1, 1, 200), 500.0)
    assert robust_limit(values) == pytest.approx(0.98, abs=0.02)
    assert robust_limit(np.array([np.nan])) > 0


def test_signs_differ_in_colour_and_zero_is_white():
    columns = pd.DataFrame({"x": [0.0, 2, 4, 6], "y": 0.0})
    figure = Figure()
    axes = figure.subplots()
    draw_values(figure, axes, columns, np.array([-1.0, 0, 1, np.nan]), 1.0, None, "mrad")
    figure.draw_without_rendering()
    below, zero, above, missing = axes.collections[0].get_facecolors()[:, :3]
    assert below[2] > below[0] + 0.2
    assert above[0] > above[2] + 0.2
    assert zero.min() > 0.95
    np.testing.assert_allclose(missing, 0x80 / 255)
    assert figure.axes[1].get_ylabel() == "mrad"
