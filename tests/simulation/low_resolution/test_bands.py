import numpy as np
import pytest

from crewe.simulation.low_resolution.bands import Bands, bands_image, stripe_outlines


def test_stripes_have_their_width_direction_and_place():
    angle, shape = 0.4, (80, 90)
    corners, centres = stripe_outlines(shape, angle, np.array([5.0, -12.0]), np.array([3.0, 8.0]))
    sides = np.diff(np.concatenate([corners, corners[:, :1]], axis=1), axis=1)
    assert np.allclose(np.linalg.norm(sides[:, [0, 2]], axis=-1), [[3, 3], [8, 8]])
    assert np.all(np.linalg.norm(sides[:, [1, 3]], axis=-1) > np.hypot(*shape))
    along = np.array([np.sin(angle), np.cos(angle)])
    assert np.allclose(np.abs(sides[:, 1] @ along), np.linalg.norm(sides[:, 1], axis=-1))
    offsets = (centres - [39.5, 44.5]) @ np.array([np.cos(angle), -np.sin(angle)])
    assert np.allclose(offsets, [5, -12])
    assert np.allclose(corners.mean(axis=1), centres)


def test_bands_do_not_change_along_their_direction():
    part = Bands(number=4, tilt=0)
    for seed in range(5):
        image, facts = bands_image(part, (200, 200), np.random.default_rng(seed))
        angle = np.deg2rad(facts["angle_deg"])
        shift = 20 * np.array([np.sin(angle), np.cos(angle)])
        y, x = np.random.default_rng(seed).uniform(60, 140, (2, 500))
        here = image[np.rint(y).astype(int), np.rint(x).astype(int)]
        there = image[np.rint(y + shift[0]).astype(int), np.rint(x + shift[1]).astype(int)]
        assert np.mean(np.abs(here - there) < 1e-3) > 0.75


def test_tilted_bands_are_nowhere_negative_and_rise_across_or_along():
    part = Bands(number=1, tilt=1.0, intensity=1.0, width_fraction=0.3, width_spread=1)
    brightest = [
        bands_image(part, (150, 150), np.random.default_rng(seed))[0].max() for seed in range(40)
    ]
    assert max(brightest) <= 2 + 1e-6
    assert max(brightest) > 1.8


def test_bands_add_up_where_they_overlap():
    part = Bands(number=2, width_fraction=3.0, width_spread=1, intensity=0.5, tilt=0)
    image, facts = bands_image(part, (50, 50), np.random.default_rng(0))
    assert np.allclose(image, 1)
    assert facts["number"] == 2
    assert facts["width_px"] == pytest.approx(150)


def test_seed_decides_and_no_bands_is_an_empty_image():
    images = [bands_image(Bands(), (40, 40), np.random.default_rng(seed))[0] for seed in (1, 1)]
    assert np.array_equal(*images)
    assert not bands_image(Bands(number=0), (9, 9), np.random.default_rng(0))[0].any()
