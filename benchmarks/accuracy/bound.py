"""Cramér–Rao bound of the synthetic test, from its full Poisson Fisher matrix.

Written without crewe: the parameters are x, y and height of every column, one
common width and one background (equations 2.26 to 2.29 of the thesis).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import inv
from scipy.sparse import coo_array, csr_array

from benchmarks.accuracy.synthetic import (
    BACKGROUND,
    HEIGHT,
    SAMPLING,
    WIDTH,
    Lattice,
    electrons_per_pixel,
    expectation,
    stamp,
)


@dataclass(frozen=True)
class Bound:
    """Smallest standard deviation that an unbiased estimate of each column can have."""

    x: np.ndarray
    """Å."""
    y: np.ndarray
    """Å."""
    scs: np.ndarray
    """Å²."""


def cramer_rao(lattice: Lattice, dose: float) -> Bound:
    """Return the bound of every column at a dose in e/Å²."""
    covariance = inv(fisher_matrix(lattice, dose), overwrite_a=True)
    number = lattice.x.size
    variances = np.diag(covariance)
    heights = np.arange(2 * number, 3 * number)
    by_height, by_width = 2 * np.pi * WIDTH**2, 4 * np.pi * HEIGHT * WIDTH
    scs_variance = (
        by_height**2 * variances[heights]
        + by_width**2 * variances[3 * number]
        + 2 * by_height * by_width * covariance[heights, 3 * number]
    )
    return Bound(
        np.sqrt(variances[:number]),
        np.sqrt(variances[number : 2 * number]),
        np.sqrt(scs_variance),
    )


def fisher_matrix(lattice: Lattice, dose: float) -> np.ndarray:
    """Return Σ ∂λ/∂θ ∂λ/∂θᵀ / λ over pixels, ordered x…, y…, height…, width, background."""
    jacobian = derivatives(lattice)
    weights = electrons_per_pixel(dose) / expectation(lattice).ravel()
    weighted = jacobian.multiply(weights[:, None]).tocsr()
    return (jacobian.T @ weighted).toarray()


def derivatives(lattice: Lattice) -> csr_array:
    """Return the derivatives of the mean image, pixels by parameters."""
    number, pixels = lattice.x.size, lattice.pixels
    pixel_parts, parameter_parts, value_parts = [], [], []
    for index, (x, y) in enumerate(zip(lattice.x, lattice.y, strict=True)):
        rows, columns, peak = stamp(x, y, pixels)
        row, column = (part.ravel() for part in np.mgrid[rows, columns])
        parameters = [index, number + index, 2 * number + index, 3 * number]
        for parameter, values in zip(
            parameters, _peak_slopes(x, y, row, column, peak), strict=True
        ):
            pixel_parts.append(row * pixels + column)
            parameter_parts.append(np.full(row.size, parameter))
            value_parts.append(values)
    pixel_parts.append(np.arange(pixels**2))
    parameter_parts.append(np.full(pixels**2, 3 * number + 1))
    value_parts.append(np.ones(pixels**2))
    where = np.concatenate(pixel_parts), np.concatenate(parameter_parts)
    shape = (pixels**2, 3 * number + 2)
    return coo_array((np.concatenate(value_parts), where), shape=shape).tocsr()


def _peak_slopes(
    x: float, y: float, row: np.ndarray, column: np.ndarray, peak: np.ndarray
) -> tuple[np.ndarray, ...]:
    away_x, away_y = column * SAMPLING - x, row * SAMPLING - y
    unit = peak.ravel()
    scaled = HEIGHT * unit
    by_width = scaled * (away_x**2 + away_y**2) / WIDTH**3
    return scaled * away_x / WIDTH**2, scaled * away_y / WIDTH**2, unit, by_width


if __name__ == "__main__":
    from benchmarks.accuracy.synthetic import square_lattice

    truth = square_lattice()
    scored = truth.inside(truth.x, truth.y)
    print(f"{truth.x.size} columns, {scored.sum()} scored, background {BACKGROUND}")
    for electrons in (5e2, 5e3, 5e4):
        bound = cramer_rao(truth, electrons)
        position = 100 * np.sqrt(np.mean(bound.x[scored] ** 2))
        scs = 100 * np.sqrt(np.mean(bound.scs[scored] ** 2)) / truth.scs
        print(f"{electrons:8.0f} e/Å²: σx {position:.3f} pm, σSCS {scs:.3f} %")
