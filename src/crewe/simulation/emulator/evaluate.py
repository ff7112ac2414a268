"""Sum of a polynomial over an image, in one pass.

Horner's rule on the tree of monomials: a monomial's value is its coefficient and, for each of its
children, the feature that the child adds times the child's value. So a term costs one product and
one sum per pixel. The coefficients of neighbouring pixels are large and of both signs, so in single
precision the sum would be off by up to a per cent of the image's deviation: it is double.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.errors import CalibrationError, ImageError
from crewe.simulation.emulator.features import Features, Image, logarithm, read_image
from crewe.simulation.emulator.neighbourhood import Neighbourhood
from crewe.simulation.emulator.polynomial_sum import BLOCK, add_polynomial, workspace
from crewe.simulation.emulator.terms import Index, Terms

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Polynomial:
    """Σ c_t φ_t(z) with z = (feature − mean) / deviation, φ and the order of t as `terms` says.

    Raises CalibrationError when the numbers of coefficients (term,), means and deviations
    (feature,) are not those of the terms, one is not finite, or a deviation is not positive.
    """

    terms: Terms
    coefficients: Array
    means: Array
    deviations: Array

    def __post_init__(self) -> None:
        counts = {
            "coefficients": self.terms.count,
            "means": self.terms.features,
            "deviations": self.terms.features,
        }
        for name, count in counts.items():
            values = np.ascontiguousarray(getattr(self, name), dtype=np.float64)
            if values.shape != (count,) or not np.isfinite(values).all():
                raise CalibrationError(
                    f"these terms need {count} finite {name}, got shape {values.shape}"
                )
            object.__setattr__(self, name, values)
        if not (self.deviations > 0).all():
            raise CalibrationError("a feature's deviation must be positive to divide by it")

    def image(self, features: Features, image: Any) -> Image:
        """Polynomial (y, x) of the features of an image (y, x).

        Raises ImageError for what is no finite image, CalibrationError when the features are not as
        many as the terms were made for.
        """
        if isinstance(features, Neighbourhood):
            return self._of_neighbourhood(features, read_image(image))
        return self.of_planes(features.planes(image))

    def of_planes(self, planes: Any) -> Image:
        """Polynomial (y, x) of feature planes (feature, y, x); NaN where one of them is NaN.

        Raises ImageError for another number of axes, CalibrationError for one of features.
        """
        values = np.ascontiguousarray(planes, dtype=np.float32)
        if values.ndim != 3:
            raise ImageError(f"give feature planes (feature, y, x), got shape {values.shape}")
        pixels = values[0].size if len(values) else 0
        sums = self._sum(values.reshape(-1), pixels * np.arange(len(values)), pixels)
        return sums.reshape(values.shape[1:])

    def _of_neighbourhood(self, features: Neighbourhood, image: Image) -> Image:
        """Read each neighbour where it lies: one offset away in the padded image's flat memory.

        The pixels between the end of a row and the start of the next are summed, too, and dropped.
        """
        padded = features.padded(image)
        rows, columns = image.shape
        stride = padded.shape[1]
        near = np.arange(features.size)
        offsets = (near[:, None] * stride + near).reshape(-1)
        source = padded.reshape(-1)
        if features.log:
            centre = features.reach_px * (stride + 1)
            offsets = np.append(offsets, padded.size + centre)
            source = np.concatenate([source, logarithm(source)])
        sums = np.empty(rows * stride, dtype=np.float32)
        used = sums.size - stride + columns
        sums[:used] = self._sum(source, offsets, used)
        return np.ascontiguousarray(sums.reshape(rows, stride)[:, :columns])

    def _sum(self, source: Image, offsets: Index, pixels: int) -> Image:
        """Polynomial (pixel,) of features that lie at source[offset + pixel]."""
        if len(offsets) != self.terms.features:
            raise CalibrationError(
                f"these terms are of {self.terms.features} features, got {len(offsets)}"
            )
        result = np.empty(pixels, dtype=np.float32)
        _sum_blocks(
            result,
            workspace(self.terms),
            source,
            offsets,
            (self.means, 1 / self.deviations),
            self.coefficients,
            (self.terms.first_children, self.terms.factors),
            self.terms.degree,
        )
        return result


@njit(cache=True, nogil=True)
def _sum_blocks(
    result: Image,
    work: Array,
    source: Image,
    offsets: Index,
    scaling: tuple[Array, Array],
    coefficients: Array,
    tree: tuple[Index, Index],
    degree: int,
) -> None:
    path = np.zeros((2, degree + 1), dtype=np.int64)
    features, pixels = len(offsets), len(result)
    for start in range(0, pixels, BLOCK):
        width = min(BLOCK, pixels - start)
        for r in range(features):
            first = offsets[r] + start
            _standardise(
                work[r * BLOCK : r * BLOCK + width],
                source[first : first + width],
                scaling[0][r],
                scaling[1][r],
            )
        add_polynomial(work, features, coefficients, tree, degree, path)
        total = (features + 1) * BLOCK
        for i in range(width):
            result[start + i] = work[total + i]


@njit(cache=True, nogil=True)
def _standardise(row: Array, values: Image, mean: float, inverse: float) -> None:
    for i in range(len(row)):
        row[i] = (values[i] - mean) * inverse
