"""How far emulated images lie from multislice ones, in one number.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, "Model
assessment" and Eq. (4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from crewe.errors import ImageError


@dataclass
class Score:
    """Sums over pixels, which may come image by image and fold by fold.

    The paper pools: one calculation over all pixels of all validation sets, so that two repeats
    make a target of two copies of all pixels. Without pixels all figures are NaN.
    """

    pixels: int = 0
    """Pixels compared."""
    squared_error: float = 0.0
    """Sum of (emulated − actual)²."""
    mean: float = math.nan
    """Mean of the actual values."""
    squared_deviation: float = 0.0
    """Sum of (actual − mean)²."""

    def add(self, emulated: Any, actual: Any) -> None:
        """Compare further pixels, two arrays of one shape; ImageError for other shapes or NaN."""
        wide = np.asarray(actual, dtype=np.float64).ravel()
        error = np.asarray(emulated, dtype=np.float64).ravel()
        if error.shape != wide.shape:
            raise ImageError(f"{error.size} emulated and {wide.size} actual pixels do not match")
        if wide.size == 0:
            return
        error = error - wide
        if not (np.isfinite(error).all() and np.isfinite(wide).all()):
            raise ImageError("pixels that are NaN or infinite cannot be compared: mask them")
        mean = float(wide.mean())
        part = Score(wide.size, float(error @ error), mean, float(((wide - mean) ** 2).sum()))
        self.merge(part)

    def merge(self, other: Score) -> None:
        """Take in what another has summed."""
        if other.pixels == 0:
            return
        total = self.pixels + other.pixels
        apart = other.mean - self.mean if self.pixels else 0.0
        before = self.mean if self.pixels else other.mean
        self.squared_deviation += other.squared_deviation
        self.squared_deviation += apart**2 * self.pixels * other.pixels / total
        self.squared_error += other.squared_error
        self.mean = before + apart * other.pixels / total
        self.pixels = total

    @property
    def rms(self) -> float:
        """Root mean square error, in units of the images."""
        return math.sqrt(self.squared_error / self.pixels) if self.pixels else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation of the actual values."""
        return math.sqrt(self.squared_deviation / self.pixels) if self.pixels else math.nan

    @property
    def one_minus_r2(self) -> float:
        """Share of the actual values' variance that the emulated ones miss, 1 − R².

        NaN where all actual values are the same.
        """
        missed, all_of_it = self.squared_error, self.squared_deviation
        return missed / all_of_it if all_of_it > 0 else math.nan

    @property
    def fractional_rms(self) -> float:
        """Root mean square error over standard deviation, Eq. (4): the root of 1 − R²."""
        return math.sqrt(self.one_minus_r2)


def score(emulated: Any, actual: Any) -> Score:
    """Compare two arrays of one shape; ImageError for other shapes or NaN."""
    result = Score()
    result.add(emulated, actual)
    return result


def one_minus_r2(emulated: Any, actual: Any) -> float:
    """1 − R² of emulated against actual values of one shape; NaN where these are constant.

    R² is the coefficient of determination, which a bias and a wrong scale lower, too. Raises
    ImageError for other shapes or NaN.
    """
    return score(emulated, actual).one_minus_r2


def fractional_rms(emulated: Any, actual: Any) -> float:
    """Root mean square error over the standard deviation of the actual values, Eq. (4).

    1 for a model that answers with the mean; NaN for constant actual values. Raises ImageError for
    other shapes or NaN.
    """
    return score(emulated, actual).fractional_rms
