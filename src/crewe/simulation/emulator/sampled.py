"""A part of the pixels of all pairs in memory, for searches that fit hundreds of small emulators.

The pixels of a convolution image are far finer than what it resolves: every second to fourth along
each axis tells a search as much as all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError
from crewe.simulation.emulator.features import Features
from crewe.simulation.emulator.fit import SMOOTHED_BORDER_PX
from crewe.simulation.emulator.monomials import monomials
from crewe.simulation.emulator.neighbourhood import Neighbourhood
from crewe.simulation.emulator.normal_equations import NormalEquations
from crewe.simulation.emulator.pairs import Image, Pair
from crewe.simulation.emulator.registration import Shift, moved, unknown_border
from crewe.simulation.emulator.terms import Terms

Array = NDArray[np.float64]
CHUNK_PIXELS = 4096
# Searches pass through sets of features that are almost the same.
SEARCH_RIDGE = 1e-9


@dataclass(frozen=True, eq=False)
class Sample:
    """Pixels of one image, mean 0 and deviation 1 over all images."""

    planes: NDArray[np.float32]
    """Features (feature, pixel)."""
    target: Array
    """Multislice values (pixel,)."""


def sample_pixels(
    images: Sequence[Image],
    pairs: Sequence[Pair],
    features: Features,
    shift: Shift = (0.0, 0.0),
    stride_px: int = 3,
) -> list[Sample]:
    """Every `stride_px`-th pixel along both axes, of convolution images moved by a shift in px.

    `images` (y, x) stand for the pairs' own convolution images. Raises ImageError where borders
    leave no pixel, or all images are dark.
    """
    scale = np.float32(np.concatenate([image.ravel() for image in images]).std(dtype=np.float64))
    if not scale > 0:
        raise ImageError("the convolution images are all the same everywhere")
    border = _border(features, shift)
    planes, targets = [], []
    for image, pair in zip(images, pairs, strict=True):
        part = tuple(slice(border, side - border, stride_px) for side in image.shape)
        found = features.planes(moved(image, shift) / scale)[(slice(None), *part)]
        planes.append(found.reshape(len(found), -1))
        targets.append(pair.multislice[part].astype(np.float64).ravel())
    if sum(len(target) for target in targets) == 0:
        raise ImageError("no pixel is left to learn from: larger images or a smaller grid")
    return _standardised(planes, targets)


def sums_of(sample: Sample, chosen: Sequence[int], terms: Terms) -> NormalEquations:
    """Normal equations of one image in some of its features."""
    equations = NormalEquations(terms.count)
    planes = sample.planes[list(chosen)]
    for start in range(0, len(sample.target), CHUNK_PIXELS):
        part = slice(start, start + CHUNK_PIXELS)
        equations.add(monomials(planes[:, part], terms), sample.target[part])
    return equations


def squared_errors(
    groups: Sequence[NormalEquations], ridge: float = SEARCH_RIDGE
) -> tuple[Array, Array]:
    """Sum of squared errors (group,) of each group by a fit to all others, and its pixels (group,).

    In units of the targets' variance, so that their sums' quotient is 1 − R².
    """
    errors = []
    for left_out in groups:
        others = NormalEquations(left_out.count)
        for group in groups:
            if group is not left_out:
                others.merge(group)
        coefficients, _ = others.solve(ridge)
        errors.append(left_out.residual_sum(coefficients))
    return np.array(errors), np.array([float(group.samples) for group in groups])


def _border(features: Features, shift: Shift) -> int:
    grid = isinstance(features, Neighbourhood)
    return (features.reach_px if grid else SMOOTHED_BORDER_PX) + unknown_border(shift)


def _standardised(planes: list[NDArray[np.float32]], targets: list[Array]) -> list[Sample]:
    together = np.concatenate(planes, axis=1)
    means = together.mean(axis=1, dtype=np.float64)
    deviations = together.std(axis=1, dtype=np.float64)
    deviations[deviations == 0] = 1.0
    values = np.concatenate(targets)
    mean, deviation = values.mean(), values.std() or 1.0
    return [
        Sample(
            ((part - means[:, None]) / deviations[:, None]).astype(np.float32),
            (target - mean) / deviation,
        )
        for part, target in zip(planes, targets, strict=True)
    ]
