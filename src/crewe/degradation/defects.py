"""Black pixels and zingers: single pixels, or regions that a random walk has visited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.degradation.parameters import Parameters, number
from crewe.degradation.pixels import Pixels, as_pixels

STEPS = np.array([(0, 1), (0, -1), (1, 0), (-1, 0)])


@dataclass(frozen=True)
class _Regions(Parameters):
    """How many pixels or regions there are, and how far these reach."""

    points: int = number(0, 100_000, whole=True)
    walk_steps: int = number(0, 10_000, default=0, whole=True)
    """Steps of the random walk that makes a region of a point; 0 for single pixels."""


@dataclass(frozen=True)
class BlackPixels(_Regions):
    """Pixels that answer less than their neighbours."""

    lowest_sensitivity: float = number(0, 1, default=0.0)
    highest_sensitivity: float = number(0, 1, default=0.0)
    """The sensitivity of a region is uniform between these."""


@dataclass(frozen=True)
class Zingers(_Regions):
    """Pixels that a burst of photons made bright."""

    lowest_sensitivity: float = number(1, 1e4, default=2.0)
    highest_sensitivity: float = number(1, 1e4, default=4.0)
    """The factor on the intensity of a region is uniform between these."""


def random_walks(
    shape: tuple[int, int], points: int, steps: int, rng: Generator
) -> NDArray[np.intp]:
    """Return (2, points, steps + 1): y and x of walks from uniform points to next neighbours.

    A walk that would leave the image stays at the border, so each region is connected.
    """
    walk = STEPS[rng.integers(4, size=(points, steps))]
    places = np.empty((points, steps + 1, 2), np.intp)
    places[:, 0] = rng.integers(shape, size=(points, 2))
    for step in range(steps):
        places[:, step + 1] = np.clip(places[:, step] + walk[:, step], 0, np.array(shape) - 1)
    return places.transpose(2, 0, 1)


def uneven_sensitivity(image: Pixels, parameters: BlackPixels | Zingers, rng: Generator) -> Pixels:
    """Multiply by a sensitivity that differs from one in points or regions at uniform places.

    Source: eq. 37 and 38 (TEM: black and bright regions), 52 and 53 (S(T)EM: black and bright
    points) of I. Lobato et al., npj Comput. Mater. 10 (2024) 10, doi:10.1038/s41524-023-01188-0.
    """
    pixels = as_pixels(image)
    points = int(parameters.points)
    y, x = random_walks(pixels.shape, points, int(parameters.walk_steps), rng)
    low, high = parameters.lowest_sensitivity, parameters.highest_sensitivity
    result = pixels.copy()
    result[y, x] = pixels[y, x] * rng.uniform(low, high, (points, 1)).astype(np.float32)
    return result
