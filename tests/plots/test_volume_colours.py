import numpy as np
import pytest
from matplotlib.colors import to_rgb

from crewe.plots.volume_colours import (
    UNKNOWN,
    coordination_colour,
    element_colours,
    probability_colour,
)


def lightness(colour):
    return np.array(to_rgb(colour)) @ [0.2126, 0.7152, 0.0722]


# What red, green and blue become, in linear light, for eyes without one kind of cone: G. M. Machado
# et al., IEEE Trans. Vis. Comput. Graph. 15 (2009) 1291, severity 1, doi:10.1109/TVCG.2009.113.
EYES = {
    "usual": np.eye(3),
    "no red cones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue cones": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
SRGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def lab(colours, eyes):
    """CIELAB of colours as such eyes see them; a difference of 2.3 is just noticeable."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ np.transpose(eyes), 0, 1) @ SRGB_TO_XYZ.T / [0.95047, 1.0, 1.08883]
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@pytest.mark.parametrize("eyes", EYES)
def test_each_number_of_neighbours_has_a_colour_of_its_own(eyes):
    seen = lab([coordination_colour(number) for number in range(13)], EYES[eyes])
    apart = np.linalg.norm(seen[:, None] - seen[None, :], axis=2)
    assert apart[np.triu_indices(13, 1)].min() > 2 * 2.3


def test_more_neighbours_are_darker_and_the_scale_ends_at_the_bulk():
    light = lab([coordination_colour(number) for number in range(13)], EYES["usual"])[:, 0]
    assert np.all(np.diff(light) < -5)
    assert light[0] > 95
    assert 8 < light[12] < 20
    assert coordination_colour(14) == coordination_colour(12)
    assert coordination_colour(4, bulk=4) == coordination_colour(12)


def test_surer_counts_are_darker_and_unknown_ones_grey():
    shades = [lightness(probability_colour(part)) for part in (0.1, 0.5, 0.9)]
    assert shades == sorted(shades, reverse=True)
    assert probability_colour(float("nan")) == UNKNOWN


def test_elements_keep_their_colours_whatever_their_order():
    assert element_colours(["O", "Sr", "Ti", "O"]) == element_colours(["Ti", "O", "Sr"])
    assert list(element_colours(["O", "Sr", "Ti"])) == ["Sr", "Ti", "O"]
    assert len(set(element_colours(["O", "Sr", "Ti"]).values())) == 3
