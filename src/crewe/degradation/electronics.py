"""From an analogue signal to whole counts: saturation, conversion, the scale of the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from crewe.degradation.parameters import Parameters, number
from crewe.degradation.pixels import Pixels, as_pixels


@dataclass(frozen=True)
class UpperClip(Parameters):
    """Saturation."""

    clipped_fraction: float = number(0, 1)
    """Fraction of pixels that lie above the threshold T_u."""


def upper_clip(image: Pixels, parameters: UpperClip, rng: Generator) -> Pixels:
    """Cut off the highest values: x ← min(x, T_u).

    Source: eq. 39 and 54 of I. Lobato et al., npj Comput. Mater. 10 (2024) 10,
    doi:10.1038/s41524-023-01188-0.
    """
    pixels = as_pixels(image)
    rank = round((1 - parameters.clipped_fraction) * (pixels.size - 1))
    threshold = np.partition(pixels, rank, axis=None)[rank]
    return np.minimum(pixels, threshold)


@dataclass(frozen=True)
class Quantisation(Parameters):
    """Analogue-to-digital conversion."""

    levels: float = number(1, 2**24)
    """Digital value of the brightest pixel of the degraded image; sets the gain α."""


def quantisation(
    image: Pixels, ideal: Pixels, parameters: Quantisation, rng: Generator
) -> tuple[Pixels, Pixels]:
    """Round the degraded image to whole numbers: x ← round(αx). The ideal image becomes αx.

    An image without a positive pixel is rounded with α = 1.
    Source: eq. 40 and 55, doi:10.1038/s41524-023-01188-0.
    """
    pixels, truth = as_pixels(image), as_pixels(ideal)
    highest = float(pixels.max())
    gain = np.float32(parameters.levels / highest if highest > 0 else 1)
    digital = pixels * gain
    return np.rint(digital, out=digital), truth * gain


@dataclass(frozen=True)
class CountScale(Parameters):
    """The scale on which both images are stored."""

    highest_count: float = number(1, 65535)
    """Where the brightest pixel of the two images lands; the darkest lands at zero."""


def count_scale(
    image: Pixels, ideal: Pixels, parameters: CountScale, rng: Generator
) -> tuple[Pixels, Pixels]:
    """Bring both images to 16-bit counts by one and the same linear map; round the degraded one.

    Two constant images of the same value become zero. Not in the paper's text; its authors' pairs
    are of this kind: the lowest pixel of the pair at 0, the highest between 28 000 and 65 535.
    """
    pixels, truth = as_pixels(image), as_pixels(ideal)
    lowest = min(float(pixels.min()), float(truth.min()))
    span = max(float(pixels.max()), float(truth.max())) - lowest
    gain = np.float32(parameters.highest_count / span if span > 0 else 1)
    counts = (pixels - np.float32(lowest)) * gain
    return np.rint(counts, out=counts), (truth - np.float32(lowest)) * gain
