import numpy as np
import pytest

from crewe.chemistry.translations import column_patterns, find_translations

SIDE = 128


def columns(first, second, origin=(0.0, 0.0), width=2.0):
    """Gaussian columns on the lattice of two vectors (y, x)."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    image = np.zeros((SIDE, SIDE))
    for i in range(-30, 31):
        for j in range(-30, 31):
            cy = origin[0] + i * first[0] + j * second[0]
            cx = origin[1] + i * first[1] + j * second[1]
            if -8 < cy < SIDE + 8 and -8 < cx < SIDE + 8:
                image += np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * width**2))
    return image.astype(np.float32)


def noisy(image, mean, seed=0):
    return np.random.default_rng(seed).poisson(mean * (0.2 + image)).astype(np.float32)


@pytest.mark.parametrize(
    ("first", "second"), [((14.0, 0.0), (0.0, 14.0)), ((12.0, 3.0), (-4.0, 13.0))]
)
def test_lattice_translations_are_found(first, second):
    found = find_translations(noisy(columns(first, second), 50))
    assert found is not None
    for vector in (first, second):
        near = np.minimum(
            np.abs(found.shifts - np.array(vector)).max(1),
            np.abs(found.shifts + np.array(vector)).max(1),
        )
        assert near.min() <= 1
    shortest = min(np.hypot(*first), np.hypot(*second))
    assert found.period_px == pytest.approx(shortest, abs=1)
    # Every one is near a sum of both vectors.
    whole = np.linalg.solve(np.array([first, second]).T, found.shifts.T)
    miss = np.array([first, second]).T @ (whole - np.rint(whole))
    assert np.abs(miss).max() < 2.5


@pytest.mark.parametrize("seed", range(5))
def test_what_does_not_repeat_has_none(seed):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    blob = np.exp(-((y - 60) ** 2 + (x - 70) ** 2) / 800.0)
    assert find_translations(rng.poisson(100 * blob + 5).astype(np.float32)) is None
    assert find_translations(rng.poisson(20, (SIDE, SIDE)).astype(np.float32)) is None


def test_patterns_tell_sublattices_apart_and_gather_counts():
    first, second = (16.0, 0.0), (0.0, 16.0)
    heavy, light = columns(first, second), columns(first, second, (8.0, 8.0))
    haadf = noisy(heavy + 0.4 * light, 200)
    truth = np.stack([heavy, light]) * 2
    counts = np.random.default_rng(1).poisson(truth).astype(np.float32)
    translations = find_translations(haadf)
    expected = np.broadcast_to(haadf / haadf.mean(), counts.shape).copy()
    found = column_patterns(counts, expected, haadf, translations) * expected
    inside = np.s_[:, 20:-20, 20:-20]
    error = np.linalg.norm((found - truth)[inside]) / np.linalg.norm(truth[inside])
    raw = np.linalg.norm((counts - truth)[inside]) / np.linalg.norm(truth[inside])
    # Two counts a column; some twenty like places leave a quarter of the noise and a little blur.
    assert error < 0.5 * raw
    two = column_patterns(counts, expected, haadf, translations, threads=1) * expected
    np.testing.assert_array_equal(found, two)


def test_a_constant_ratio_is_its_own_pattern():
    haadf = noisy(columns((14.0, 0.0), (0.0, 14.0)), 100)
    translations = find_translations(haadf)
    expected = haadf[None] / haadf.mean()
    found = column_patterns(np.float32(3) * expected, expected, haadf, translations)
    np.testing.assert_allclose(found, 3.0, rtol=1e-4)
    nothing = column_patterns(0 * expected, 0 * expected, haadf, translations)
    assert nothing.max() == 0
