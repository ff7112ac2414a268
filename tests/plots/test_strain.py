import numpy as np
import pandas as pd
import pytest

from crewe.axes import calibrated_image
from crewe.errors import PlanError
from crewe.plots.save import png_bytes
from crewe.plots.strain import strain_figure

NAMES = ("eps_xx", "eps_yy", "eps_xy", "eps_aa", "eps_bb", "eps_ab", "omega_xy_deg")


def strained(side=8):
    y, x = np.mgrid[0:side, 0:side].reshape(2, -1) * 4.0 + 3
    columns = pd.DataFrame({"x": x, "y": y})
    random = np.random.default_rng(2)
    strain = pd.DataFrame({name: random.normal(0, 0.01, x.size) for name in NAMES})
    for name in NAMES:
        strain[f"{name}_std"] = 0.004
    return columns, strain


def discs(panel):
    return next(one for one in panel.collections if one.get_array() is not None)


@pytest.mark.parametrize("axes", ["xy", "ab"])
def test_strains_are_in_percent_on_one_symmetric_scale(axes):
    columns, strain = strained()
    panels = strain_figure(columns, strain, axes=axes).axes[:4]
    np.testing.assert_allclose(discs(panels[0]).get_array(), 100 * strain[f"eps_{axes[0] * 2}"])
    limits = {discs(panel).get_clim() for panel in panels[:3]}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high
    np.testing.assert_allclose(discs(panels[3]).get_array(), strain["omega_xy_deg"])
    assert [panel.get_title(loc="left")[-8:] for panel in panels[:3]] == [", ± 0.4 %"[1:]] * 3


def test_zero_strain_is_white_and_missing_strain_is_grey():
    columns, strain = strained()
    strain.loc[0, "eps_xx"], strain.loc[1, "eps_xx"] = np.nan, 0.0
    image = calibrated_image(np.random.default_rng(0).normal(size=(80, 80)), 0.5)
    figure = strain_figure(columns, strain, image=image)
    assert png_bytes(figure, 50).startswith(b"\x89PNG")
    colours = discs(figure.axes[0]).get_facecolors()
    np.testing.assert_allclose(colours[0, :3], 0x80 / 255)
    assert colours[1, :3].min() > 0.95
    assert "grey" in figure.axes[0].get_xlabel()
    assert figure.axes[1].get_xlabel() == ""


def test_a_strain_table_of_other_columns_is_refused():
    columns, strain = strained()
    with pytest.raises(PlanError, match="same rows"):
        strain_figure(columns, strain.iloc[1:])
    with pytest.raises(PlanError, match="lacks eps_xx"):
        strain_figure(columns, strain.drop(columns="eps_xx"))
    with pytest.raises(PlanError, match="'xy'"):
        strain_figure(columns, strain, axes="yx")
