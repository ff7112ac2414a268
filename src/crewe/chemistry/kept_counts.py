"""Amounts over larger distances are the counts' own."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Planes = NDArray[np.float32]

DISTANCE_PX = 12.0


def keep_counts(amounts: Planes, signal: Planes, distance_px: float = DISTANCE_PX) -> Planes:
    """Scale amounts so that their Gaussian averages equal those of the measured signal.

    Total variation takes contrast from what it smooths. Over twelve pixels a map holds enough
    counts to say better; multiplying by the ratio of both averages puts the contrast back and
    leaves fine structure as it was. All (element, y, x), `signal` without background.
    """
    kept = np.empty_like(amounts)
    for plane, measured, out in zip(amounts, signal, kept, strict=True):
        fused = gaussian_filter(plane, distance_px, mode="constant")
        wanted = np.maximum(gaussian_filter(measured, distance_px, mode="constant"), 0.0)
        # A thousandth of the mean keeps vacuum, where both vanish, as it is.
        floor = 1e-3 * max(float(plane.mean()), 1e-12)
        out[:] = plane * ((wanted + floor) / (fused + floor))
    return kept
