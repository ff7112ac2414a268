import numpy as np
import pytest
from scipy.integrate import quad

from crewe.simulation.low_resolution.soft_particles import (
    REACH,
    SoftParticles,
    add_blobs,
    soft_particles_image,
)


def profile(u, heights, power):
    """Equation 17 with the radius as the unit of length."""
    h1, h2, h3 = heights
    return h1 * np.exp(-0.5 * u**2) + h2 * np.exp(-u) + h3 / (1 + u ** (2 * power))


def blob(shape, y, x, radius_x, radius_y, angle, heights, power):
    image = np.zeros(shape, np.float32)
    row = np.array([[y, x, radius_x, radius_y, angle, power]])
    add_blobs(image, row, np.array([heights]))
    return image


@pytest.mark.parametrize("power", [4.0, 9.3, 16.0])
def test_blob_is_equation_17_on_a_turned_ellipse(power):
    heights, angle = (0.5, 0.7, 1.0), 0.6
    image = blob((120, 130), 60.3, 64.8, 9.0, 10.8, angle, heights, power)
    dy, dx = np.indices(image.shape) - np.array([60.3, 64.8])[:, None, None]
    u = (np.cos(angle) * dx + np.sin(angle) * dy) / 9.0
    v = (np.cos(angle) * dy - np.sin(angle) * dx) / 10.8
    distance = np.hypot(u, v)
    expected = profile(distance, heights, power) - profile(REACH, heights, power)
    assert np.allclose(image, np.where(distance < REACH, expected, 0), atol=2e-3)


def test_integral_is_that_of_the_profile_times_both_radii():
    heights, power = (0.6, 0.9, 0.8), 6.0
    image = blob((150, 150), 74.2, 75.1, 8.0, 10.0, 1.1, heights, power)
    edge = profile(REACH, heights, power)
    radial, _ = quad(lambda u: 2 * np.pi * u * (profile(u, heights, power) - edge), 0, REACH)
    assert image.sum(dtype=float) == pytest.approx(80 * radial, rel=1e-3)


def test_blobs_at_the_edge_are_those_of_a_larger_image():
    for y, x in ((0.4, 20.0), (39.0, 49.0), (-7.0, -3.0)):
        numbers = (5.0, 6.0, 0.3, (1.0, 1.0, 1.0), 8.0)
        large = blob((140, 150), y + 50, x + 50, *numbers)
        assert np.allclose(blob((40, 50), y, x, *numbers), large[50:90, 50:100], atol=1e-6)


def test_numbers_and_radii_stay_in_their_ranges():
    facts = [
        soft_particles_image(SoftParticles(), (50, 60), np.random.default_rng(seed))[1]
        for seed in range(100)
    ]
    numbers = np.array([fact["number"] for fact in facts])
    assert numbers.min() >= 15
    assert numbers.max() <= 85
    assert abs(numbers.mean() - 50) < 4 * 20.5 / 10
    radii = np.array([fact["radius_px"] for fact in facts])
    assert radii.min() >= 0.008 * 50
    assert radii.max() <= 0.08 * 50


def test_a_particle_is_as_high_as_its_intensity():
    part = SoftParticles(number=1, intensity=0.6, radius_fraction=0.08, radius_spread=1, margin=0.0)
    rng = np.random.default_rng(3)
    peaks = [soft_particles_image(part, (200, 200), rng)[0].max() for _ in range(10)]
    assert min(peaks) > 0.55
    assert max(peaks) <= 0.6


def test_seed_decides_and_no_particles_is_an_empty_image():
    images = [
        soft_particles_image(SoftParticles(), (40, 40), np.random.default_rng(seed))[0]
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])
    empty, facts = soft_particles_image(SoftParticles(number=0), (9, 9), np.random.default_rng(0))
    assert not empty.any()
    assert facts["number"] == 0
