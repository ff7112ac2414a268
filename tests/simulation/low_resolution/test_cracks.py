import numpy as np
import pytest

from crewe.simulation.low_resolution.cracks import Cracks, cracks_image, grow_crack, walk


def test_walk_without_wander_is_an_arc_of_its_length_and_bend():
    path, headings = walk(np.zeros(2), 0.3, 90.0, 3.0, 0.0, np.pi / 2, np.random.default_rng(0))
    assert len(path) == 31
    assert len(headings) == 30
    assert np.allclose(np.linalg.norm(np.diff(path, axis=0), axis=1), 3)
    assert headings[-1] - 0.3 == pytest.approx(np.pi / 2)
    radius = 90 / (np.pi / 2)
    assert np.linalg.norm(path[-1]) == pytest.approx(np.sqrt(2) * radius, rel=2e-3)


def test_direction_spreads_as_a_random_walk():
    rng = np.random.default_rng(1)
    ends = [walk(np.zeros(2), 0.0, 100.0, 1.0, 0.05, 0.0, rng)[1][-1] for _ in range(600)]
    variance = 100 * 0.05**2
    assert np.var(ends) == pytest.approx(variance, rel=4 * np.sqrt(2 / 600))
    assert abs(np.mean(ends)) < 4 * np.sqrt(variance / 600)


def test_branches_start_on_lines_that_are_there_and_are_thinner_and_weaker():
    for seed in range(20):
        crack = grow_crack(Cracks(branches=10), (200, 200), np.random.default_rng(seed))
        assert len(crack) == 11
        for n in range(1, 11):
            before = np.concatenate([branch.path for branch in crack[:n]])
            gap = np.linalg.norm(before - crack[n].path[0], axis=1).min()
            assert gap < 1e-9
            assert crack[n].width <= crack[0].width
            assert crack[n].intensity <= crack[0].intensity


def test_a_straight_crack_has_the_area_of_its_length_and_width():
    part = Cracks(
        number=1, branches=0, length_fraction=0.2, wander_deg=0, bend_deg=0, width_px=2.0,
        intensity=0.5,
    )  # fmt: skip
    areas = []
    for seed in range(20):
        image, facts = cracks_image(part, (300, 300), np.random.default_rng(seed))
        assert facts == {"number": 1, "branches": 1}
        if not (image[[0, -1]].any() or image[:, [0, -1]].any()):
            areas.append(image.sum(dtype=float))
            assert image.max() == pytest.approx(0.5, rel=1e-3)
    assert len(areas) > 10
    assert np.allclose(areas, 0.5 * (60 * 2 + np.pi), rtol=0.02)


def test_cracks_are_within_their_ranges_and_seeds_decide():
    part = Cracks()
    draws = [cracks_image(part, (60, 60), np.random.default_rng(seed)) for seed in range(40)]
    assert {facts["number"] for _, facts in draws} == {1, 2, 3, 4}
    assert all(facts["number"] <= facts["branches"] <= 26 * facts["number"] for _, facts in draws)
    assert all(image.min() >= 0 for image, _ in draws)
    assert np.array_equal(draws[5][0], cracks_image(part, (60, 60), np.random.default_rng(5))[0])


def test_no_cracks_is_an_empty_image():
    assert not cracks_image(Cracks(number=0), (9, 9), np.random.default_rng(0))[0].any()
