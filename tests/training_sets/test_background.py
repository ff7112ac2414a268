import numpy as np
import pytest

from crewe.recipes import child_generator
from crewe.training_sets.background import Background, background

NOTHING = {"level": 0, "plane_probability": 0, "hills_probability": 0, "waves_probability": 0}


def drawn(seed=1, shape=(64, 96), **settings):
    return background(Background.read({**NOTHING, **settings}), shape, child_generator(seed))


def test_nothing_asked_nothing_drawn():
    assert not drawn().any()


def test_a_plane_has_second_differences_of_zero_and_the_height_asked_for():
    plane = drawn(plane_probability=1, plane_height=0.4)
    for axis in (0, 1):
        assert np.abs(np.diff(plane, 2, axis)).max() < 1e-6
    assert plane.max() == pytest.approx(0.4, rel=1e-5)
    assert plane.min() == pytest.approx(0, abs=1e-6)


def test_a_wave_has_its_length():
    wave = drawn(shape=(256, 256), waves_probability=1, waves=1, wave_height=1, wave_length=0.125)
    spectrum = np.abs(np.fft.fft2(wave - wave.mean()))
    ky, kx = np.unravel_index(spectrum[:, :128].argmax(), (256, 128))
    assert np.hypot(min(ky, 256 - ky), kx) == pytest.approx(8, abs=0.8)


def test_hills_are_smooth_and_no_higher_than_asked():
    hills = drawn(hills_probability=1, hills=3, hill_height=0.2, hill_width=0.3)
    assert 0.05 < hills.max() <= 0.6
    assert np.abs(np.diff(hills, axis=0)).max() < 0.05


@pytest.mark.parametrize("seed", range(8))
def test_the_default_is_never_negative_and_repeats_with_its_seed(seed):
    image = background(Background(), (48, 48), child_generator(seed))
    assert image.min() >= 0
    assert image.dtype == np.float32
    assert np.array_equal(image, background(Background(), (48, 48), child_generator(seed)))
