import numpy as np

from crewe.simulation.low_resolution.positions import scattered_positions


def test_positions_fill_the_image_and_its_margin_evenly():
    rng = np.random.default_rng(0)
    points = np.concatenate([scattered_positions(85, (100, 200), 0.1, 5.0, rng) for _ in range(40)])
    assert points.min() >= -10.5
    assert points[:, 0].max() <= 109.5
    assert points[:, 1].max() <= 209.5
    counts = np.histogram2d(*points.T, bins=4, range=[[-10.5, 109.5], [-10.5, 209.5]])[0]
    expected = len(points) / 16
    assert np.abs(counts - expected).max() < 4.5 * np.sqrt(expected)


def test_a_distance_for_which_there_is_no_room_is_shortened():
    points = scattered_positions(175, (32, 32), 0.0, 20.0, np.random.default_rng(1))
    assert len(points) == 175


def test_distance_holds_in_the_box_and_so_thins_out_near_pairs():
    rng = np.random.default_rng(2)
    near = []
    for distance in (0.0, 20.0):
        sets = [scattered_positions(60, (80, 80), 0.0, distance, rng) for _ in range(20)]
        gaps = [np.linalg.norm(p[:, None] - p, axis=-1)[np.triu_indices(60, 1)] for p in sets]
        near.append(np.mean(np.concatenate(gaps) < 5))
    assert near[1] < 0.9 * near[0]


def test_no_points():
    assert scattered_positions(0, (10, 10), 0.1, 3.0, np.random.default_rng(0)).shape == (0, 2)
