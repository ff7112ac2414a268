"""What an elastic image says about amounts: offset, texture, and what each element adds to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.optimize import nnls

from crewe.errors import ImageError

Image = NDArray[np.float32]

# Counts are few in a pixel; over this distance they are enough to be compared with HAADF.
_AVERAGE_PX = 3.0
_INVERTED = -0.3


def texture(haadf: Image, gamma: float, offset: float, smoothing_px: float) -> Image:
    """Return (HAADF − offset)^(1/γ) with mean 1: relative amounts, if composition were uniform.

    `smoothing_px` is the sigma of a Gaussian that is applied to HAADF first, 0 for none. What
    falls below the offset is vacuum. From eq. 1 of Schwartz et al. 2022
    (doi:10.1038/s41524-021-00692-5) solved for a common factor of all elements.
    """
    signal = haadf.astype(np.float32) - np.float32(offset)
    if smoothing_px > 0:
        signal = gaussian_filter(signal, smoothing_px, mode="nearest")
    amounts = np.maximum(signal, 0.0) ** np.float32(1.0 / gamma)
    mean = float(amounts.mean())
    if not mean > 0:
        raise ImageError("HAADF holds nothing above its offset: give an image with contrast")
    return np.asarray(amounts / mean, np.float32)


def elastic_terms(amounts: Image, numbers: NDArray[np.int64], gamma: float) -> Image:
    """Return Z^γ x^γ of every element (element, y, x), up to one factor."""
    weights = (numbers / numbers.mean()) ** gamma
    positive = np.maximum(amounts, 0.0)
    return np.asarray(weights[:, None, None] * positive**gamma, np.float32)


def offset_and_scale(
    haadf: Image, amounts: Image, numbers: NDArray[np.int64], gamma: float
) -> tuple[float, float]:
    """Return what HAADF shows where nothing is, and its rise per unit of Σ (Z x)^γ.

    Both are not negative, fitted to images averaged over a few pixels. Raises ImageError where
    HAADF falls when amounts rise.
    """
    averaged = np.stack([gaussian_filter(plane, _AVERAGE_PX) for plane in amounts])
    expected = elastic_terms(averaged, numbers, gamma).sum(0).ravel().astype(float)
    seen = gaussian_filter(haadf.astype(float), _AVERAGE_PX).ravel()
    _refuse_inverted(expected, seen)
    lowest = min(float(seen.min()), 0.0)
    design = np.stack([np.ones_like(expected), expected], axis=1)
    (offset, scale), _ = nnls(design, seen - lowest)
    # Nothing in the image can lie below its own vacuum.
    offset = min(float(offset) + lowest, float(np.percentile(seen, 5)))
    if offset < float(np.percentile(haadf, 0.1)):
        offset = max(offset, lowest)
    remaining = np.maximum(seen - offset, 0.0)
    scale = float(expected @ remaining) / max(float(expected @ expected), 1e-30)
    return offset, scale


def elastic_share(amounts: Image, numbers: NDArray[np.int64], gamma: float) -> NDArray[np.float64]:
    """Return the share of HAADF that each element makes, by Z^γ and its mean amounts."""
    averaged = np.stack([gaussian_filter(plane, _AVERAGE_PX) for plane in amounts])
    sums = elastic_terms(averaged, numbers, gamma).sum((1, 2), dtype=float)
    return np.asarray(sums / max(float(sums.sum()), 1e-30))


def _refuse_inverted(expected: NDArray[np.float64], seen: NDArray[np.float64]) -> None:
    spread = float(expected.std() * seen.std())
    if spread <= 0:
        return
    correlation = float(((expected - expected.mean()) * (seen - seen.mean())).mean()) / spread
    if correlation < _INVERTED:
        raise ImageError(
            f"HAADF is dark where the elements are (correlation {correlation:.2f}): its contrast "
            "is inverted, or it is not a dark-field image; give HAADF with bright atoms"
        )
