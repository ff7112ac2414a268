"""From intensity to counted electrons, the same for every instrument."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from crewe.degradation.parameters import Parameters, number
from crewe.degradation.pixels import Pixels, as_pixels, mean_of
from crewe.degradation.poisson import poisson_image
from crewe.errors import ImageError


@dataclass(frozen=True)
class Dose(Parameters):
    """How many electrons are counted."""

    mean_electrons_per_pixel: float = number(1e-6, 1e7)


def dose(image: Pixels, ideal: Pixels, parameters: Dose, rng: Generator) -> tuple[Pixels, Pixels]:
    """Multiply both images by the dose scale α that gives the ideal one its mean electrons.

    The paper divides by α again after the counting; crewe keeps both images in electrons
    instead. Raises ImageError when the ideal image has no positive mean.
    Source: α of eq. 30 and 45 of I. Lobato et al., npj Comput. Mater. 10 (2024) 10,
    doi:10.1038/s41524-023-01188-0.
    """
    same = ideal is image
    pixels, truth = as_pixels(image), as_pixels(ideal)
    mean = mean_of(truth)
    if mean <= 0:
        raise ImageError(f"the mean intensity is {mean:g}: a dose needs an image of positive mean")
    gain = np.float32(parameters.mean_electrons_per_pixel / mean)
    scaled = truth * gain
    return (scaled if same else pixels * gain), scaled


@dataclass(frozen=True)
class ShotNoise(Parameters):
    """Counting noise has no parameters: the image is in electrons."""


def shot_noise(image: Pixels, parameters: ShotNoise, rng: Generator) -> Pixels:
    """Count electrons: x ← P(x) with x in electrons per pixel; below zero counts as zero.

    Source: eq. 30 of I. Lobato et al., doi:10.1038/s41524-023-01188-0.
    """
    return poisson_image(as_pixels(image), rng)
