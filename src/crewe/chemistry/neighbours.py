"""What neighbouring pixels tell about the noise of an image, and how it grows with the signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import nnls

Array = NDArray[np.floating[Any]]

SECOND_DIFFERENCE = np.outer([1.0, -2.0, 1.0], [1.0, -2.0, 1.0]) / 6
"""Blind to planes and to edges along the pixel rows; the squares of its weights sum to one."""
FOURTH_POWERS = float(np.sum(SECOND_DIFFERENCE**4))
WINDOW_PX = 7
BINS = 24
FEWEST_IN_BIN = 64
OUTLIER = 6.0
"""Standard deviations by which a window's variance may exceed the line before it is structure."""
FAR = 2.0
"""Standard deviations from which on a bin counts by its distance, not by the square of it."""
ROUNDS = 12
LEAST = 1e-3
"""Variance, in shares of the mean one, that a bin is at least expected to have."""
CORRELATED_PIXELS = 2.5
"""Pixels that share what one squared difference tells."""


@dataclass(frozen=True)
class VarianceLine:
    """Variance of a pixel of mean m: `constant` + `slope`·(m − `lowest`), neither negative."""

    constant: float
    slope: float
    lowest: float
    slope_error: float
    """Standard error of the slope."""

    def variance(self, mean: Array) -> Array:
        """Variance of pixels whose mean is given, in squares of the image's unit."""
        return np.maximum(self.constant + self.slope * np.maximum(mean - self.lowest, 0.0), 0.0)


def squared_differences(image: Array) -> tuple[Array, Array]:
    """Squared second differences of an image (y, x), and the means that belong to them.

    Both are (y − 2, x − 2). Where white noise of variance a + b·mean lies on a plane, the first
    has the expectation a + b·(second).
    """
    difference = ndimage.correlate(image, SECOND_DIFFERENCE)[1:-1, 1:-1]
    mean = ndimage.correlate(image, SECOND_DIFFERENCE**2)[1:-1, 1:-1]
    return difference**2, mean


def surroundings(image: Array) -> Array:
    """Mean about each pixel, without the 3 × 3 that its second difference uses, (y − 2, x − 2).

    What is sorted by it is not sorted by its own noise.
    """
    wide = ndimage.uniform_filter(image, WINDOW_PX) * WINDOW_PX**2
    near = ndimage.uniform_filter(image, 3) * 9
    return np.asarray((wide - near)[1:-1, 1:-1] / (WINDOW_PX**2 - 9))


def variance_line(image: Array) -> VarianceLine:
    """Fit variance against mean over bins of pixels whose surroundings are alike.

    The image is (y, x), finite, at least 16 pixels a side. Windows whose variance lies more than
    six standard deviations above the line are structure, and left out; so is most of what a bin
    full of edges says. Of 256 × 256 counts the slope comes out at 1.00 ± 0.02 from 0.05 to 50
    counts a pixel; peaks of thousands of counts a few pixels wide raise it by up to a fifth.
    """
    image = np.asarray(image, np.float64)
    squares, means = squared_differences(image)
    about = surroundings(image)
    used = np.ones(squares.shape, bool)
    for _ in range(2):
        line = _fit(squares[used], means[used], about[used])
        used = _without_structure(squares, means, line)
    return _fit(squares[used], means[used], about[used])


def whiteness(image: Array) -> float:
    """Power of an image (y, x) at the finest frequencies over that at middle ones, by medians.

    0.9 to 1.1 for white noise on any specimen whose structure is wider than about two pixels, far
    less where neighbours were averaged or interpolated.
    """
    spectrum = _Spectrum.of(image)
    fine = spectrum.median((np.abs(spectrum.ky) > 0.35) & (np.abs(spectrum.kx) > 0.35))
    middle = spectrum.median(spectrum.ring(0.25, 0.35))
    return fine / middle if middle > 0 else 0.0


