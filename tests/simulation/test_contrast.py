import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from crewe.errors import ImageError, RecipeError
from crewe.simulation.contrast import (
    ContrastRecipe,
    apply_contrast,
    contrast_constant,
    gaussian_background,
    inverted,
    normalised,
    plane_background,
    raised,
    random_background,
)


@pytest.fixture
def image():
    return np.random.default_rng(0).gamma(2.0, size=(60, 80)).astype(np.float32)


def ratio(image):
    return image.std(dtype=float) / image.mean(dtype=float)


def draws(number, image, **settings):
    part = ContrastRecipe(**settings)
    return [apply_contrast(image, part, np.random.default_rng(seed)) for seed in range(number)]


def test_inversion_keeps_the_sum_with_the_image_constant_and_twice_is_the_image_above_zero(image):
    assert np.allclose(inverted(image) + image, image.max())
    assert np.allclose(inverted(inverted(image)), image - image.min(), atol=1e-6)


def test_power_multiplies_the_slope_of_the_logarithm(image):
    assert np.allclose(np.log(raised(image, 0.7)), 0.7 * np.log(image), atol=1e-5)
    assert np.all(raised(np.zeros((2, 2), np.float32), 0.5) == 0)


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.57, 2.5, 4.0, 5.9])
def test_plane_has_one_slope_and_runs_from_zero_to_its_height(angle):
    plane = plane_background((40, 70), 3.0, angle)
    assert plane.min() == pytest.approx(0, abs=1e-6)
    assert plane.max() == pytest.approx(3, rel=1e-6)
    slope_y, slope_x = np.diff(plane, axis=0), np.diff(plane, axis=1)
    assert np.ptp(slope_y) < 1e-5
    assert np.ptp(slope_x) < 1e-5
    assert slope_y.mean() * np.cos(angle) == pytest.approx(slope_x.mean() * np.sin(angle), abs=1e-6)


def test_plane_on_one_pixel_is_flat():
    assert plane_background((1, 1), 3.0, 0.3).tolist() == [[0]]


def test_gaussian_has_its_height_centre_and_width():
    background = gaussian_background((101, 121), 2.0, (50, 70), 8.0)
    y, x = np.indices(background.shape)
    assert background[50, 70] == pytest.approx(2)
    assert background.sum(dtype=float) == pytest.approx(2 * 2 * np.pi * 8**2, rel=1e-4)
    assert np.average((y - 50) ** 2, weights=background) == pytest.approx(64, rel=1e-3)
    assert np.average(x, weights=background) == pytest.approx(70, abs=1e-2)


def test_backgrounds_stay_in_their_ranges(image):
    part = ContrastRecipe()
    rng = np.random.default_rng(2)
    facts = [random_background(image, part, rng)[1] for _ in range(400)]
    heights = np.array([fact["height"] for fact in facts]) / image.max()
    sigmas = np.array([fact["sigma_px"] for fact in facts if fact["kind"] == "gaussian"])
    assert 0 <= heights.min() < 0.02
    assert 0.48 < heights.max() <= 0.5
    assert 0.2 * 60 <= sigmas.min() < 13
    assert 35 < sigmas.max() <= 0.6 * 60
    assert abs(len(sigmas) - 200) < 4 * np.sqrt(100)


@pytest.mark.parametrize("pedestal", [0.0, 0.3, 10.0, 3000.0])
def test_constant_brings_the_contrast_to_the_nearest_bound_and_no_further(image, pedestal):
    given_image = image.astype(np.float64) + pedestal
    constant = contrast_constant(given_image)
    bound = np.clip(ratio(given_image), 0.01, 0.35)
    assert ratio(given_image + constant) == pytest.approx(bound, rel=1e-6)
    assert (given_image + constant).min() >= 0


def test_pedestal_is_taken_off_only_down_to_zero():
    image = np.ones((300, 300))
    image[150, 150] = 0.5
    assert contrast_constant(image) == -0.5
    assert contrast_constant(np.full((5, 5), 7.0)) == 0
    assert contrast_constant(np.zeros((5, 5))) == 0


