"""Where the probe must stand for a STEM image, and the image at any pixel from what it saw there.

The probe's wave holds frequencies up to the aperture's cutoff, its intensity and so any STEM image
up to twice that. Samples at the Nyquist step of that limit therefore hold the whole image, and its
value anywhere is a trigonometric interpolation of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe.errors import SpecimenError
from crewe.physics.optics import FWHM_PER_SIGMA, Optics
from crewe.simulation.field import Field

Array = NDArray[np.float64]
# Samples beyond each border of an open field, besides three σ of the source: there the mirrored
# continuation of the scan is not the specimen's.
SPARE_SAMPLES = 2


@dataclass(frozen=True)
class ScanAxis:
    """Evenly spaced places of the probe along x or y, in Å from pixel 0.

    A `periodic` axis covers one period; an open one is continued by its mirror image.
    """

    start: float
    step: float
    count: int
    periodic: bool

    @property
    def places(self) -> Array:
        """Places in Å, (count,)."""
        return self.start + self.step * np.arange(self.count, dtype=np.float64)

    @property
    def span(self) -> tuple[float, float]:
        """First and last place in Å."""
        return self.start, self.start + self.step * (self.count - 1)


def nyquist_step_angstrom(optics: Optics) -> float:
    """Largest distance in Å of probe places that loses nothing: a quarter of 1/cutoff."""
    return 1 / (4 * optics.cutoff)


def open_axis(pixels: int, pixel_size_angstrom: float, optics: Optics) -> ScanAxis:
    """Places for an image that does not repeat, with what the interpolation needs beyond it."""
    step = nyquist_step_angstrom(optics)
    spare = SPARE_SAMPLES + math.ceil(3 * source_sigma_angstrom(optics) / step)
    length = (pixels - 1) * pixel_size_angstrom
    return ScanAxis(-spare * step, step, math.ceil(length / step) + 1 + 2 * spare, False)


def periodic_axis(period_angstrom: float, optics: Optics) -> ScanAxis:
    """Places over one period."""
    # An odd number needs no decision about the highest frequency's phase.
    count = math.ceil(period_angstrom / nyquist_step_angstrom(optics) - 1e-9) | 1
    return ScanAxis(0.0, period_angstrom / count, count, True)


def scan_axes(
    lengths: tuple[float, float],
    field: Field,
    pixel_size_angstrom: float,
    optics: Optics,
    repeats: tuple[int, int],
) -> tuple[ScanAxis, ScanAxis]:
    """Axes along y and x for a field of a cell of `lengths` (x, y) in Å.

    The image of a periodic one repeats `repeats` times along x and y. Raises SpecimenError for
    repeats below 1 or of a field that is not periodic.
    """
    if not field.periodic:
        if tuple(repeats) != (1, 1):
            raise SpecimenError(f"an image that does not repeat was given repeats={repeats}")
        rows, columns = (open_axis(size, pixel_size_angstrom, optics) for size in field.shape)
        return rows, columns
    if min(repeats) < 1:
        raise SpecimenError(f"repeats={repeats}: give how often the image repeats, 1 or more")
    along_x, along_y = (
        periodic_axis(float(length) / times, optics)
        for length, times in zip(lengths, repeats, strict=True)
    )
    return along_y, along_x


def source_sigma_angstrom(optics: Optics) -> float:
    """Standard deviation in Å of the image of the source."""
    return optics.source_fwhm_angstrom / FWHM_PER_SIGMA


def interpolation_matrix(places_angstrom: Array, axis: ScanAxis, blur_angstrom: float) -> Array:
    """Weights (place, sample) of trigonometric interpolation, blurred by a Gaussian of σ in Å.

    An open axis of n samples is continued to a period of 2n − 2 by reflection at its ends, so that
    it has no step there.
    """
    at = (np.asarray(places_angstrom, dtype=np.float64) - axis.start) / axis.step
    if axis.periodic or axis.count < 2:
        return _trigonometric(at, axis.count, blur_angstrom / axis.step)
    period = 2 * axis.count - 2
    whole = _trigonometric(at, period, blur_angstrom / axis.step)
    folded = whole[:, : axis.count].copy()
    folded[:, 1:-1] += whole[:, : axis.count - 1 : -1]
    return folded


def _trigonometric(at: Array, period: int, sigma: float) -> Array:
    """Interpolation from unit steps over a period, by its Fourier series."""
    waves = np.arange(-(period // 2), (period - 1) // 2 + 1)
    weight = np.exp(-2 * (np.pi * sigma * waves / period) ** 2)
    distance = at[:, None] - np.arange(period)
    result: Array = np.zeros_like(distance)
    for wave, part in zip(waves, weight, strict=True):
        result += part * np.cos(2 * np.pi * wave / period * distance)
    return result / period


def interpolate(
    samples: Array, axes: tuple[ScanAxis, ScanAxis], places: tuple[Array, Array], blur: float
) -> Array:
    """Image (..., y, x) at places (y, x) in Å of samples (..., y, x), blurred by σ in Å."""
    along_y, along_x = (
        interpolation_matrix(place, axis, blur) for place, axis in zip(places, axes, strict=True)
    )
    result: Array = along_y @ samples @ along_x.T
    return result
