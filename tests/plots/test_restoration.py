import numpy as np
import pytest

from crewe.axes import calibrated_image
from crewe.plots.restoration import restoration_figure
from crewe.plots.save import png_bytes


def image(values):
    return calibrated_image(np.asarray(values, float), 0.2)


def drawn(figure):
    return [panel.images[0] for panel in figure.axes if panel.get_title(loc="left")]


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(100, 10, (40, 60))


def test_each_panel_shows_its_image_on_its_own_greys(noise):
    trust = np.linspace(0, 1, noise.size).reshape(noise.shape)
    figure = restoration_figure(image(noise), image(noise / 2), image(trust), title="gold")
    measured, restored, trusted = drawn(figure)
    np.testing.assert_array_equal(restored.get_array(), noise / 2)
    assert restored.get_clim() == pytest.approx(np.array(measured.get_clim()) / 2)
    assert trusted.get_clim() == (0, 1)
    assert trusted.get_cmap().name != measured.get_cmap().name


def test_contradicted_is_red_and_supported_blue(noise):
    trust = np.where(np.arange(60) < 30, 0.0, 1.0) * np.ones((40, 1))
    figure = restoration_figure(image(noise), image(noise), image(trust))
    colours = drawn(figure)[2].get_cmap()
    red, blue = colours(0.05), colours(0.95)
    assert red[0] > 2 * red[2]
    assert blue[2] > 2 * blue[0]


def test_holes_and_missing_trust_are_drawn(noise):
    noise[5:9, 5:9] = np.nan
    assert png_bytes(restoration_figure(image(noise), image(noise)), 50).startswith(b"\x89PNG")
    figure = restoration_figure(image(noise), image(noise), image(noise * np.nan))
    assert np.isfinite(drawn(figure)[0].get_clim()).all()
    assert png_bytes(figure, 50).startswith(b"\x89PNG")