def test_images_keep_the_bounds_are_normalised_and_nowhere_negative(image):
    for pedestal in (0, 500):
        for result, facts in draws(60, image + np.float32(pedestal)):
            assert result.dtype == np.float32
            assert result.max() == 1
            assert result.min() >= 0
            assert 0.01 - 1e-4 <= ratio(result) <= 0.35 + 1e-4
            assert not facts["flat"]


def test_each_step_happens_as_often_as_it_should(image):
    facts = [fact for _, fact in draws(400, image)]
    for share in (
        np.mean([fact["inverted"] for fact in facts]),
        np.mean([fact["power"] != 1 for fact in facts]),
        np.mean([fact["background"]["kind"] == "plane" for fact in facts]),
    ):
        assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(400)
    powers = [fact["power"] for fact in facts]
    assert min(powers) >= 0.5
    assert max(powers) <= 1.5


def test_with_every_step_off_only_contrast_and_scale_change(image):
    off = {"inversion_probability": 0, "power_probability": 0, "background_probability": 0}
    ((result, facts),) = draws(1, image, **off)
    assert facts["background"] is None
    assert facts["power"] == 1
    back = result * facts["maximum"] - facts["added_constant"]
    assert np.allclose(back, image, atol=1e-5)


def test_facts_are_enough_to_repeat_an_image(image):
    result, facts = draws(9, image)[8]
    again = inverted(image) if facts["inverted"] else image
    again = raised(again, facts["power"])
    added = facts["background"]
    if added["kind"] == "plane":
        again = again + plane_background(
            image.shape, added["height"], np.deg2rad(added["angle_deg"])
        )
    else:
        again = again + gaussian_background(
            image.shape, added["height"], added["centre_px"], added["sigma_px"]
        )
    assert np.allclose(normalised(again + np.float32(facts["added_constant"])), result, atol=1e-6)


def test_seed_decides(image):
    first, second = draws(2, image)
    (again, facts), _ = draws(2, image)
    assert np.array_equal(first[0], again)
    assert first[1] == facts
    assert not np.array_equal(first[0], second[0])


def test_an_image_without_signal_is_its_background():
    for result, facts in draws(20, np.zeros((30, 40), np.float32)):
        assert not facts["flat"]
        assert 0.01 - 1e-4 <= ratio(result) <= 0.35 + 1e-4
        assert facts["background"]["height"] <= 0.5


@pytest.mark.parametrize("level", [0.0, 4.0])
def test_an_image_that_stays_without_contrast_is_one_everywhere(level):
    off = {"background_probability": 0}
    for result, facts in draws(10, np.full((8, 9), level), **off):
        assert facts["flat"]
        assert np.all(result == 1)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float32, array_shapes(min_dims=2, max_dims=2), elements=st.floats(0, 1e6, width=32)),
    st.integers(0, 2**32),
)
def test_any_image_comes_out_between_zero_and_one(image, seed):
    result, _ = apply_contrast(image, ContrastRecipe(), np.random.default_rng(seed))
    assert result.shape == image.shape
    assert result.min() >= 0
    assert result.max() == 1


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (np.full((3, 3), np.nan), "NaN"),
        (np.full((3, 3), np.inf), "infinity"),
        (np.array([[1.0, -0.1]]), "negative"),
        (np.ones(5), "dims"),
        (np.ones((0, 4)), "dims"),
    ],
)
def test_images_that_cannot_be_are_refused(bad, words):
    with pytest.raises(ImageError, match=words):
        apply_contrast(bad, ContrastRecipe(), np.random.default_rng(0))


@pytest.mark.parametrize(
    "settings",
    [
        {"inversion_probability": 1.2},
        {"least_contrast": 0.5, "most_contrast": 0.4},
        {"power": [0.0, 1.0]},
        {"gaussian_sigma_fraction": -0.1},
        {"background_height": [-1, 1]},
        {"inversion": 0.5},
    ],
)
def test_recipes_that_cannot_be_are_refused(settings):
    with pytest.raises(RecipeError):
        ContrastRecipe.read(settings)
