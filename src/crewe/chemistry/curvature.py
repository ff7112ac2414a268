"""Second derivatives of the cost at fused maps, pixel by pixel, and their inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from crewe.chemistry.guide import elastic_terms, offset_and_scale
from crewe.chemistry.neighbours import variance_line
from crewe.chemistry.operators import atomic_number
from crewe.chemistry.results import FusedMaps

Array = NDArray[np.floating[Any]]

MISFIT_PX = 3.0
"""Sigma over which the misfit of the elastic image is averaged."""


def covariance_diagonal(variance: Array, slopes: Array, spread: Array) -> Array:
    """Diagonal (element, y, x) of (diag(1/variance) + slopes·slopesᵀ/spread)⁻¹ of each pixel.

    `variance` and `slopes` are (element, y, x), `spread` (y, x), all variances positive. The block
    is a diagonal and one outer product, whose inverse is exact (Sherman & Morrison 1950,
    doi:10.1214/aoms/1177729893).
    """
    moved = variance * slopes
    total = spread + np.sum(moved * slopes, axis=0)
    return np.asarray(variance - moved**2 / total)


def elastic_slopes(result: FusedMaps, amounts: Array) -> tuple[Array, Array]:
    """How HAADF rises with each amount, (element, y, x), and the variance of HAADF, (y, x).

    `amounts` are the fused ones in counts, (element, y, x). HAADF is offset + k Σ (Z x)^γ with
    both constants fitted; the slopes are γ k Z^γ x^(γ−1). The variance is that of the noise, or
    the squared misfit over a few pixels where it is larger: a model that is off by more than
    noise says less.
    """
    numbers = np.array([atomic_number(str(name)) for name in result.maps["element"].values])
    haadf = np.asarray(result.haadf.values, np.float64)
    amounts = np.asarray(amounts, np.float32)
    offset, scale = offset_and_scale(haadf.astype(np.float32), amounts, numbers, result.gamma)
    terms = scale * elastic_terms(amounts, numbers, result.gamma).astype(np.float64)
    expected = offset + terms.sum(axis=0)
    slopes = result.gamma * np.divide(terms, amounts, out=np.zeros_like(terms), where=amounts > 0)
    noise = variance_line(haadf).variance(expected)
    misfit = gaussian_filter((haadf - expected) ** 2, MISFIT_PX)
    least = 1e-12 * max(float(np.mean(haadf**2)), 1e-300)
    return slopes, np.maximum(np.maximum(noise, misfit), least)
