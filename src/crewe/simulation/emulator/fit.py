"""Fit an emulator to pairs of images, one after the other: training pixels never lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.domain import (
    OUTSIDE_QUANTILE,
    TOLERATED_FACTOR,
    DistanceHistogram,
    Domain,
    inverse_covariance,
)
from crewe.simulation.emulator.features import Features
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.monomials import monomials
from crewe.simulation.emulator.noise import Noise
from crewe.simulation.emulator.normal_equations import NormalEquations
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.registration import Shift, common_shift, moved, unknown_border
from crewe.simulation.emulator.suitability import training_facts

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Progress = Callable[[int, int], None]
# Pixels of a chunk: its terms stay in the cache.
CHUNK_PIXELS = 1024
# The paper crops what its grid cannot see; other features get the border of a grid of 5.
SMOOTHED_BORDER_PX = 2


@dataclass(frozen=True)
class _Scales:
    """What brings images and features to a mean of zero and a deviation of one."""

    image: float
    means: Array
    deviations: Array
    target: float


def fit_emulator(
    pairs: Sequence[Pair],
    plan: EmulatorPlan | None = None,
    *,
    convolution: Convolution | None = None,
    masks: Mapping[str, Mask] | None = None,
    about: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> Emulator:
    """Fit the polynomial that turns convolution images into multislice images.

    Linear regression, Eqs. (7)-(8) of Combs et al. (2019), by normal equations summed in double
    precision. `masks` (y, x) by name of pair tell which pixels to learn from. `convolution` says
    how the convolution images were made, so that the emulator can make them itself. Pixels whose
    features look beyond the image are left out. `progress` hears images done and all.

    Raises ImageError where no pixel is left to learn from or fewer than there are terms.
    """
    plan = plan or EmulatorPlan()
    shift, each = common_shift(pairs) if plan.register else ((0.0, 0.0), np.zeros((0, 2)))
    features = plan.feature_set()
    samples = _Samples(pairs, features, shift, _border(plan, shift), masks or {})
    scales = samples.scales()
    terms = plan.terms()
    equations = NormalEquations(terms.count)
    for done, (planes, target) in enumerate(samples.standardised(scales)):
        for start in range(0, len(target), CHUNK_PIXELS):
            part = slice(start, start + CHUNK_PIXELS)
            equations.add(monomials(planes[:, part], terms), target[part] / scales.target)
        if progress is not None:
            progress(done + 1, len(pairs))
    _check_count(equations.samples, terms.count)
    coefficients, factor = equations.solve(plan.ridge)
    variance = equations.residual_variance(coefficients)
    return Emulator(
        plan=plan,
        convolution=convolution,
        image_scale=scales.image,
        means=scales.means,
        deviations=scales.deviations,
        target_scale=scales.target,
        coefficients=coefficients,
        covariance_factor=factor,
        residual_variance=variance,
        shift_px=shift,
        domain=_domain(samples, scales),
        noise=Noise(np.zeros(1), np.array([np.sqrt(variance) * scales.target])),
        about={**(about or {}), **_facts(pairs, each, equations.samples)},
    )


def known_pixels(emulator: Emulator, pair: Pair) -> Mask:
    """Pixels (y, x) of a pair that the emulator's features and registration leave valid."""
    return _inside(pair, _border(emulator.plan, emulator.shift_px))


class _Samples:
    """Features and targets of the pixels to learn from, image by image."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        features: Features,
        shift: Shift,
        border: int,
        masks: Mapping[str, Mask],
    ) -> None:
        self.pairs = pairs
        self.features = features
        self.shift = shift
        self.border = border
        self.masks = masks

    def scales(self) -> _Scales:
        """Deviation of the images, mean and deviation of their features and of the target."""
        image = _spread(pair.linear for pair in self.pairs)
        total, squares, count = 0.0, 0.0, 0
        targets = np.zeros(3)
        for planes, target in self._each(image):
            wide = planes.astype(np.float64)
            total, squares = total + wide.sum(axis=1), squares + (wide**2).sum(axis=1)
            targets += [target.sum(), (target**2).sum(), len(target)]
            count += len(target)
        if count == 0:
            raise ImageError("no pixel is left to learn from: larger images or a smaller grid")
        means = np.asarray(total) / count
        deviations = np.sqrt(np.maximum(np.asarray(squares) / count - means**2, 0.0))
        deviations[deviations == 0] = 1.0
        spread = np.sqrt(max(targets[1] / count - (targets[0] / count) ** 2, 0.0))
        return _Scales(image, means, deviations, float(spread) or 1.0)

    def standardised(self, scales: _Scales) -> Iterator[tuple[Array, Array]]:
        """Standardised features (n, pixels) and targets (pixels,) of each image."""
        for planes, target in self._each(scales.image):
            yield (planes - scales.means[:, None]) / scales.deviations[:, None], target

    def _each(self, scale: float) -> Iterator[tuple[NDArray[Any], Array]]:
        for pair in self.pairs:
            chosen = _inside(pair, self.border)
            if pair.name in self.masks:
                chosen &= self.masks[pair.name]
            image = moved(pair.linear, self.shift) / np.float32(scale)
            yield self.features.planes(image)[:, chosen], pair.multislice[chosen].astype(np.float64)


def _domain(samples: _Samples, scales: _Scales) -> Domain:
    moments: Any = 0.0
    count = 0
    for planes, target in samples.standardised(scales):
        moments = moments + planes @ planes.T
        count += len(target)
    matrix = inverse_covariance(moments, count)
    found = Domain(matrix, 1.0, 1.0)
    histogram = DistanceHistogram()
    for planes, _ in samples.standardised(scales):
        histogram.add(found.distances(planes))
    return Domain(matrix, histogram.limit(), TOLERATED_FACTOR * (1 - OUTSIDE_QUANTILE))


def _border(plan: EmulatorPlan, shift: Shift) -> int:
    reach = (plan.size - 1) // 2 if plan.features == "neighbourhood" else SMOOTHED_BORDER_PX
    return reach + unknown_border(shift)


def _inside(pair: Pair, border: int) -> Mask:
    chosen = np.zeros(pair.linear.shape, dtype=bool)
    rows, columns = pair.linear.shape
    chosen[border : rows - border, border : columns - border] = True
    return chosen


def _spread(images: Iterator[NDArray[np.float32]]) -> float:
    sums = np.zeros(3)
    for image in images:
        wide = image.astype(np.float64)
        sums += [wide.sum(), (wide**2).sum(), wide.size]
    if sums[2] == 0:
        raise ImageError("there are no pairs to learn from")
    return float(np.sqrt(max(sums[1] / sums[2] - (sums[0] / sums[2]) ** 2, 0.0))) or 1.0


def _check_count(pixels: int, terms: int) -> None:
    if pixels < 2 * terms:
        raise ImageError(
            f"{pixels} pixels cannot tell {terms} terms: give more pairs, a lower degree or fewer "
            "features"
        )


def _facts(pairs: Sequence[Pair], shifts: Array, pixels: int) -> dict[str, Any]:
    return {
        "pairs": [pair.name for pair in pairs],
        "pixels": pixels,
        "shifts_px": np.round(shifts, 4).tolist(),
        **training_facts(pairs),
    }
