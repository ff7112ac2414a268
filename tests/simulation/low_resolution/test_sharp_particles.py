import numpy as np
import pytest

from crewe.errors import RecipeError
from crewe.simulation.low_resolution.polygons import add_polygon
from crewe.simulation.low_resolution.sharp_particles import (
    SharpParticles,
    ellipse_outline,
    sharp_particles_image,
)

FLAT = np.array([1.0, 0.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(("a", "b", "angle"), [(1.2, 0.9, 0.0), (20, 12, 0.7), (30, 30, 2.0)])
def test_ellipse_has_its_area_and_second_moments(a, b, angle):
    image = np.zeros((80, 90), np.float32)
    add_polygon(image, ellipse_outline(a, b, angle) + np.array([40.3, 44.6]), FLAT)
    assert image.sum(dtype=float) == pytest.approx(np.pi * a * b, rel=1e-5)
    if a > 5:
        dy, dx = np.indices(image.shape) - np.array([40.3, 44.6])[:, None, None]
        u = np.cos(angle) * dx + np.sin(angle) * dy
        assert np.average(u**2, weights=image) == pytest.approx(a * a / 4, rel=5e-3)


def test_ellipse_outline_stays_near_the_ellipse():
    outline = ellipse_outline(30, 20, 0.0)
    assert np.abs(np.hypot(outline[:, 0] / 20, outline[:, 1] / 30) - 1).max() * 30 < 0.02


def one(**settings):
    return SharpParticles(
        number=1, margin=0.0, radius_fraction=0.05, radius_spread=1, intensity=1, **settings
    )


def test_a_triangle_has_its_area_and_a_plane_keeps_it():
    rng = np.random.default_rng(0)
    area = 0.75 * np.sqrt(3) * 15**2
    for _ in range(20):
        part = one(ellipse_probability=0, vertices=3, corner_shift=0, corner_radius=1, tilt=[0, 1])
        image, facts = sharp_particles_image(part, (300, 300), rng)
        if image[[0, -1]].any() or image[:, [0, -1]].any():
            continue
        assert image.sum(dtype=float) == pytest.approx(area, rel=2e-3)
        assert facts == {"number": 1, "ellipses": 0, "radius_px": 15}


def test_most_of_a_flat_particle_is_flat_and_its_edge_one_pixel_wide():
    image, _ = sharp_particles_image(
        one(ellipse_probability=1, axis_ratio=1, tilt=0), (400, 400), np.random.default_rng(1)
    )
    assert np.sum(image > 0.999) > 0.9 * image.sum()
    assert np.sum((image > 1e-6) & (image < 0.999)) < 1.5 * 2 * np.pi * 20


def test_numbers_shapes_and_levels():
    facts, ellipses = [], 0
    for seed in range(60):
        image, fact = sharp_particles_image(SharpParticles(), (60, 70), np.random.default_rng(seed))
        facts.append(fact["number"])
        ellipses += fact["ellipses"]
        assert image.min() >= 0
        assert image.dtype == np.float32
    assert min(facts) >= 15
    assert max(facts) <= 40
    assert abs(ellipses / sum(facts) - 0.5) < 4 * 0.5 / np.sqrt(sum(facts))


def test_seed_decides():
    images = [
        sharp_particles_image(SharpParticles(), (40, 40), np.random.default_rng(seed))[0]
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


@pytest.mark.parametrize(
    "settings",
    [{"vertices": {"integers": [2, 5]}}, {"corner_shift": 0.5}, {"tilt": [0, 2]}, {"number": -3}],
)
def test_particles_that_cannot_be_are_refused(settings):
    with pytest.raises(RecipeError):
        SharpParticles.read(settings)
