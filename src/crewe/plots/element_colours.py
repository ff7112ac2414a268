"""Colours of elements, and several maps laid over each other in them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Together white where there are two or three: what is coloured has no equal mixture. Their
# brightness differs as well, for eyes that tell red and green badly.
OF_ONE = ((1.0, 1.0, 1.0),)
OF_TWO = ((1.0, 0.2, 0.75), (0.0, 0.8, 0.25))
OF_MORE = (
    (1.0, 0.35, 0.05),
    (0.0, 0.5, 0.3),
    (0.1, 0.2, 0.75),
    (0.75, 0.7, 0.0),
    (0.6, 0.0, 0.6),
    (0.0, 0.6, 0.7),
)
MISSING_GREY = 0.5

Colour = tuple[float, float, float]


def element_colours(number: int) -> tuple[Colour, ...]:
    """Return one colour (red, green, blue) for each of a number of elements."""
    if number <= 2:
        return (OF_ONE, OF_ONE, OF_TWO)[number][:number]
    return tuple(OF_MORE[at % len(OF_MORE)] for at in range(number))


def overlay(maps: NDArray[Any]) -> NDArray[np.float64]:
    """Lay maps (element, y, x) over each other: (y, x, 3), from 0 to 1.

    Each map goes from black at zero to its colour at the value that one pixel in two hundred
    exceeds. Where a map is NaN the picture is grey.
    """
    picture = np.zeros((*maps.shape[1:], 3))
    for values, colour in zip(maps, element_colours(len(maps)), strict=True):
        picture += np.clip(values / full_value(values), 0, 1)[..., None] * np.array(colour)
    picture[~np.isfinite(picture).all(axis=-1)] = MISSING_GREY
    return np.clip(picture, 0, 1)


def full_value(values: NDArray[Any]) -> float:
    """Return the value that is shown in full colour; 1 for a map without any."""
    known = values[np.isfinite(values)]
    high = float(np.percentile(known, 99.5)) if known.size else 0.0
    if high <= 0:
        high = float(known.max(initial=0.0))
    return high if high > 0 else 1.0
