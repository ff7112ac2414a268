import numpy as np

from crewe.simulation.low_resolution.planes import tilted_planes


def test_planes_rise_by_their_tilt_at_the_radius_and_stay_positive():
    rng = np.random.default_rng(0)
    centres, radii = rng.uniform(0, 50, (200, 2)), rng.uniform(1, 20, 200)
    levels, tilts = rng.uniform(0, 1, 200), rng.uniform(0, 1, 200)
    planes = tilted_planes(centres, radii, levels, tilts, rng)
    steepest = np.hypot(planes[:, 3], planes[:, 4])
    assert np.allclose(steepest * radii, levels * tilts)
    assert np.all(levels - steepest * radii >= -1e-12)
    assert np.array_equal(planes[:, 1:3], centres)
    directions = planes[:, 3:] / steepest[:, None]
    assert np.linalg.norm(directions.mean(axis=0)) < 4 / np.sqrt(200)
