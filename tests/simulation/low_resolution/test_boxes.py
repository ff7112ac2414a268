import numpy as np
import pytest

from crewe.simulation.low_resolution.boxes import Boxes, boxes_image, rectangle_outlines


def test_rectangles_have_their_sides_angle_and_centre():
    centres, sides = np.array([[10.0, 20.0], [5.0, 6.0]]), np.array([[4.0, 8.0], [3.0, 1.0]])
    corners = rectangle_outlines(centres, sides, np.array([0.0, 0.5]))
    assert np.allclose(corners[0], [[8, 16], [8, 24], [12, 24], [12, 16]])
    along_x = corners[1, 1] - corners[1, 0]
    assert np.allclose(along_x, [np.sin(0.5), np.cos(0.5)])
    assert np.allclose(corners.mean(axis=1), centres)
    lengths = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1)
    assert np.allclose(lengths, [[4, 8, 4, 8], [3, 1, 3, 1]])


@pytest.mark.parametrize("upright", [0.0, 1.0])
def test_a_box_has_its_area_and_a_plane_keeps_it(upright):
    part = Boxes(number=1, side_fraction=0.1, intensity=1, upright_probability=upright, margin=0.0)
    kept = 0
    for seed in range(20):
        image, facts = boxes_image(part, (200, 200), np.random.default_rng(seed))
        assert facts == {"number": 1, "upright": bool(upright)}
        if not (image[[0, -1]].any() or image[:, [0, -1]].any()):
            kept += 1
            assert image.sum(dtype=float) == pytest.approx(400, rel=5e-3)
    assert kept > 10


def test_upright_boxes_as_often_as_they_should_and_seeds_decide():
    draws = [boxes_image(Boxes(), (40, 40), np.random.default_rng(seed)) for seed in range(200)]
    share = np.mean([facts["upright"] for _, facts in draws])
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(200)
    assert min(image.min() for image, _ in draws) >= 0
    again, facts = boxes_image(Boxes(), (40, 40), np.random.default_rng(7))
    assert np.array_equal(again, draws[7][0])
    assert facts == draws[7][1]


def test_no_boxes_is_an_empty_image():
    assert not boxes_image(Boxes(number=0), (9, 9), np.random.default_rng(0))[0].any()
