import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from crewe.errors import CalibrationError, CreweError
from crewe.simulation.radial import _grid, draw_radial_model, radial_image

ELEMENTS = [6, 14, 26, 38, 79]


def some_atoms(count, extent, seed=1):
    rng = np.random.default_rng(seed)
    return rng.choice(ELEMENTS, count), rng.uniform(-2, extent + 2, (count, 3))


def naive_image(numbers, positions, shape, pixel_size, model, reach=5.0):
    """Eq. (16), written out."""
    y, x = np.indices(shape) * pixel_size
    image = np.zeros(shape)
    for number, (px, py, _) in zip(numbers, positions, strict=True):
        e = list(model.elements).index(number)
        r = np.hypot(x - px, y - py)
        image += np.where(r <= reach * model.radii[e], model.profile(r)[e], 0)
    return image


@pytest.mark.parametrize("pixel_size", [0.1, 0.35, 0.9])
def test_stamps_equal_the_sum_written_out(pixel_size):
    model = draw_radial_model(ELEMENTS, np.random.default_rng(2), order=(4, 6))
    numbers, positions = some_atoms(60, 40 * pixel_size)
    found = radial_image(numbers, positions, (40, 33), pixel_size, model, method="stamps")
    expected = naive_image(numbers, positions, (40, 33), pixel_size, model)
    # The cusp of the exponential and the cut at the reach are what the triangle of 0.05 Å rounds.
    assert np.abs(found - expected).max() < 0.03 * expected.max()
    assert np.sqrt(np.mean((found - expected) ** 2)) < 2e-3 * expected.max()


def blurred_naive(number, position, shape, pixel_size, model, blur):
    """One atom drawn on a grid eight times finer and blurred there."""
    fine = pixel_size / 8
    rows, columns = shape
    y, x = np.indices((rows * 8, columns * 8)) * fine
    e = list(model.elements).index(number)
    drawn = model.profile(np.hypot(x - position[0], y - position[1]))[e]
    return gaussian_filter(drawn, blur / fine, mode="nearest", truncate=6)[::8, ::8]


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.5, 0.5), (0.31, 0.87)])
def test_the_fourier_image_of_an_atom_is_its_blurred_function_at_any_offset(offset):
    pixel_size, shape = 0.1, (80, 72)
    model = draw_radial_model([14], np.random.default_rng(3), order=(4, 5), size_factor=(0.6, 0.6))
    grid = _grid(shape, pixel_size, model, 4.0)
    position = (pixel_size * (36 + offset[0]), pixel_size * (40 + offset[1]), 0.0)
    found = radial_image([14], [position], shape, pixel_size, model, method="fourier")
    blur = 0.8 * grid.pitch_angstrom
    expected = blurred_naive(14, position, shape, pixel_size, model, blur)
    assert np.abs(found - expected).max() < 3e-3 * expected.max()


@pytest.mark.parametrize("pixel_size", [0.025, 0.06, 0.15, 0.3])
def test_both_ways_give_the_same_image_up_to_the_blur(pixel_size):
    model = draw_radial_model(ELEMENTS, np.random.default_rng(4))
    numbers, positions = some_atoms(400, 64 * pixel_size)
    stamps, fourier = (
        radial_image(numbers, positions, (64, 60), pixel_size, model, method=method)
        for method in ("stamps", "fourier")
    )
    assert np.corrcoef(stamps.ravel(), fourier.ravel())[0, 1] > 0.985
    assert fourier.mean() == pytest.approx(stamps.mean(), rel=0.04)


def test_mixing_elements_before_the_transform_changes_little(monkeypatch):
    many = np.arange(5, 100, 6)
    model = draw_radial_model(many, np.random.default_rng(5))
    positions = np.random.default_rng(6).uniform(0, 6, (len(many), 3))
    mixed = radial_image(many, positions, (64, 64), 0.1, model, method="fourier")
    monkeypatch.setattr("crewe.simulation.radial.LOW_RANK_ERROR", 0.0)
    apart = radial_image(many, positions, (64, 64), 0.1, model, method="fourier")
    assert 0 < np.abs(mixed - apart).max() < 0.005 * apart.max()


@pytest.mark.parametrize("method", ["stamps", "fourier"])
def test_nothing_wraps_round_into_the_image(method):
    model = draw_radial_model([79], np.random.default_rng(7))
    far = 5 * model.radii[0]
    outside = [(3.0, -far - 0.3, 0.0), (3.0, 6.4 + far + 0.3, 0.0), (np.nan, 1.0, 0.0)]
    found = radial_image([79] * 3, outside, (64, 64), 0.1, model, method=method)
    assert np.abs(found).max() < 5e-3 * model.profile(0.0).max()
    beside = [(3.0, -0.5, 0.0)]
    image = radial_image([79], beside, (64, 64), 0.1, model, method=method)
    assert image[0].max() > 0.2 * model.profile(0.0).max()
    assert image[-1].max() < 5e-3 * model.profile(0.0).max()


def test_an_image_without_atoms_is_empty():
    model = draw_radial_model([6], np.random.default_rng(8))
    assert not radial_image([], np.zeros((0, 3)), (8, 9), 0.1, model).any()


def test_a_margin_leaves_out_what_is_further_away():
    model = draw_radial_model([6], np.random.default_rng(9))
    near, away = [(1.0, -0.4, 0.0)], [(1.0, -1.5, 0.0)]
    kept, left = (
        radial_image([6], place, (32, 32), 0.1, model, margin_px=5, method="fourier")
        for place in (near, away)
    )
    assert kept.max() > 1e3 * left.max()


def test_what_makes_no_sense_is_refused():
    model = draw_radial_model([6, 8], np.random.default_rng(10))
    with pytest.raises(CreweError, match=r"holds \[79\]"):
        radial_image([6, 79], np.zeros((2, 3)), (8, 8), 0.1, model)
    with pytest.raises(CalibrationError, match="pixel size"):
        radial_image([6], np.zeros((1, 3)), (8, 8), 0.0, model)


@pytest.mark.parametrize("pixel_size", [0.03, 0.2, 0.6])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.5, 0.25)])
def test_an_image_by_pixels_holds_the_integral_and_the_place_of_an_atom(pixel_size, offset):
    model = draw_radial_model([38], np.random.default_rng(8), order=(4, 6), size_factor=(0.6, 0.6))
    side = int(2 * 5 * model.radii[0] / pixel_size) + 9
    place = np.array([side // 2 + offset[0], side // 2 + offset[1]]) * pixel_size
    positions = [[place[1], place[0], 0.0]]
    image = radial_image([38], positions, (side, side), pixel_size, model, method="pixels")
    assert image.sum() * pixel_size**2 == pytest.approx(model.integrals()[0], rel=0.03)
    at = np.arange(side) * pixel_size
    centroid = np.array([image.sum(1) @ at, image.sum(0) @ at]) / image.sum()
    assert np.abs(centroid - place).max() < 0.02 * pixel_size


def test_an_image_by_pixels_is_the_other_one_a_little_sharper_or_softer():
    model = draw_radial_model(ELEMENTS, np.random.default_rng(9))
    numbers, positions = some_atoms(3000, 80 * 0.3)
    by_pixels, fourier = (
        radial_image(numbers, positions, (80, 80), 0.3, model, method=method)
        for method in ("pixels", "fourier")
    )
    assert np.corrcoef(by_pixels.ravel(), fourier.ravel())[0, 1] > 0.98
    assert by_pixels.mean() == pytest.approx(fourier.mean(), rel=0.01)
