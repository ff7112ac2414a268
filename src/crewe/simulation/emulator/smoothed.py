"""Features that do not change when the specimen turns: smoothed powers and slopes of the image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from crewe.errors import CalibrationError
from crewe.simulation.emulator.features import Image, Planes, logarithm, read_image
from crewe.simulation.emulator.gaussian_blur import (
    blurred_along_x,
    blurred_along_y,
    gaussian_kernel,
    radius,
)

PLAIN_KINDS = ("intensity", "log")
SCALED_KINDS = ("smooth", "square", "cube", "root", "spread", "gradient", "laplacian", "shear")


@dataclass(frozen=True)
class Smoothed:
    """Planes of the named `kinds`, each "intensity", "log" or "KIND SIGMA" with σ in pixels.

    With G the blur by a Gaussian of that σ and l the image, KIND is one of

        smooth     G(l)
        square     √G(l²)      cube  ∛G(l³)      root  G(√l)²
        spread     √(G(l²) − G(l)²)
        gradient   σ |∇G(l)|
        laplacian  σ² ∇²G(l)
        shear      σ² (λ₁ − λ₂), the λ being the eigenvalues of the second derivatives of G(l)

    all of them in units of the image. Beyond its border the image is zero, vacuum; pixels below
    zero, rounding errors of the convolution, count as zero except in "intensity". Raises
    CalibrationError for no kind, an unknown one, one that comes twice or σ that is not positive.
    """

    kinds: tuple[str, ...]

    def __post_init__(self) -> None:
        parsed = [_parsed(kind) for kind in self.kinds]
        if not parsed:
            raise CalibrationError(f"name at least one feature: {_known()}")
        for kind, pair in zip(self.kinds, parsed, strict=True):
            if parsed.count(pair) > 1:
                raise CalibrationError(f"the feature {kind!r} is named twice: name it once")

    @property
    def names(self) -> tuple[str, ...]:
        """The kinds, with px after each σ."""
        return tuple(_name(*_parsed(kind)) for kind in self.kinds)

    @property
    def reach_px(self) -> int:
        """Distance in pixels at which the widest Gaussian is cut off."""
        return max(radius(sigma) for _, sigma in map(_parsed, self.kinds))

    def planes(self, image: Any) -> Planes:
        """Features (feature, y, x) of an image (y, x) in units of its standard deviation.

        Raises ImageError for what is no finite image.
        """
        values = read_image(image)
        blurs = _Blurs(values)
        result = np.empty((len(self.kinds), *values.shape), dtype=np.float32)
        for plane, kind in zip(result, self.kinds, strict=True):
            plane[:] = _plane(blurs, *_parsed(kind))
        return result


class _Blurs:
    """Blurs of one image's powers, each made once however many features need it."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.clipped = np.maximum(image, np.float32(0))
        self._along_y: dict[tuple[float, float, int], Image] = {}
        self._both: dict[tuple[float, float, int, int], Image] = {}

    def __call__(self, sigma: float, *, power: float = 1, order: tuple[int, int] = (0, 0)) -> Image:
        """G(l^power), or its derivative of `order` (y, x)."""
        key = power, sigma, *order
        if key not in self._both:
            half = self._half(power, sigma, order[0])
            self._both[key] = blurred_along_x(half, _kernel(sigma, order[1]))
        return self._both[key]

    def _half(self, power: float, sigma: float, order: int) -> Image:
        key = power, sigma, order
        if key not in self._along_y:
            self._along_y[key] = blurred_along_y(self._power(power), _kernel(sigma, order))
        return self._along_y[key]

    def _power(self, power: float) -> Image:
        if power == 0.5:
            return np.sqrt(self.clipped)
        if power == 2:
            return self.clipped * self.clipped
        if power == 3:
            return self.clipped * self.clipped * self.clipped
        return self.clipped


def _plane(blurs: _Blurs, kind: str, sigma: float) -> Image:
    s = np.float32(sigma)
    if kind == "intensity":
        return blurs.image
    if kind == "log":
        return logarithm(blurs.image)
    if kind == "smooth":
        return blurs(sigma)
    if kind == "square":
        return np.sqrt(blurs(sigma, power=2))
    if kind == "cube":
        return np.cbrt(blurs(sigma, power=3))
    if kind == "root":
        return blurs(sigma, power=0.5) ** 2
    if kind == "spread":
        return np.sqrt(np.maximum(blurs(sigma, power=2) - blurs(sigma) ** 2, np.float32(0)))
    if kind == "gradient":
        return s * _length(blurs(sigma, order=(1, 0)), blurs(sigma, order=(0, 1)))
    yy, xx = blurs(sigma, order=(2, 0)), blurs(sigma, order=(0, 2))
    if kind == "laplacian":
        return s * s * (yy + xx)
    return s * s * _length(yy - xx, 2 * blurs(sigma, order=(1, 1)))


def _length(a: Image, b: Image) -> Image:
    # np.hypot, which cannot overflow, takes ten times as long
    result: Image = np.sqrt(a * a + b * b)
    return result


@cache
def _kernel(sigma: float, order: int) -> Image:
    return gaussian_kernel(sigma, order)


def _parsed(text: str) -> tuple[str, float]:
    """Kind and σ in pixels of a feature, 0 for those without; CalibrationError for others."""
    kind, *numbers = str(text).split() or [""]
    if kind in PLAIN_KINDS and not numbers:
        return kind, 0.0
    if kind not in SCALED_KINDS or len(numbers) != 1:
        raise CalibrationError(f"no feature is called {text!r}: {_known()}")
    try:
        sigma = float(numbers[0])
    except ValueError:
        sigma = math.nan
    if not (math.isfinite(sigma) and sigma > 0):
        raise CalibrationError(f"{text!r} needs a positive width in pixels, as in '{kind} 4'")
    return kind, sigma


def _name(kind: str, sigma: float) -> str:
    return f"{kind} {sigma:g} px" if sigma else kind


def _known() -> str:
    scaled = ", ".join(f"'{kind} 4'" for kind in SCALED_KINDS)
    return f"there are 'intensity', 'log' and, with a width in pixels, {scaled}"
