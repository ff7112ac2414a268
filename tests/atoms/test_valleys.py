import numpy as np
import pytest

from crewe.atoms.stamps import Grid
from crewe.atoms.valleys import (
    Samples,
    column_spacing,
    polynomial_surface,
    samples_of,
    smooth_surface,
    valley_mask,
)

GRID = Grid(90, 120, 0.2, 0.15)


def square(spacing=2.0):
    x, y = np.meshgrid(np.arange(1.0, 17.5, spacing), np.arange(1.0, 17.5, spacing))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def quadratic(x, y):
    return 3 + 0.2 * x - 0.1 * y + 0.02 * x * y - 0.01 * x**2 + 0.03 * y**2


def scattered(function, count=400, seed=0):
    place = np.random.default_rng(seed).uniform(0, 18, (count, 2))
    return Samples(place, function(*place.T), np.ones(count))


def pixels():
    y, x = np.mgrid[:90, :120]
    return x * 0.15, y * 0.2


def test_valleys_of_a_square_lattice_are_the_middles_of_its_squares():
    mask = valley_mask(square(), GRID, 2.0)
    x, y = pixels()
    inside = (x > 1) & (x < 17) & (y > 1) & (y < 17)
    to_middle = np.hypot((x % 2.0 + 1) % 2 - 1, (y % 2.0 + 1) % 2 - 1)
    assert to_middle[mask & inside].max() < 0.75
    assert mask[(to_middle < 0.15) & inside].all()
    assert 0.05 < mask[inside].mean() < 0.3


def test_all_that_is_far_from_columns_is_valley():
    left = square()[square()[:, 0] < 8]
    mask = valley_mask(left, GRID, 2.0)
    assert mask[:, int(12 / 0.15) :].all()


def test_the_spacing_is_the_nearest_neighbours():
    assert column_spacing(square()) == pytest.approx(2.0)
    assert column_spacing(square()[:1]) == np.inf


def test_samples_keep_the_sum_and_the_centre_of_the_pixels():
    rng = np.random.default_rng(0)
    values, mask = rng.normal(size=(90, 120)), rng.random((90, 120)) < 0.2
    samples = samples_of(values, mask, GRID, 2.0)
    assert samples.pixels.sum() == mask.sum()
    assert np.sum(samples.levels * samples.pixels) == pytest.approx(values[mask].sum())
    x, _ = pixels()
    assert np.sum(samples.places[:, 0] * samples.pixels) == pytest.approx(x[mask].sum())
    assert len(samples.levels) > 60


def test_both_surfaces_go_through_a_polynomial_of_their_order():
    samples, (x, y) = scattered(quadratic), pixels()
    assert np.allclose(polynomial_surface(samples, GRID, 2), quadratic(x, y))
    assert np.allclose(smooth_surface(samples, GRID, 4.0, 2), quadratic(x, y), atol=1e-6)


def test_a_constant_stays_where_samples_are_few():
    few = Samples(np.array([[1.0, 1.0], [2.0, 1.0], [1.0, 3.0]]), np.full(3, 5.0), np.ones(3))
    assert np.allclose(smooth_surface(few, GRID, 2.0, 0), 5.0)


def test_a_hole_without_samples_is_bridged():
    def tilted(x, y):
        return 1 + 0.1 * x + 0.2 * y

    samples, (x, y) = scattered(tilted), pixels()
    outside = np.hypot(samples.places[:, 0] - 9, samples.places[:, 1] - 9) > 5
    ring = Samples(*(part[outside] for part in samples))
    assert np.allclose(smooth_surface(ring, GRID, 3.0, 1), tilted(x, y), atol=1e-6)


def test_noise_of_the_samples_is_averaged_over_the_scale():
    rng, flat = np.random.default_rng(3), scattered(lambda x, y: 0 * x, 2000)
    noisy = flat._replace(levels=rng.normal(size=2000))
    fine, coarse = (smooth_surface(noisy, GRID, scale, 1).std() for scale in (3.0, 6.0))
    assert coarse < 0.75 * fine < 0.25
