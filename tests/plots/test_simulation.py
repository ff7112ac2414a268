import numpy as np
import pytest

from crewe.axes import Axis, calibrated_array, calibrated_image
from crewe.plots.save import png_bytes
from crewe.plots.simulation import simulation_figure

VALUES = np.random.default_rng(0).random((30, 40)) * 0.1


def drawn(figure):
    return {
        panel.get_title(loc="left"): panel.images[0]
        for panel in figure.axes
        if panel.images and panel.get_title(loc="left")
    }


def test_an_image_is_shown_from_nothing_to_its_brightest_pixel():
    image = calibrated_image(VALUES, 0.1, attrs={"units": "fraction of beam"})
    figure = simulation_figure(image, names=["haadf"], title="pt.xyz")
    (shown,) = drawn(figure).values()
    np.testing.assert_array_equal(shown.get_array(), VALUES)
    assert shown.get_clim() == pytest.approx((0, VALUES.max()))
    assert any(axes.get_ylabel() == "fraction of beam" for axes in figure.axes)
    assert png_bytes(figure, 50).startswith(b"\x89PNG")


def test_each_thickness_and_detector_has_a_panel_and_errors_theirs():
    axes = [Axis("thickness", unit="1"), Axis("detector", unit="1")]
    axes += [Axis("y", 0.1, 0, "Å"), Axis("x", 0.1, 0, "Å")]
    values = np.stack([np.stack([VALUES, 2 * VALUES]), np.stack([3 * VALUES, 4 * VALUES])])
    image = calibrated_array(values, axes, attrs={"thicknesses_angstrom": [20, 40]})
    panels = drawn(simulation_figure(image, names=["bf", "haadf"]))
    assert list(panels) == ["bf, 20 Å", "haadf, 20 Å", "bf, 40 Å", "haadf, 40 Å"]
    np.testing.assert_array_equal(panels["haadf, 20 Å"].get_array(), 2 * VALUES)
    both = drawn(simulation_figure(image, image, names=["bf", "haadf"]))
    assert "bf, 20 Å, standard error" in both


def test_a_dark_image_is_drawn_too():
    figure = simulation_figure(calibrated_image(np.zeros((20, 20)), 0.1), names=["dark"])
    assert png_bytes(figure, 50).startswith(b"\x89PNG")