def shared_noise(image: Array) -> float:
    """Factor by which neighbours that share their noise make its second differences too small.

    The power of the noise at frequency zero, which sums over many pixels would show, over that in
    second differences. It is extrapolated as if the image were smoothed by a Gaussian, from the
    medians over two rings of frequencies (y, x); structure in them makes it too large.
    """
    spectrum = _Spectrum.of(image)
    low, high = (
        spectrum.median(spectrum.ring(0.12, 0.18)),
        spectrum.median(spectrum.ring(0.2, 0.27)),
    )
    passed = (4 * np.sin(np.pi * spectrum.ky) * np.sin(np.pi * spectrum.kx)) ** 4
    # The median of the power of noise is ln 2 of its mean.
    seen = float(np.sum(passed * spectrum.power) / np.sum(passed)) * np.log(2)
    if min(low, high, seen) <= 0:
        return 1.0
    steps = 0.15**2 / (0.235**2 - 0.15**2)
    return float(max(low * (low / high) ** steps / seen, 1.0))


@dataclass(frozen=True)
class _Spectrum:
    """Power of an image without its mean, and the frequencies per pixel, all (ky, kx)."""

    power: Array
    ky: Array
    kx: Array

    @classmethod
    def of(cls, image: Array) -> _Spectrum:
        power = np.abs(scipy.fft.fft2(image - image.mean())) ** 2
        ky, kx = np.meshgrid(*(np.fft.fftfreq(side) for side in image.shape), indexing="ij")
        return cls(power, ky, kx)

    def ring(self, least: float, most: float) -> NDArray[np.bool_]:
        radius = np.hypot(self.ky, self.kx)
        return np.asarray((radius > least) & (radius < most))

    def median(self, of: NDArray[np.bool_]) -> float:
        return float(np.median(self.power[of]))


def _fit(squares: Array, means: Array, about: Array) -> VarianceLine:
    parts = _bins(about)
    base = min(float(means[part].mean()) for part in parts)
    scale = float(np.sqrt(squares.mean()))
    if scale == 0:
        return VarianceLine(0.0, 0.0, base, 0.0)
    mean = np.array([means[part].mean() - base for part in parts]) / scale
    variance = np.array([squares[part].mean() for part in parts]) / scale**2
    number = np.array([part.size for part in parts]) / CORRELATED_PIXELS
    (constant, slope), error = _line(mean, variance, number)
    return VarianceLine(constant * scale**2, slope * scale, base, error * scale)


def _line(mean: Array, variance: Array, number: Array) -> tuple[tuple[float, float], float]:
    """Return constant and slope of variance of about 1 over mean, and the slope's error."""
    design = np.stack([np.ones_like(mean), mean], axis=1)
    expected, found = variance, np.zeros(2)
    unit = float(variance.sum() / max(mean.sum(), 1e-6))
    for _ in range(ROUNDS):
        weight = np.sqrt(number / _scatter(np.maximum(expected, LEAST), unit))
        # Huber's weights: a bin full of edges counts as one bin off, however far.
        far = np.maximum(np.abs(variance - expected) * weight, FAR)
        weight = weight * np.sqrt(FAR / far)
        found, _ = nnls(design * weight[:, None], variance * weight)
        expected = design @ found
        unit = float(found[1])
    scaled = design * weight[:, None]
    error = float(np.sqrt(np.linalg.pinv(scaled.T @ scaled)[1, 1]))
    return (float(found[0]), float(found[1])), error


def _scatter(variance: Array, unit: float) -> Array:
    """Variance of one squared difference: that of a normal one, and of counts of this unit."""
    return 2 * variance**2 + FOURTH_POWERS * unit**2 * variance


def _bins(about: Array) -> list[NDArray[np.intp]]:
    number = int(np.clip(about.size // FEWEST_IN_BIN, 1, BINS))
    return list(np.array_split(np.argsort(about, kind="stable"), number))


def _without_structure(squares: Array, means: Array, line: VarianceLine) -> NDArray[np.bool_]:
    """Where the variance of a window is not far above what the line expects."""
    expected = line.variance(ndimage.uniform_filter(means, WINDOW_PX))
    number = WINDOW_PX**2 / CORRELATED_PIXELS
    scatter = np.sqrt(_scatter(expected, line.slope) / number)
    used = ndimage.uniform_filter(squares, WINDOW_PX) <= expected + OUTLIER * scatter
    # Where most of it would be left out, the line is what is wrong.
    return np.asarray(used) if used.mean() > 0.5 else np.ones(squares.shape, bool)
