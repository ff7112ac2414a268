import numpy as np
from matplotlib.colors import to_rgb

from crewe.plots.volume_colours import (
    UNKNOWN,
    coordination_colour,
    element_colours,
    probability_colour,
)


def lightness(colour):
    return np.array(to_rgb(colour)) @ [0.2126, 0.7152, 0.0722]


def test_more_neighbours_are_darker_and_the_scale_ends_at_the_bulk():
    shades = [lightness(coordination_colour(number)) for number in range(5, 13)]
    assert np.all(np.diff(shades) < -0.02)
    assert coordination_colour(14) == coordination_colour(12)
    assert coordination_colour(0) == coordination_colour(4)
    assert coordination_colour(4, bulk=4) == coordination_colour(12)


def test_surer_counts_are_darker_and_unknown_ones_grey():
    shades = [lightness(probability_colour(part)) for part in (0.1, 0.5, 0.9)]
    assert shades == sorted(shades, reverse=True)
    assert probability_colour(float("nan")) == UNKNOWN


def test_elements_keep_their_colours_whatever_their_order():
    assert element_colours(["O", "Sr", "Ti", "O"]) == element_colours(["Ti", "O", "Sr"])
    assert list(element_colours(["O", "Sr", "Ti"])) == ["Sr", "Ti", "O"]
    assert len(set(element_colours(["O", "Sr", "Ti"]).values())) == 3
