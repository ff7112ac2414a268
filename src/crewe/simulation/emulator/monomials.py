"""Values of all monomials at many pixels, as the fit needs them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crewe.errors import CalibrationError
from crewe.simulation.emulator.terms import Index, Terms


def monomials(planes: Any, terms: Terms) -> NDArray[np.float64]:
    """Value (term, pixel) of each monomial for features (feature, pixel), in the order of `terms`.

    A term takes 8 bytes per pixel: hand over some thousand pixels at a time. NaN in a feature makes
    NaN of the monomials which hold it. Raises CalibrationError for another number of features.
    """
    values = np.ascontiguousarray(planes, dtype=np.float64)
    if values.ndim != 2 or len(values) != terms.features:
        raise CalibrationError(
            f"the terms are of {terms.features} features: give (feature, pixel), "
            f"got shape {values.shape}"
        )
    result = np.empty((terms.count, values.shape[1]))
    _fill(result, values, terms.parents, terms.factors)
    return result


@njit(cache=True, nogil=True)
def _fill(
    result: NDArray[np.float64], planes: NDArray[np.float64], parents: Index, factors: Index
) -> None:
    result[0] = 1.0
    for term in range(1, len(result)):
        before, factor = result[parents[term]], planes[factors[term]]
        row = result[term]
        for pixel in range(len(row)):
            row[pixel] = before[pixel] * factor[pixel]
