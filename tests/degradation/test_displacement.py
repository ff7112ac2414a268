import numpy as np
import pytest

from crewe.degradation import Displacement, displace, undo
from crewe.errors import ImageError

Y, X = np.mgrid[:60, :70].astype(float)


def smooth(y, x):
    return 3 + np.sin(2 * np.pi * y / 15) + np.cos(2 * np.pi * x / 12 + y / 20)


def by_line(dy, dx, lines=60):
    ones = np.ones((lines, 1), np.float32)
    return Displacement(ones * np.float32(dy), ones * np.float32(dx))


def test_whole_pixels_move_exactly():
    image = np.random.default_rng(0).normal(size=(60, 70)).astype(np.float32)
    moved = displace(image, by_line(2, -3))
    assert np.allclose(moved[:-2, 3:], image[2:, :-3], atol=1e-6)
    assert np.allclose(moved[:-2, 0], image[2:, 0], atol=1e-6)


def test_a_displaced_image_is_the_function_at_the_displaced_places():
    rng = np.random.default_rng(1)
    displacement = Displacement(*rng.normal(0, 0.6, (2, 60, 1)).astype(np.float32))
    moved = displace(smooth(Y, X), displacement)
    expected = smooth(Y + displacement.dy, X + displacement.dx)
    assert np.abs(moved - expected)[4:-4, 4:-4].max() < 0.02


def test_lines_and_pixels_agree():
    rng = np.random.default_rng(2)
    lines = Displacement(*rng.normal(0, 2, (2, 60, 1)).astype(np.float32))
    pixels = Displacement(*lines.field((60, 70)))
    assert not pixels.by_line
    image = rng.normal(size=(60, 70))
    assert np.allclose(displace(image, lines), displace(image, pixels), atol=1e-5)


def test_constants_and_ramps_survive():
    rng = np.random.default_rng(3)
    displacement = Displacement(*rng.normal(0, 1, (2, 60, 1)).astype(np.float32))
    assert np.allclose(displace(np.full((60, 70), 5.0), displacement), 5, atol=1e-5)
    ramp = displace(2 * Y - 0.5 * X, displacement)
    expected = 2 * (Y + displacement.dy) - 0.5 * (X + displacement.dx)
    assert np.allclose(ramp[8:-8, 8:-8], expected[8:-8, 8:-8], atol=1e-3)


def test_undo_brings_the_image_back():
    rng = np.random.default_rng(4)
    displacement = Displacement(*rng.normal(0, 0.5, (2, 60, 1)).astype(np.float32))
    image = smooth(Y, X)
    moved = displace(image, displacement)
    inner = (slice(6, -6), slice(6, -6))
    before, after = (
        np.sqrt(np.mean((one - image)[inner] ** 2)) for one in (moved, undo(moved, displacement))
    )
    assert after < 0.02
    assert after < before / 15


def test_undo_takes_interchanged_and_equal_lines():
    dy = np.zeros((60, 1), np.float32)
    dy[20], dy[21], dy[40] = 1.5, -0.5, 1.0
    displacement = Displacement(dy, np.zeros_like(dy))
    back = undo(displace(smooth(Y, X), displacement), displacement)
    assert np.abs(back - smooth(Y, X))[6:-6, 6:-6].max() < 0.2


def test_displacements_add_up_and_are_cropped():
    whole = by_line(1, 2) + Displacement(*np.full((2, 60, 70), 0.5, np.float32))
    assert whole.field((60, 70)).shape == (2, 60, 70)
    assert np.all(whole.dx == 2.5)
    assert whole.cropped(5).dx.shape == (50, 60)
    assert by_line(1, 2).cropped(5).dy.shape == (50, 1)


def test_refuses_the_displacement_of_another_image():
    with pytest.raises(ImageError, match="is not one of an image"):
        displace(np.ones((50, 70)), by_line(0.5, 0))
    with pytest.raises(ImageError, match="whole scan lines"):
        undo(np.ones((60, 70)), Displacement(*np.ones((2, 60, 70), np.float32)))
