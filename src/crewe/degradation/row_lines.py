"""Scan lines during which the detector did not answer for a while."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import Generator

from crewe.degradation.parameters import Parameters, number
from crewe.degradation.pixels import Pixels, as_pixels


@dataclass(frozen=True)
class RowLines(Parameters):
    """How many pieces of lines are lost and how long they are."""

    lines: int = number(0, 10_000, whole=True)
    longest_fraction: float = number(0, 1)
    """The longest piece as a fraction of the image width; lengths are uniform up to it."""
    lowest_factor: float = number(0, 10, default=0.5)
    highest_factor: float = number(0, 10, default=1.5)
    """The factor on a piece's mean intensity is uniform between these."""


def row_lines(image: Pixels, parameters: RowLines, rng: Generator) -> Pixels:
    """Replace pieces of lines by their average intensity times a random factor.

    Source: eq. 51 of I. Lobato et al., npj Comput. Mater. 10 (2024) 10,
    doi:10.1038/s41524-023-01188-0.
    """
    result = as_pixels(image).copy()
    ny, nx = result.shape
    longest = max(1, round(parameters.longest_fraction * nx))
    for _ in range(int(parameters.lines)):
        length = int(rng.integers(1, longest, endpoint=True))
        start = int(rng.integers(0, nx - length, endpoint=True))
        piece = result[rng.integers(ny), start : start + length]
        factor = rng.uniform(parameters.lowest_factor, parameters.highest_factor)
        piece[:] = piece.mean() * factor
    return result
