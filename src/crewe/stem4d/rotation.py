"""How the detector lies to the scan: rotation and handedness, from the curl of shifts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from crewe.errors import ImageError, PlanError
from crewe.sources import Scan
from crewe.stem4d.com import CentreOfMass

Array = NDArray[np.float64]
FEWEST_POSITIONS = 64
CERTAIN = 5.0
"""Standard deviations of noise from which on a choice counts as known."""


@dataclass(frozen=True)
class ScanOrientation:
    """Rotation and mirroring as a `Scan` has them, and how sure they are."""

    rotation_degrees: float
    """From −180 to 180; see `Scan`."""
    rotation_std_degrees: float
    mirrored: bool
    curl_ratio: float
    """Remaining curl over that of the other handedness: 1 when both fit alike, 0 without noise."""
    handedness_certainty: float
    """By how many standard deviations of noise the curl is smaller; infinite when it was given."""
    sign_certainty: float
    """How many standard deviations of noise the image is skewed towards bright atoms; infinite when
    the rotation was given."""

    @property
    def handedness_is_known(self) -> bool:
        """Whether mirrored could be told from not mirrored; stripes never tell it."""
        return self.handedness_certainty > CERTAIN

    @property
    def sign_is_known(self) -> bool:
        """Whether the rotation could be told from one by 180° more."""
        return self.sign_certainty > CERTAIN

    @property
    def is_known(self) -> bool:
        """Whether rotation, handedness and sign are all known."""
        return self.handedness_is_known and self.sign_is_known

    def of(self, scan: Scan) -> Scan:
        """Return the scan with this rotation and mirroring."""
        return replace(scan, rotation_degrees=self.rotation_degrees, mirrored=self.mirrored)


def scan_orientation(
    com: CentreOfMass,
    smoothing_px: float = 1.0,
    mirrored: bool | None = None,
    rotation_degrees: float | None = None,
) -> ScanOrientation:
    """Find rotation and mirroring from the shifts measured; those that `com` has do not matter.

    What is known of them can be given. Raises ImageError when too little is measured; see
    `orientation`.
    """
    settings = com.settings
    plain = replace(settings.scan, rotation_degrees=0.0, mirrored=False)
    shift = com.shift(replace(settings, scan=plain))
    return orientation(shift, settings.step, smoothing_px, mirrored, rotation_degrees)


def orientation(
    shift: Array,
    step: tuple[float, float] = (1.0, 1.0),
    smoothing_px: float = 1.0,
    mirrored: bool | None = None,
    rotation_degrees: float | None = None,
) -> ScanOrientation:
    """Find rotation and mirroring that leave shifts (2, rows, columns) least curl.

    `shift` is (ky, kx) along detector axes, NaN where unknown, at probe positions `step` (y, x)
    apart. As shifts are a gradient, their curl is noise. Σ curl² is a sine of twice the angle, so
    its minimum is exact; both mirrorings are tried unless `mirrored` is known, at the given
    `rotation_degrees` where that is known. A rotation by 180° more leaves the same curl: that is
    chosen in which the divergence is skewed as it is when atoms, where shifts meet, are sharper
    than the gaps between them. This is an assumption, false for bright gaps such as holes in a
    film. Derivatives are those of a Gaussian of width `smoothing_px`. Raises ImageError when fewer
    than 64 positions have known neighbours, or all shifts are alike.
    """
    if rotation_degrees is not None and not math.isfinite(rotation_degrees):
        raise PlanError(f"scan rotation {rotation_degrees}: give finite degrees, or none")
    if not (math.isfinite(smoothing_px) and smoothing_px > 0):
        raise PlanError(f"smoothing by {smoothing_px} px: give a positive number, 1 is usual")
    if shift.ndim != 3 or len(shift) != 2:
        raise ImageError(f"shifts of shape {shift.shape}: give (2, rows, columns)")
    known = _well_inside(np.isfinite(shift[0] + shift[1]), smoothing_px)
    if known.sum() < FEWEST_POSITIONS:
        raise ImageError(
            f"{known.sum()} probe positions have known neighbours, too few for the rotation of "
            f"the scan: measure {FEWEST_POSITIONS} or more, or give the rotation"
        )
    field = np.nan_to_num(shift - np.nanmean(shift, axis=(1, 2), keepdims=True), nan=0.0)
    slopes = [
        [_derivative(part, axis, smoothing_px)[known] / step[axis] for axis in (0, 1)]
        for part in field
    ]
    # How many independent ones smoothing leaves.
    independent = max(known.sum() / (math.pi * smoothing_px**2), 4.0)
    angle = None if rotation_degrees is None else math.radians(rotation_degrees)
    fits = [_Fit.of(slopes, mirrored, angle) for mirrored in (False, True)]
    if fits[0].largest <= 0:
        raise ImageError("all shifts are alike, so they tell no rotation: give the rotation")
    best, other = sorted(fits, key=lambda fit: fit.curl)
    if mirrored is not None:
        best, other = fits[mirrored], fits[not mirrored]
    result = _result(best, other, float(independent))
    if mirrored is not None:
        result = replace(result, handedness_certainty=math.inf)
    if rotation_degrees is None:
        return result
    result = replace(result, rotation_degrees=rotation_degrees, rotation_std_degrees=0.0)
    return replace(result, sign_certainty=math.inf)


@dataclass(frozen=True)
class _Fit:
    """The best, or the given, angle of one handedness: sums of squares there, and divergence."""

    mirrored: bool
    angle: float
    curl: float
    largest: float
    divergence: Array

    @classmethod
    def of(cls, slopes: list[list[Array]], mirrored: bool, angle: float | None = None) -> _Fit:
        sign = -1.0 if mirrored else 1.0
        (y_along_y, y_along_x), (x_along_y, x_along_x) = slopes
        curl = sign * y_along_x - x_along_y
        divergence = x_along_x + sign * y_along_y
        # Turned by θ the curl is C·cosθ − D·sinθ, and the divergence D·cosθ + C·sinθ.
        half_sum = float(divergence @ divergence + curl @ curl) / 2
        half_difference = float(divergence @ divergence - curl @ curl) / 2
        mixed = float(curl @ divergence)
        swing = math.hypot(half_difference, mixed)
        fall = swing
        if angle is None:
            angle = 0.5 * math.atan2(mixed, half_difference)
        else:
            fall = half_difference * math.cos(2 * angle) + mixed * math.sin(2 * angle)
        turned = divergence * math.cos(angle) + curl * math.sin(angle)
        return cls(mirrored, angle, max(half_sum - fall, 0.0), half_sum + swing, turned)


def _result(best: _Fit, other: _Fit, independent: float) -> ScanOrientation:
    skewness = float(np.mean((-best.divergence) ** 3) / np.mean(best.divergence**2) ** 1.5)
    degrees = math.degrees(best.angle) + (180.0 if skewness < 0 else 0.0)
    swing = max(best.largest - best.curl, 1e-12 * best.largest)
    std = math.sqrt(best.curl * best.largest / independent) / swing
    ratio = math.sqrt(best.curl / other.curl) if other.curl else 1.0
    return ScanOrientation(
        rotation_degrees=(degrees + 180.0) % 360.0 - 180.0,
        rotation_std_degrees=min(math.degrees(std), 90.0),
        mirrored=best.mirrored,
        curl_ratio=ratio,
        handedness_certainty=(1 - ratio) * math.sqrt(2 * independent),
        sign_certainty=abs(skewness) * math.sqrt(independent / 6),
    )


def _derivative(values: Array, axis: int, width: float) -> Array:
    order = (1, 0) if axis == 0 else (0, 1)
    return np.asarray(ndimage.gaussian_filter(values, width, order=order, mode="nearest"))


def _well_inside(known: NDArray[np.bool_], width: float) -> NDArray[np.bool_]:
    """Positions that what is unknown or beyond the scan hardly reaches."""
    reach = math.ceil(2 * width)
    return np.asarray(ndimage.binary_erosion(known, np.ones((2 * reach + 1,) * 2)))
