import numpy as np
import pytest

from crewe.simulation.low_resolution.polygons import add_polygon, add_polygons, clip_rectangle

FLAT = np.array([1.0, 0.0, 0.0, 0.0, 0.0])


def shoelace(outline):
    y, x = np.asarray(outline).T
    return 0.5 * abs(np.sum(x * np.roll(y, 1) - y * np.roll(x, 1)))


def star_shaped(rng, corners, radius, centre):
    angles = 2 * np.pi * (np.arange(corners) + rng.uniform(-0.2, 0.2, corners)) / corners
    radii = radius * rng.uniform(0.4, 1, corners)
    return centre + np.column_stack([radii * np.sin(angles), radii * np.cos(angles)])


def drawn(outline, shape=(40, 50), plane=FLAT):
    image = np.zeros(shape, np.float32)
    add_polygon(image, np.ascontiguousarray(outline, float), plane)
    return image


def test_area_is_that_of_the_shoelace_formula():
    rng = np.random.default_rng(0)
    for corners in (3, 4, 5, 9, 40):
        for radius in (0.3, 2.0, 15.0):
            outline = star_shaped(rng, corners, radius, rng.uniform(18, 22, 2))
            assert drawn(outline).sum(dtype=float) == pytest.approx(shoelace(outline), rel=1e-5)
            assert np.allclose(drawn(outline[::-1]), drawn(outline), atol=1e-6)


def test_every_pixel_holds_its_covered_share():
    rng = np.random.default_rng(1)
    fine = 64
    for _ in range(5):
        y, x = np.sort(rng.uniform(0, 1, 3)), rng.uniform(0, 1, 3)
        outline = np.column_stack([y, x]) * 6 - 0.5
        grid = (np.arange(6 * fine) + 0.5) / fine - 0.5
        sides = [
            (b[1] - a[1]) * (grid[:, None] - a[0]) - (b[0] - a[0]) * (grid[None, :] - a[1])
            for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True)
        ]
        inside = np.all(np.array(sides) > 0, axis=0) | np.all(np.array(sides) < 0, axis=0)
        expected = inside.reshape(6, fine, 6, fine).mean(axis=(1, 3))
        assert np.abs(drawn(outline, (6, 6)) - expected).max() < 0.02


def test_rectangle_on_a_quarter_pixel():
    image = drawn([[0.75, 1.5], [0.75, 3.5], [3.5, 3.5], [3.5, 1.5]], (6, 6))
    expected = np.zeros((6, 6))
    expected[1, 2:4] = 0.75
    expected[2:4, 2:4] = 1
    assert np.allclose(image, expected)


def test_plane_is_taken_at_each_pixel_and_never_below_zero():
    everything = [[-9, -9], [-9, 90], [90, 90], [90, -9]]
    image = drawn(everything, plane=np.array([2.0, 10.0, 20.0, 0.3, -0.1]))
    y, x = np.indices(image.shape)
    assert np.allclose(image, np.maximum(2 + 0.3 * (y - 10) - 0.1 * (x - 20), 0), atol=1e-6)


def test_polygons_that_leave_the_image_are_those_of_a_larger_image():
    rng = np.random.default_rng(2)
    for _ in range(50):
        outline = star_shaped(rng, 5, 30, rng.uniform(-10, 50, 2))
        large = drawn(outline + 100, (240, 250))
        assert np.allclose(drawn(outline), large[100:140, 100:150], atol=1e-6)


@pytest.mark.parametrize("shift", [(-100, 0), (100, 0), (0, -100), (0, 100)])
def test_polygons_outside_draw_nothing(shift):
    outline = np.array([[3.0, 3], [3, 20], [20, 20]]) + shift
    assert not drawn(outline).any()


def test_polygons_that_share_sides_leave_no_seam():
    rng = np.random.default_rng(3)
    y, x = 13.3, 27.8
    around = star_shaped(rng, 30, 200, np.array([y, x]))
    image = np.zeros((40, 50), np.float32)
    for a, b in zip(around, np.roll(around, -1, axis=0), strict=True):
        add_polygon(image, np.array([[y, x], a, b]), FLAT)
    assert np.allclose(image, 1, atol=1e-5)


def test_many_polygons_add_up():
    rng = np.random.default_rng(4)
    outlines = [star_shaped(rng, corners, 12, rng.uniform(0, 40, 2)) for corners in (3, 4, 5)]
    planes = rng.uniform(0, 1, (3, 1)) * FLAT
    image = np.zeros((40, 50), np.float32)
    add_polygons(image, np.concatenate(outlines), np.array([0, 3, 7, 12]), planes)
    alone = [drawn(outline, plane=plane) for outline, plane in zip(outlines, planes, strict=True)]
    assert np.allclose(image, sum(alone), atol=1e-6)


def test_clipped_polygon_stays_inside():
    outline = star_shaped(np.random.default_rng(5), 7, 30, np.array([10.0, 10]))
    cut = clip_rectangle(outline, -0.5, -0.5, 19.5, 14.5)
    assert cut.min() >= -0.5 - 1e-9
    assert cut[:, 0].max() <= 19.5 + 1e-9
    assert cut[:, 1].max() <= 14.5 + 1e-9
    assert len(clip_rectangle(outline, 500.0, 500.0, 600.0, 600.0)) == 0
