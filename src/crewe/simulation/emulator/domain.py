"""Where an emulator may be believed: the surroundings of a pixel that it has seen in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CalibrationError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
# One training pixel in so many may lie outside.
OUTSIDE_QUANTILE = 0.9999
# Of an image that is no training image more pixels do so; this is still no other kind of specimen.
TOLERATED_FACTOR = 20.0
# Directions in which training images hardly vary are not trusted to be narrower than this.
LEAST_VARIANCE = 1e-4
HISTOGRAM_BINS = 2**14


@dataclass(frozen=True)
class DomainReport:
    """Whether an image is like those an emulator learned from."""

    inside: bool
    """Whether nothing speaks against it."""
    reasons: tuple[str, ...]
    """What speaks against it, in words."""
    share_outside: float
    """Share of the pixels whose surroundings are unlike any in training."""
    outside: Mask | None = None
    """Those pixels (y, x)."""


@dataclass(frozen=True, eq=False)
class Domain:
    """Distance of a pixel's features from the training pixels' mean, by their covariance."""

    inverse_covariance: Array
    """Of the standardised features, (n, n)."""
    distance_limit: float
    """Squared Mahalanobis distance that one training pixel in ten thousand exceeds."""
    share_limit: float
    """Largest share of pixels beyond it that an image may hold."""

    def __post_init__(self) -> None:
        shape = self.inverse_covariance.shape
        if len(shape) != 2 or shape[0] != shape[1] or not self.distance_limit > 0:
            raise CalibrationError(f"a domain needs a square matrix and a limit, not {shape}")

    def distances(self, planes: Any) -> Array:
        """Squared distances (...,) of standardised features (n, ...)."""
        wide = np.asarray(planes, dtype=np.float64)
        flat = wide.reshape(len(wide), -1)
        result: Array = (flat * (self.inverse_covariance @ flat)).sum(axis=0)
        return result.reshape(wide.shape[1:])

    def report(self, outside: Mask) -> DomainReport:
        """What to say of an image whose pixels (y, x) are outside or not."""
        share = float(outside.mean())
        if share <= self.share_limit:
            return DomainReport(True, (), share, outside)
        said = (
            f"{100 * share:.3g} % of the pixels lie outside what it has seen (at most "
            f"{100 * self.share_limit:.2g} % may)"
        )
        return DomainReport(False, (said,), share, outside)

    def to_arrays(self) -> dict[str, Any]:
        """Its arrays by name."""
        limits = np.array([self.distance_limit, self.share_limit])
        return {"inverse_covariance": self.inverse_covariance, "limits": limits}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Domain:
        """Undo `to_arrays`; KeyError where one is missing."""
        matrix = np.asarray(arrays["inverse_covariance"], dtype=np.float64)
        distance, share = (float(value) for value in arrays["limits"])
        return cls(matrix, distance, share)


def inverse_covariance(moments: Array, count: int) -> Array:
    """Inverse (n, n) of a covariance from sums of products of features whose mean is zero.

    Variances below 10⁻⁴ of the largest are raised to it: neighbouring pixels of a smooth image are
    almost the same feature, and rounding would fill what lies between.
    """
    values, vectors = np.linalg.eigh(moments / count)
    values = np.maximum(values, LEAST_VARIANCE * values[-1])
    result: Array = (vectors / values) @ vectors.T
    return result


class DistanceHistogram:
    """Distances of training pixels as they come by, for their quantile."""

    def __init__(self) -> None:
        self._counts = np.zeros(HISTOGRAM_BINS, dtype=np.int64)

    def add(self, distances: Array) -> None:
        """Count squared distances (n,), on a logarithmic scale from 10⁻⁴ to 10⁸."""
        place = (np.log10(np.clip(distances, 1e-4, 1e8)) + 4) / 12 * (HISTOGRAM_BINS - 1)
        self._counts += np.bincount(place.astype(np.int64), minlength=HISTOGRAM_BINS)

    def limit(self) -> float:
        """The distance that all but one in ten thousand stay below."""
        reached = np.cumsum(self._counts) >= OUTSIDE_QUANTILE * self._counts.sum()
        return float(10 ** (12 * (int(np.argmax(reached)) + 1) / (HISTOGRAM_BINS - 1) - 4))
