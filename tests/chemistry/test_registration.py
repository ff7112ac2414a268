import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from crewe.axes import calibrated_image
from crewe.chemistry.registration import align, register, shifted
from crewe.errors import ImageError

SIZE = 80


def scene(seed, move=(0.0, 0.0), counts=3.0, lattice=False):
    """A textured core and shell: the image lies off the maps by `move`."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE]
    from_centre = np.hypot(y - SIZE / 2 - 3, x - SIZE / 2 + 4)
    texture = 1 + 0.4 * gaussian_filter(np.random.default_rng(99).normal(size=(SIZE, SIZE)), 2) * 7
    thickness = np.maximum(0, texture) * (from_centre < SIZE / 3)
    if lattice:
        thickness = (np.cos(2 * np.pi * x / 8) * np.cos(2 * np.pi * y / 8) + 1) ** 2 / 4
    core = gaussian_filter((from_centre < SIZE / 6).astype(float), 1)
    amounts = np.stack([thickness * (0.3 + 0.7 * core), thickness * (1 - 0.6 * core)])
    elastic = calibrated_image(30 * (27 * amounts[0] + 8 * amounts[1]), 1.0)
    elastic = shifted(elastic, (-move[0], -move[1]))
    image = calibrated_image(rng.poisson(np.maximum(elastic.values, 0) + 20).astype(float), 1.0)
    maps = rng.poisson(counts * np.maximum(amounts, 0)).astype(float)
    return image, {"Co": calibrated_image(maps[0], 1.0), "O": calibrated_image(maps[1], 1.0)}


@pytest.mark.parametrize("move", [(0.0, 0.0), (1.4, -2.7), (-5.0, 3.3)])
def test_a_known_shift_is_found_within_its_stated_error(move):
    found = register(*scene(1, move))
    assert found.trusted
    for axis in range(2):
        assert abs(found.shift_px[axis] - move[axis]) < 4 * found.standard_error_px[axis]
        assert found.standard_error_px[axis] < 0.15


def test_the_stated_error_is_the_scatter_of_repeats():
    found = [register(*scene(seed, (0.6, -1.3), counts=1.0)) for seed in range(24)]
    shifts = np.array([item.shift_px for item in found])
    stated = np.mean([item.standard_error_px for item in found])
    scatter = np.sqrt(shifts.var(axis=0, ddof=1).mean())
    # The standard deviation of 48 values is known to 10 %.
    assert scatter == pytest.approx(stated, rel=0.35)
    assert shifts.mean(axis=0) == pytest.approx([0.6, -1.3], abs=4 * stated / np.sqrt(24) + 0.02)


def test_the_correlation_is_that_of_a_regression():
    image, maps = scene(3)
    found = register(image, maps, largest_shift_px=4)
    moved = gaussian_filter(shifted(image, found.shift_px).values, 0.7)[4:-4, 4:-4].ravel()
    columns = [layer.values[4:-4, 4:-4].ravel() for layer in maps.values()]
    design = np.stack([np.ones_like(moved), *columns], axis=1)
    left = moved - design @ np.linalg.lstsq(design, moved, rcond=None)[0]
    assert found.correlation**2 == pytest.approx(1 - left.var() / moved.var(), abs=0.01)


def test_on_a_lattice_the_shortest_shift_is_taken():
    found = register(*scene(4, (0.7, -0.9), lattice=True))
    assert found.shift_px == pytest.approx((0.7, -0.9), abs=0.2)
    assert found.trusted


def test_maps_of_noise_are_not_trusted_and_leave_the_image_alone():
    image, _ = scene(5)
    noise = np.random.default_rng(6).poisson(0.2, image.shape).astype(float)
    same, found = align(image, {"Co": calibrated_image(noise, 1.0)})
    assert not found.trusted
    assert "not trusted" in found.remark
    assert same is image


def test_a_shift_beyond_the_range_is_not_trusted():
    found = register(*scene(7, (6.0, 0.0)), largest_shift_px=3)
    assert not found.trusted
    assert "end of the range" in found.remark


def test_empty_maps_are_told():
    image, maps = scene(8)
    found = register(image, {"Co": 0 * maps["Co"]})
    assert not found.trusted
    assert "empty" in found.remark


def test_alignment_moves_the_image_and_never_the_maps():
    image, maps = scene(9, (2.3, -1.8))
    before = {name: layer.values.copy() for name, layer in maps.items()}
    moved, found = align(image, maps)
    assert np.array_equal(moved.values, shifted(image, found.shift_px).values)
    assert all(np.array_equal(maps[name].values, before[name]) for name in maps)
    again = register(moved, maps)
    assert np.abs(again.shift_px).max() < 0.1


def test_a_shift_that_is_not_there_costs_no_resampling():
    image, maps = scene(10, counts=0.5)
    same, found = align(image, maps)
    assert found.trusted
    assert same is image


def test_whole_shifts_move_pixels_and_shifts_add():
    image, _ = scene(11)
    assert np.allclose(shifted(image, (2, -3)).values[2:, :-3], image.values[:-2, 3:])
    smooth = calibrated_image(gaussian_filter(image.values, 2), 1.0)
    twice = shifted(shifted(smooth, (0.3, 0.4)), (0.7, -0.4))
    inner = slice(8, -8)
    difference = twice.values[inner, inner] - shifted(smooth, (1, 0)).values[inner, inner]
    assert np.abs(difference).max() < 0.01 * np.ptp(smooth.values)


def test_shapes_and_pixels_that_do_not_fit_are_refused():
    image, maps = scene(12)
    with pytest.raises(ImageError, match="onto_grid"):
        register(image, {"Co": maps["Co"][:40]})
    with pytest.raises(ImageError, match="a quarter of the side"):
        register(image, maps, largest_shift_px=40)
    broken = maps["O"].copy()
    broken.values[3, 3] = np.nan
    with pytest.raises(ImageError, match="NaN"):
        register(image, {"O": broken})
