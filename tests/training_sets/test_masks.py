import numpy as np
import pytest

from crewe.errors import RecipeError
from crewe.training_sets.masks import circular_mask, gaussian_mask

SHAPE, PIXEL = (60, 80), 0.1


def distances(position):
    y, x = (np.arange(n) * PIXEL for n in SHAPE)
    return np.hypot(y[:, None] - position[0], x - position[1])


POSITIONS = np.array([[2.03, 3.37], [2.4, 3.4], [0.02, 0.01], [5.9, 7.9], [-0.3, 4.0]])


def test_discs_hold_the_pixels_whose_centres_they_cover():
    mask = circular_mask(POSITIONS, SHAPE, PIXEL, 0.9)
    wanted = np.any([distances(position) <= 0.45 for position in POSITIONS], axis=0)
    assert np.array_equal(mask, wanted)


def test_a_disc_has_its_area():
    mask = circular_mask(np.array([[3.0, 4.0]]), SHAPE, PIXEL, 4.0)
    assert mask.sum() * PIXEL**2 == pytest.approx(np.pi * 4, rel=0.01)


def test_a_disc_below_a_pixel_marks_the_nearest_pixel():
    mask = circular_mask(np.array([[2.04, 3.36]]), SHAPE, PIXEL, 0.01)
    assert np.argwhere(mask).tolist() == [[20, 34]]


def test_gaussians_take_the_higher_where_they_overlap():
    mask = gaussian_mask(POSITIONS, SHAPE, PIXEL, 0.2)
    each = [np.exp(-(distances(position) ** 2) / (2 * 0.2**2)) for position in POSITIONS]
    assert np.allclose(mask, np.max(each, axis=0), atol=4e-6)


def test_no_position_gives_an_empty_mask():
    assert not circular_mask(np.empty((0, 2)), SHAPE, PIXEL, 1.0).any()
    assert not gaussian_mask(np.empty((0, 2)), SHAPE, PIXEL).any()


@pytest.mark.parametrize("length", [0, -1, np.nan, np.inf])
def test_impossible_lengths_are_refused(length):
    with pytest.raises(RecipeError, match="positive"):
        circular_mask(POSITIONS, SHAPE, PIXEL, length)
    with pytest.raises(RecipeError, match="positive"):
        gaussian_mask(POSITIONS, SHAPE, length)
