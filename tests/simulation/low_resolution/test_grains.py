import itertools

import numpy as np
import pytest
from scipy.spatial import cKDTree

from crewe.simulation.low_resolution.grains import Grains, grains_image, voronoi_cells
from crewe.simulation.low_resolution.polygons import add_polygon


def cells_of(points, shape):
    corners, shared, first = voronoi_cells(points, shape)
    pairs = list(itertools.pairwise(first))
    return [corners[a:b] for a, b in pairs], [shared[a:b] for a, b in pairs]


def covered(outline, shape):
    image = np.zeros(shape, np.float32)
    if len(outline):
        add_polygon(image, outline, np.array([1.0, 0, 0, 0, 0]))
    return image


@pytest.mark.parametrize("number", [1, 2, 15, 175])
def test_cells_hold_the_pixels_nearest_to_their_points_and_tile_the_image(number):
    shape = (70, 90)
    points = np.random.default_rng(number).uniform(-12, 100, (number, 2))
    shares = np.array([covered(cell, shape) for cell in cells_of(points, shape)[0]])
    assert np.allclose(shares.sum(axis=0), 1, atol=1e-5)
    pixels = np.stack(np.indices(shape), axis=-1)
    nearest = cKDTree(points).query(pixels)[1]
    whole = shares.max(axis=0) > 0.999
    assert whole.mean() > 0.35
    assert np.array_equal(shares.argmax(axis=0)[whole], nearest[whole])


def test_sides_between_cells_lie_midway_between_two_points():
    points = np.random.default_rng(3).uniform(0, 60, (30, 2))
    for cell, shared in zip(*cells_of(points, (60, 60)), strict=True):
        middles = 0.5 * (cell + np.roll(cell, 1, axis=0))
        gaps = cKDTree(points).query(middles, k=2)[0]
        assert np.allclose(gaps[shared, 0], gaps[shared, 1], atol=1e-7)
        on_frame = np.any((np.abs(middles + 10) < 1e-9) | (np.abs(middles - 70) < 1e-9), axis=1)
        assert np.array_equal(on_frame, ~shared)


def test_two_points_at_one_place_do_no_harm():
    points = np.array([[10.0, 10.0], [10.0, 10.0], [30.0, 30.0]])
    assert len(cells_of(points, (40, 40))[0]) == 3


def test_borders_have_their_level_and_width():
    part = Grains(
        number=40, border_probability=1.0, border_intensity=1.5, border_width_px=3.0, tilt=0
    )
    flat = Grains(number=40, border_probability=0.0, tilt=0)
    image, facts = grains_image(part, (120, 120), np.random.default_rng(4))
    bare, none = grains_image(flat, (120, 120), np.random.default_rng(4))
    assert facts["border"]
    assert not none["border"]
    assert "border_width_px" not in none
    level = 1.5 * bare.mean(dtype=float)
    on_line = np.abs(image - level) < 1e-5
    assert 0.03 < on_line.mean() < 0.4
    far = cKDTree(np.argwhere(on_line)).query(np.argwhere(image == bare))[0]
    assert far.min() > 0.9


def test_numbers_and_borders_as_often_as_they_should():
    facts = [
        grains_image(Grains(), (40, 40), np.random.default_rng(seed))[1] for seed in range(200)
    ]
    numbers = np.array([fact["number"] for fact in facts])
    assert numbers.min() >= 15
    assert numbers.max() <= 175
    assert abs(numbers.mean() - 95) < 4 * 46.5 / np.sqrt(200)
    share = np.mean([fact["border"] for fact in facts])
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(200)
    levels = [fact["border_intensity"] for fact in facts if fact["border"]]
    assert 0.5 <= min(levels) < 0.6
    assert 1.4 < max(levels) <= 1.5


def test_grains_are_positive_everywhere_and_seeds_decide():
    images = [
        grains_image(Grains(tilt=1.0), (50, 60), np.random.default_rng(seed))[0]
        for seed in (1, 1, 2)
    ]
    assert images[0].min() >= 0
    assert np.mean(images[0] > 0) > 0.99
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_no_grains_is_an_empty_image():
    assert not grains_image(Grains(number=0), (9, 9), np.random.default_rng(0))[0].any()
