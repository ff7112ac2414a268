import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv

from crewe.axes import calibrated_image
from crewe.plots.phase import MISSING_COLOUR, phase_figure, vector_colours
from crewe.plots.save import png_bytes


def image(values, unit="rad"):
    return calibrated_image(np.asarray(values, float), 0.2, attrs={"units": unit})


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(0, 1, (30, 40))


def titles(figure):
    return [panel.get_title(loc="left") for panel in figure.axes if panel.get_title(loc="left")]


def test_components_of_a_vector_share_a_panel(noise):
    names = ("com_y", "com_x", "field_y", "field_x", "field_magnitude", "field_angle", "ssb_phase")
    figure = phase_figure({name: image(noise) for name in names}, noise**2, (14, 20), 5.0)
    said = [title[3:].split("  ")[0] for title in titles(figure)]
    assert said == ["com", "field", "ssb_phase", "mean pattern"]
    assert [title[0] for title in titles(figure)] == list("abcd")


def test_panels_say_range_and_unit():
    ramp = np.linspace(-1, 2, 1200).reshape(30, 40)
    figure = phase_figure({"ricom": image(ramp), "ssb_amplitude": image(ramp, "1")})
    assert titles(figure) == ["a  ricom", "b  ssb_amplitude"]
    said = [panel.get_xlabel() for panel in figure.axes]
    assert said == ["-0.985 … 1.98 rad", "-0.985 … 1.98"]


def test_hue_is_the_direction_and_brightness_the_size():
    y, x = np.array([0, -1, 0, 1, 0]), np.array([1, 0, -1, 0, 0.5])
    hue, _, bright = rgb_to_hsv(vector_colours(y, x)).T
    assert hue == pytest.approx([0, 0.25, 0.5, 0.75, 0], abs=1e-9)
    assert bright == pytest.approx([1, 1, 1, 1, 0.5])


def test_unmeasured_vectors_are_grey():
    colours = vector_colours(np.array([np.nan, 1.0]), np.array([1.0, 1.0]))
    assert "#" + bytes((255 * colours[0]).round().astype(int).tolist()).hex() == MISSING_COLOUR
    assert np.isfinite(vector_colours(np.full(3, np.nan), np.zeros(3))).all()


def test_circles_of_disk_and_detectors_lie_about_the_centre(noise):
    rings = {"bf": (0.0, 5.0), "haadf": (12.0, np.inf)}
    figure = phase_figure({"bf": image(noise)}, np.ones((30, 40)), (14.0, 20.0), 5.0, rings)
    circles = figure.axes[1].patches
    assert {circle.center for circle in circles} == {(20.0, 14.0)}
    assert sorted(circle.radius for circle in circles) == [5.0, 5.0, 12.0]


@pytest.mark.parametrize("values", [np.nan, 0.0, 7.0])
def test_images_without_contrast_are_drawn(values, noise):
    flat = image(np.full((30, 40), values))
    noise[3:5] = np.nan
    images = {"total": flat, "com_y": flat, "com_x": flat, "ricom": image(noise)}
    figure = phase_figure(images, np.zeros((8, 8)), (3.5, 3.5), title="gold.mib")
    assert png_bytes(figure, 50).startswith(b"\x89PNG")
