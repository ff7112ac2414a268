import numpy as np
import pytest

from crewe import axes
from crewe.atoms.first_model import (
    SPACING_PER_SCALE,
    estimate_width,
    linear_model,
    points_of,
    starting_table,
)
from crewe.testing.lattices import draw_columns, square_lattice

STEP, WIDTH = 0.15, 0.45


@pytest.fixture
def lattice():
    """Columns of many heights on a slope; image, points in pixels (y, x), heights."""
    truth = square_lattice((120, 120)).truth
    truth = truth.assign(height=np.random.default_rng(1).uniform(0.5, 2, len(truth)))
    image = draw_columns(truth, (120, 120), STEP)
    image = image + np.linspace(0, 3, 120)[:, None]
    return image, truth[["y", "x"]].to_numpy() / STEP, truth["height"].to_numpy()


SCALE = 1.96 / STEP / SPACING_PER_SCALE


def test_heights_come_out_on_a_slope(lattice):
    image, points, heights = lattice
    model, information = linear_model(
        image.values, points, SCALE, WIDTH / STEP, np.ones(image.shape)
    )
    order = np.argsort(points[:, 0], kind="stable")
    np.testing.assert_allclose(points_of(model), points[order])
    np.testing.assert_allclose(model.columns[:, 0], heights[order], rtol=2e-3)
    # one Gaussian holds the information Σ exp(−r²/ρ²) ≈ π ρ² on its height
    inside = np.all((points[order] > 12) & (points[order] < 108), axis=1)
    np.testing.assert_allclose(information[inside], np.pi * (WIDTH / STEP) ** 2, rtol=0.01)


@pytest.mark.parametrize("most", [600, 40])
def test_the_common_width_is_read_off_the_image(lattice, most):
    image, points, _ = lattice
    assert estimate_width(image.values, points, SCALE, most) * STEP == pytest.approx(
        WIDTH, rel=0.04
    )


def test_the_table_is_in_the_coordinates_of_the_image(lattice):
    image, points, _ = lattice
    moved = image.assign_coords(
        x=("x", image["x"].values + 40, image["x"].attrs),
        y=("y", image["y"].values - 7, image["y"].attrs),
    )
    model, _ = linear_model(image.values, points, SCALE, WIDTH / STEP, np.ones(image.shape))
    variance = np.full(image.shape, 0.01)
    steps = np.array(axes.sampling(moved))
    table = starting_table(model, image.values, variance, SCALE, steps, moved)
    expected = points[np.argsort(points[:, 0], kind="stable")] * STEP + [-7, 40]
    np.testing.assert_allclose(table[["y", "x"]], expected)
    np.testing.assert_allclose(table["width"], WIDTH)
    # twice the noise, half the ratio
    doubled = starting_table(model, image.values, 4 * variance, SCALE, steps, moved)
    np.testing.assert_allclose(2 * doubled["signal_to_noise"], table["signal_to_noise"])
