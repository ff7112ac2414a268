import time

import numpy as np
import pytest

from crewe.degradation.annotations import Annotations, annotate

SHAPE = (200, 240)
# Values that no grey of the ideal image, which lies in [0.2, 1], can be.
IMAGE = np.full(SHAPE, 50.0, np.float32)
IDEAL = np.random.default_rng(0).uniform(0.2, 1, SHAPE).astype(np.float32)


def drawn(parameters, seed):
    image, ideal = annotate(IMAGE, IDEAL, parameters, np.random.default_rng(seed))
    return image, ideal, image != 50


@pytest.mark.parametrize("kind", ["texts", "shapes", "arrows"])
def test_both_images_carry_the_same_values_at_the_same_pixels(kind):
    covered = []
    for seed in range(40):
        image, ideal, mask = drawn(Annotations(**{kind: 2}), seed)
        assert np.array_equal(image[mask], ideal[mask])
        assert np.array_equal(ideal[~mask], IDEAL[~mask])
        covered.append(mask.mean())
    assert np.count_nonzero(covered) >= 39
    assert max(covered) < 0.3


def test_values_lie_in_the_range_of_the_ideal_image():
    for seed in range(20):
        image, _, mask = drawn(Annotations(2, 2, 2), seed)
        assert IDEAL.min() <= image[mask].min()
        assert image[mask].max() <= IDEAL.max()


def test_boxes_hold_their_text_against_another_grey():
    for seed in range(20):
        image, _, mask = drawn(Annotations(texts=1, box_probability=1), seed)
        values, counts = np.unique(image[mask], return_counts=True)
        if len(values) == 2:
            assert values[np.argmax(counts)] < 0.6 < values[np.argmin(counts)]


def test_size_follows_the_parameter():
    small, large = (
        np.mean([drawn(Annotations(shapes=1, size_fraction=f), s)[2].mean() for s in range(60)])
        for f in (0.1, 0.3)
    )
    assert 4 < large / small < 16


@pytest.mark.parametrize("shape", [(1, 1), (2, 30), (7, 7)])
def test_tiny_images_take_any_annotation(shape):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        image, ideal = annotate(np.ones(shape), np.ones(shape), Annotations(3, 3, 3), rng)
        assert image.shape == ideal.shape == shape


def test_is_quick_once_fonts_are_loaded():
    times = []
    for seed in range(60):
        begin = time.perf_counter()
        drawn(Annotations(2, 2, 2), seed % 20)
        times.append(time.perf_counter() - begin)
    assert np.median(times[20:]) < 0.01
