import numpy as np
import pytest

from crewe.axes import calibrated_image
from crewe.errors import ImageError
from crewe.plots.emulator import emulated_figure, error_figure, parity_figure
from crewe.plots.save import png_bytes
from crewe.simulation.emulator.noise import Noise
from crewe.simulation.emulator.scores import one_minus_r2


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    actual = rng.gamma(2.0, 0.02, 5000)
    return actual + rng.normal(0, 0.002, 5000), actual


def image(array):
    return calibrated_image(np.asarray(array, np.float64), 0.1)


def counts(axes):
    (mesh,) = axes.collections
    return mesh.get_array().filled(0)


def test_parity_counts_every_pixel_and_names_its_score(values):
    emulated, actual = values
    axes = parity_figure(emulated, actual, title="Pt").axes[0]
    assert counts(axes).sum() == 5000
    assert f"1 − R² = {one_minus_r2(emulated, actual):.3g}" in axes.get_title(loc="left")
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xdata(), line.get_ydata())
    assert line.get_xdata()[1] == max(emulated.max(), actual.max())


def test_emulated_values_stand_upright():
    # Twice as bright as multislice: the counts lie above the line.
    actual = np.linspace(0, 1, 1000)
    axes = parity_figure(2 * actual, actual).axes[0]
    y, x = np.nonzero(counts(axes))
    assert (y >= x).all()
    assert axes.get_xlabel().startswith("multislice")


def test_missing_pixels_are_left_out(values):
    emulated, actual = values
    emulated = emulated.copy()
    emulated[:1000] = np.nan
    axes = parity_figure(emulated, actual).axes[0]
    assert counts(axes).sum() == 4000
    assert f"{one_minus_r2(emulated[1000:], actual[1000:]):.3g}" in axes.get_title(loc="left")


def test_errors_and_the_curve_around_them(values):
    emulated, actual = values
    noise = Noise(np.array([0.0, 0.1]), np.array([0.001, 0.003]))
    axes = error_figure(emulated, actual, noise).axes[0]
    assert counts(axes).sum() >= 4999
    upper, lower = axes.lines[1:]
    np.testing.assert_array_equal(upper.get_ydata(), [0.001, 0.003])
    np.testing.assert_array_equal(lower.get_ydata(), [-0.001, -0.003])
    assert len(error_figure(emulated, actual).axes[0].lines) == 1


def test_five_panels_two_of_them_the_difference():
    rng = np.random.default_rng(1)
    actual = rng.random((30, 36))
    emulated = actual + rng.normal(0, 0.01, actual.shape)
    emulated[0] = np.nan
    figure = emulated_figure(image(actual / 9), image(actual), image(emulated), title="Pt")
    linear, multislice, shown, full, reduced = [panel.images[0] for panel in figure.axes]
    assert multislice.get_clim() == shown.get_clim() != linear.get_clim()
    np.testing.assert_array_equal(full.get_array(), reduced.get_array())
    np.testing.assert_allclose(full.get_array()[1:], (emulated - actual)[1:])
    assert full.get_clim()[1] == pytest.approx(multislice.get_clim()[1])
    assert 0.02 < reduced.get_clim()[1] < 0.05
    said = [panel.get_xlabel() for panel in figure.axes]
    assert said[3].startswith("±0.99")
    assert png_bytes(figure, 50).startswith(b"\x89PNG")


def test_equal_images_have_no_difference_and_are_drawn():
    flat = image(np.random.default_rng(2).random((20, 20)))
    figure = emulated_figure(flat, flat, flat)
    assert (figure.axes[4].images[0].get_array() == 0).all()
    assert png_bytes(figure, 50).startswith(b"\x89PNG")


def test_constants_are_drawn_too():
    for figure in (parity_figure(np.ones(9), np.ones(9)), error_figure(np.ones(9), np.ones(9))):
        assert png_bytes(figure, 50).startswith(b"\x89PNG")


def test_what_does_not_match_is_refused(values):
    with pytest.raises(ImageError, match="shapes"):
        parity_figure(np.zeros(3), np.zeros(4))
    with pytest.raises(ImageError, match="nothing to draw"):
        error_figure(np.full(3, np.nan), np.zeros(3))
    small, large = image(np.eye(20)), image(np.eye(21))
    with pytest.raises(ImageError, match="one shape"):
        emulated_figure(large, large, small)
