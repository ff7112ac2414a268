import numpy as np
import pytest

from crewe.atoms.brightness import brightness_types, relative_brightness


def lattice(n=20):
    y, x = np.mgrid[0:n, 0:n].astype(float)
    return x.ravel(), y.ravel()


def test_a_thickness_wedge_drops_out():
    x, y = lattice()
    wedge = 1 + 0.2 * x
    inner = (x > 3) & (x < 16) & (y > 3) & (y < 16)
    assert np.abs(relative_brightness(x, y, wedge)[inner]).max() < 0.05


@pytest.mark.parametrize("scatter", [0.0, 0.1])
def test_alternating_columns_on_a_wedge_are_two_types(scatter):
    x, y = lattice()
    dim = (x + y) % 2 == 1
    noise = np.exp(np.random.default_rng(0).normal(0, scatter, x.size))
    types = brightness_types(x, y, np.where(dim, 0.5, 1.0) * (1 + 0.1 * x) * noise, x > -1)
    assert np.mean(types == dim) > 0.99


def test_three_brightnesses_are_three_types_from_bright_to_dim():
    x, y = lattice(24)
    kind = (x % 3).astype(int)
    brightness = np.array([1.0, 0.5, 0.25])[kind]
    brightness = brightness * np.exp(np.random.default_rng(1).normal(0, 0.05, x.size))
    inner = (x > 2) & (x < 21) & (y > 2) & (y < 21)
    types = brightness_types(x, y, brightness, inner)
    assert np.mean(types[inner] == kind[inner]) > 0.98


def test_noise_alone_is_one_type():
    x, y = lattice()
    for seed in range(5):
        brightness = np.exp(np.random.default_rng(seed).normal(0, 0.25, x.size))
        assert brightness_types(x, y, brightness, x > -1).max() == 0


def test_a_rare_outlier_is_no_type_of_its_own():
    x, y = lattice()
    brightness = np.exp(np.random.default_rng(2).normal(0, 0.05, x.size))
    brightness[::40] *= 5
    assert brightness_types(x, y, brightness, x > -1).max() == 0


def test_too_few_columns_are_one_type():
    x, y = lattice(5)
    assert brightness_types(x, y, np.where(x % 2 == 0, 1.0, 0.1), x > -1).max() == 0
