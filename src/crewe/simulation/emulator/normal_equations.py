"""Least squares from a stream of pixels: sums of products instead of all rows at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from crewe.errors import CalibrationError

Array = NDArray[np.float64]


class NormalEquations:
    """Sums over pixels of φφᵀ, φy, y and y², for y ≈ c·φ with `count` monomials φ.

    Any number of parts may be added in any order and merged afterwards; threads may add at the same
    time when each has its own equations. `matrix` (term, term), `moments` (term,), `target_sum` and
    `target_square_sum` are these sums, `samples` the number of pixels. Raises CalibrationError for
    parts of another size.
    """

    def __init__(self, count: int) -> None:
        if count < 1:
            raise CalibrationError(f"a fit needs at least one term, got {count}")
        self.count = count
        self.samples = 0
        self.moments = np.zeros(count)
        self.target_sum = 0.0
        self.target_square_sum = 0.0
        self.matrix = np.zeros((count, count))

    def add(self, monomials: Any, target: Any) -> None:
        """Add pixels: monomials (term, pixel) and the target (pixel,).

        Raises CalibrationError when the shapes disagree or a number is NaN or infinite.
        """
        values = np.ascontiguousarray(monomials, dtype=np.float64)
        wanted = np.ascontiguousarray(target, dtype=np.float64)
        if values.ndim != 2 or len(values) != self.count or wanted.shape != values.shape[1:]:
            raise CalibrationError(
                f"give monomials ({self.count}, pixel) and a target (pixel,), "
                f"got shapes {values.shape} and {wanted.shape}"
            )
        if wanted.size == 0:
            return
        with np.errstate(invalid="ignore"):
            moments = values @ wanted
            finite = np.isfinite(moments).all() and np.isfinite(values.sum())
        if not finite:
            raise CalibrationError("a monomial or target is NaN or infinite: mask these pixels")
        # numpy knows a product with its own transpose: half the work of any other
        self.matrix += values @ values.T
        self.moments += moments
        self.samples += wanted.size
        self.target_sum += float(wanted.sum())
        self.target_square_sum += float(wanted @ wanted)

    def merge(self, other: NormalEquations) -> None:
        """Add what another stream has seen."""
        if other.count != self.count:
            raise CalibrationError(
                f"equations of {self.count} and {other.count} terms cannot be merged"
            )
        self.matrix += other.matrix
        self.moments += other.moments
        self.samples += other.samples
        self.target_sum += other.target_sum
        self.target_square_sum += other.target_square_sum

    def __add__(self, other: NormalEquations) -> NormalEquations:
        result = NormalEquations(self.count)
        result.merge(self)
        result.merge(other)
        return result

    def solve(self, ridge: float = 0.0) -> tuple[Array, Array]:
        """Coefficients (term,) and a factor F (term, term) of their covariance s²·FFᵀ.

        The equations are first scaled to unit diagonal; `ridge` is then added to all of it but the
        first term's, the constant. So a coefficient's variance is s²·Σ F², a prediction's standard
        error s·|Fᵀφ|, s² being `residual_variance`. Raises CalibrationError for a ridge below 0,
        and when the pixels cannot tell the terms apart.
        """
        if not (math.isfinite(ridge) and ridge >= 0):
            raise CalibrationError(f"ridge must be 0 or positive and finite, got {ridge}")
        scale = np.sqrt(np.diag(self.matrix))
        self._check_enough(scale, ridge)
        scale = np.where(scale > 0, scale, 1.0)
        scaled = self.matrix / np.outer(scale, scale)
        scaled[np.arange(1, self.count), np.arange(1, self.count)] += ridge
        try:
            upper = scipy.linalg.cholesky(scaled, lower=False, check_finite=False)
        except scipy.linalg.LinAlgError as failure:
            raise CalibrationError(_singular(self.count, self.samples, ridge)) from failure
        factor = scipy.linalg.solve_triangular(upper, np.eye(self.count), check_finite=False)
        factor /= scale[:, None]
        return factor @ (factor.T @ self.moments), factor

    def residual_sum(self, coefficients: Any) -> float:
        """Sum over the pixels of (y − c·φ)², as exact as 10⁻¹⁶ of the sum of y² allows."""
        c = np.asarray(coefficients, dtype=np.float64)
        explained = 2 * c @ self.moments - c @ (self.matrix @ c)
        return max(self.target_square_sum - float(explained), 0.0)

    def residual_variance(self, coefficients: Any) -> float:
        """Variance of what the fit leaves, `residual_sum` over the degrees of freedom.

        Raises CalibrationError when there are no more pixels than terms.
        """
        freedom = self.samples - self.count
        if freedom < 1:
            raise CalibrationError(
                f"{self.samples} pixels leave no freedom to {self.count} terms: add pixels"
            )
        return self.residual_sum(coefficients) / freedom

    def target_variance(self) -> float:
        """Variance of the target over its pixels; NaN before the first."""
        if self.samples == 0:
            return math.nan
        mean = self.target_sum / self.samples
        return max(self.target_square_sum / self.samples - mean**2, 0.0)

    def _check_enough(self, scale: Array, ridge: float) -> None:
        if self.samples == 0:
            raise CalibrationError("no pixels were added: there is nothing to fit")
        if ridge == 0 and not scale.all():
            raise CalibrationError(
                f"term {int(np.argmin(scale))} is zero at every pixel: leave it out or use a ridge"
            )


def _singular(count: int, samples: int, ridge: float) -> str:
    return (
        f"{samples} pixels cannot tell {count} terms apart (ridge {ridge:g}): use a ridge, "
        "say 1e-12, more varied images, or fewer terms"
    )
