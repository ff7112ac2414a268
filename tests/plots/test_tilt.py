import numpy as np
import pandas as pd
import pytest

from crewe.errors import PlanError
from crewe.plots.save import png_bytes
from crewe.plots.tilt import tilt_figure


def test_alternating_tilts_alternate_in_colour_with_their_error_above():
    y, x = np.mgrid[0:5, 0:6].reshape(2, -1)
    sign = np.where((x + y) % 2, 1.0, -1.0)
    tilt = pd.DataFrame({"x": 4.0 * x, "y": 4.0 * y, "tilt_deg": 5 * sign, "tilt_deg_std": 0.5})
    figure = tilt_figure(tilt, title="perovskite")
    assert png_bytes(figure, 50).startswith(b"\x89PNG")
    discs = next(one for one in figure.axes[0].collections if one.get_array() is not None)
    reddish = discs.get_facecolors()[:, 0] > discs.get_facecolors()[:, 2]
    np.testing.assert_array_equal(reddish, sign > 0)
    assert figure.axes[0].get_title(loc="left") == "tilt of the octahedra, ± 0.5°"


def test_tables_without_tilts():
    with pytest.raises(PlanError, match="octahedral_tilt"):
        tilt_figure(pd.DataFrame({"x": [0.0], "y": [0.0]}))
    unknown = pd.DataFrame({"x": [0.0, 3.0], "y": 0.0, "tilt_deg": np.nan, "tilt_deg_std": np.nan})
    figure = tilt_figure(unknown)
    assert png_bytes(figure, 50).startswith(b"\x89PNG")
    assert figure.axes[0].get_title(loc="left") == "tilt of the octahedra"
