import numpy as np
import pytest

from crewe.simulation.low_resolution.lines import cover_path, cover_segment


def naive(shape, start, end, width, strength):
    """The same coverage from the distance of every pixel to the segment."""
    points = np.stack(np.indices(shape), axis=-1).astype(float)
    along = np.subtract(end, start)
    length2 = max(along @ along, 1e-300)
    t = np.clip((points - start) @ along / length2, 0, 1)
    distance = np.linalg.norm(points - start - t[..., None] * along, axis=-1)
    return strength * np.clip(0.5 * width + 0.5 - distance, 0, min(width, 1))


@pytest.mark.parametrize("seed", range(12))
def test_segment_equals_the_distance_written_out(seed):
    rng = np.random.default_rng(seed)
    start, end = rng.uniform(-10, 50, (2, 2))
    if seed == 0:
        end[0] = start[0]
    if seed == 1:
        end = start
    width, strength = rng.uniform(0.3, 4), rng.uniform(0.1, 1)
    coverage = np.zeros((40, 45), np.float32)
    cover_segment(coverage, *start, *end, width, strength)
    assert np.allclose(coverage, naive(coverage.shape, start, end, width, strength), atol=1e-6)


@pytest.mark.parametrize("width", [0.4, 1.0, 2.3])
def test_integral_across_a_line_is_its_width(width):
    coverage = np.zeros((50, 60), np.float32)
    cover_segment(coverage, 24.3, -20.0, 24.3, 90.0, width, 1.0)
    assert coverage.sum(axis=0).mean() == pytest.approx(width, rel=1e-4)
    steep = np.zeros((50, 60), np.float32)
    cover_segment(steep, -30.0, 2.3, 80.0, 60.1, width, 1.0)
    slant = np.hypot(110, 57.8) / 110
    assert steep[5:45].sum(axis=1).mean() == pytest.approx(width * slant, rel=0.02)


def test_overlapping_segments_do_not_add_up():
    once, twice = np.zeros((2, 30, 30), np.float32)
    path = np.array([[5.0, 5.0], [20.0, 11.0], [11.0, 25.0]])
    cover_path(once, path, 2.0, 0.8)
    cover_path(twice, np.concatenate([path, path[::-1]]), 2.0, 0.8)
    assert np.array_equal(once, twice)
    assert once.max() == pytest.approx(0.8)
