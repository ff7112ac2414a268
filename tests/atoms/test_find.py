import contextlib

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from crewe import axes
from crewe.atoms import find_columns, match_columns
from crewe.errors import ImageError, NoColumnsError
from crewe.testing.lattices import count_electrons, draw_columns, square_lattice


def missed_and_invented(found, truth, shape, sampling=0.15, margin=1.0, tolerance=0.6):
    inside = [
        table[["x", "y"]].gt(margin).all(axis=1)
        & table["x"].lt(shape[1] * sampling - margin)
        & table["y"].lt(shape[0] * sampling - margin)
        for table in (truth, found)
    ]
    missed = (match_columns(found, truth, tolerance) < 0) & inside[0]
    invented = (match_columns(truth, found, tolerance) < 0) & inside[1]
    return int(missed.sum()), int(invented.sum())


@pytest.mark.parametrize("dose", [5e3, 5e4, np.inf])
def test_finds_a_lattice_without_being_told_anything(dose):
    phantom = square_lattice()
    image = phantom.image
    if np.isfinite(dose):
        image = count_electrons(image, dose * 0.15**2, seed=1)
    found = find_columns(image)
    assert missed_and_invented(found, phantom.truth, image.shape) == (0, 0)
    assert found["width"].iloc[0] == pytest.approx(0.45, rel=0.25)


def test_finds_columns_that_single_pixels_do_not_show():
    """At 500 e/Å² a column has 25 electrons on a background as strong."""
    phantom = square_lattice((256, 256))
    found = find_columns(count_electrons(phantom.image, 500 * 0.15**2, seed=2))
    missed, invented = missed_and_invented(found, phantom.truth, (256, 256), tolerance=0.784)
    assert missed + invented <= 0.04 * len(phantom.truth)


def test_survives_a_steep_background():
    phantom = square_lattice()
    slope = np.linspace(0, 10, 160)[None, :] * 0.04
    image = phantom.image + slope
    found = find_columns(axes.calibrated_image(image.values, 0.15))
    assert missed_and_invented(found, phantom.truth, image.shape) == (0, 0)


def test_finds_surface_columns_a_tenth_as_bright():
    phantom = square_lattice((200, 200))
    left = phantom.truth["x"] < phantom.truth["x"].min() + 0.5
    truth = phantom.truth.assign(height=np.where(left, 0.004, 0.04))
    image = draw_columns(truth, (200, 200), 0.15, background=0.002)
    counts = count_electrons(image, 1e5 * 0.15**2, seed=3)
    assert missed_and_invented(find_columns(counts), truth, (200, 200)) == (0, 0)


def test_keeps_the_partners_of_dumbbells_apart():
    """Silicon along [110]: pairs 1.36 Å apart on a cell of 3.84 × 5.43 Å."""
    y, x = np.meshgrid(np.arange(2, 26, 5.43), np.arange(2, 26, 3.84), indexing="ij")
    corner = np.stack([x.ravel(), y.ravel()], axis=1)
    cell = np.array([[0, 0], [0, 1.3575], [1.92, 2.715], [1.92, 4.0725]])
    place = (corner[:, None, :] + cell).reshape(-1, 2)
    truth = pd.DataFrame({"x": place[:, 0], "y": place[:, 1], "height": 1.0, "width": 0.45})
    image = draw_columns(truth, (280, 280), 0.1, background=0.5)
    counts = count_electrons(image, 50.0, seed=4)
    found = find_columns(counts)
    assert missed_and_invented(found, truth, (280, 280), 0.1, 0.5, 0.5) == (0, 0)


def test_positions_follow_the_axes_of_the_image():
    phantom = square_lattice()
    shifted = phantom.image.assign_coords(
        x=("x", phantom.image["x"].values + 100.0, phantom.image["x"].attrs),
        y=("y", phantom.image["y"].values - 20.0, phantom.image["y"].attrs),
    )
    plain, moved = find_columns(phantom.image), find_columns(shifted)
    assert np.allclose(moved["x"] - plain["x"], 100.0)
    assert np.allclose(moved["y"] - plain["y"], -20.0)
    assert plain.attrs["units"]["x"] == "Å"


def test_works_in_pixels_when_told_so():
    phantom = square_lattice()
    found = find_columns(axes.calibrated_image(phantom.image.values, 1.0, "px"))
    assert found.attrs["units"]["x"] == "px"
    assert np.allclose(found["x"] * 0.15, find_columns(phantom.image)["x"], atol=1e-6)


def test_a_given_spacing_overrides_the_estimate():
    phantom = square_lattice()
    found = find_columns(phantom.image, spacing=1.96)
    assert missed_and_invented(found, phantom.truth, phantom.image.shape) == (0, 0)


def test_an_observer_hears_the_progress():
    heard = []
    find_columns(square_lattice().image, observer=lambda stage, part: heard.append(part))
    assert heard[0] == 0.0
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


@pytest.mark.parametrize("smooth", [0.0, 1.0, 2.0])
def test_noise_of_any_colour_holds_next_to_no_columns(smooth):
    found = []
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(10, 1, (192, 192))
        noise = ndimage.gaussian_filter(noise, smooth)
        with contextlib.suppress(NoColumnsError):
            found.append(len(find_columns(axes.calibrated_image(noise, 0.2))))
    assert len(found) <= 2
    assert sum(found) <= 5


def test_a_constant_image_is_refused():
    with pytest.raises(ImageError):
        find_columns(axes.calibrated_image(np.ones((64, 64)), 0.2))
