"""Parts cut away and filled, as after a rotation or an alignment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.degradation.parameters import Parameters, number, word
from crewe.degradation.pixels import Pixels, as_pixels


@dataclass(frozen=True)
class Crop(Parameters):
    """Straight cuts that spare a central rectangle."""

    edges: int = number(1, 4, whole=True)
    """How many sides are cut, each at right angles to the next."""
    rotation_deg: float = number(-360, 360)
    """How far the cuts are turned against the image's sides."""
    fill: str = word("constant", "median")
    spared_area: float = number(0, 1, default=0.5)
    """Area of the central rectangle that no cut enters, as a fraction of the image."""


def crop_mask(shape: tuple[int, int], parameters: Crop, rng: Generator) -> NDArray[np.bool_]:
    """Return where pixels are cut away, for cuts at random distances from the centre."""
    half_y, half_x = shape[0] / 2, shape[1] / 2
    y = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(half_y - 0.5)
    x = np.arange(shape[1], dtype=np.float32) - np.float32(half_x - 0.5)
    spared = math.sqrt(parameters.spared_area)
    first = int(rng.integers(4))
    mask = np.zeros(shape, bool)
    for edge in range(int(parameters.edges)):
        angle = math.radians(parameters.rotation_deg + 90 * (first + edge))
        towards_y, towards_x = math.sin(angle), math.cos(angle)
        # The farthest corner of the image in this direction; the spared rectangle is similar.
        farthest = abs(towards_y) * half_y + abs(towards_x) * half_x
        distance = farthest * rng.uniform(spared, 1)
        mask |= np.float32(towards_y) * y + np.float32(towards_x) * x > distance
    return mask


def crop(image: Pixels, ideal: Pixels, parameters: Crop, rng: Generator) -> tuple[Pixels, Pixels]:
    """Fill what is cut away with the same value in both images.

    The value is the median of the degraded image, or uniform in the range of the ideal one.
    Source: section "Post-processing distortions" of I. Lobato et al., npj Comput. Mater. 10
    (2024) 10, doi:10.1038/s41524-023-01188-0.
    """
    result, truth = as_pixels(image).copy(), as_pixels(ideal).copy()
    mask = crop_mask(result.shape, parameters, rng)
    if parameters.fill == "median":
        value = float(np.median(result))
    else:
        value = float(rng.uniform(truth.min(), truth.max()))
    result[mask] = truth[mask] = value
    return result, truth
