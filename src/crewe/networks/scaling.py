"""The scale on which networks see images; training and inference share this one definition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe.errors import ImageError

# Beyond these percentiles lie hot pixels and cosmic rays, which would set the spread alone.
LOW_PERCENT, HIGH_PERCENT = 0.1, 99.9


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation that a network's input is freed of.

    In training the degraded image's scale is applied to the degraded and to the ideal image alike,
    so that a network learns the ideal in units of what it is given: whatever the network does,
    an input times c gives a result times c, and a constant added to the input is added to the
    result.
    """

    mean: float
    """In units of the image."""
    spread: float
    """Standard deviation in units of the image, positive."""

    def apply(self, image: ArrayLike) -> NDArray[np.float32]:
        """(image − mean)/spread as float32, any shape; NaN stays NaN."""
        scaled = (np.asarray(image, dtype=np.float64) - self.mean) / self.spread
        return scaled.astype(np.float32)

    def undo(self, scaled: ArrayLike) -> NDArray[np.float32]:
        """Scaled × spread + mean as float32, any shape; NaN stays NaN."""
        image = np.asarray(scaled, dtype=np.float64) * self.spread + self.mean
        return image.astype(np.float32)


def scale_of(image: ArrayLike) -> Scale:
    """Scale of one image, of any shape: from its finite pixels, outliers clipped.

    Values beyond the 0.1 and 99.9 percentiles are moved to them before mean and standard
    deviation are taken. Where that leaves a single value (nearly all pixels of a sparse image are
    zero) nothing is clipped. A constant image has the spread 1. The values are scaled to about
    one first, so tiny and huge units do no harm. Raises ImageError when no pixel is finite.
    """
    values = np.asarray(image, dtype=np.float64)
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise ImageError("the image has no finite pixel: give one with at least one measured value")
    if values.min() == values.max():
        return Scale(float(values[0]), 1.0)
    low, high = np.percentile(values, [LOW_PERCENT, HIGH_PERCENT])
    clipped = np.clip(values, low, high) if high > low else values
    unit = float(np.max(np.abs(clipped)))
    clipped = clipped / unit
    return Scale(float(np.mean(clipped)) * unit, float(np.std(clipped)) * unit or 1.0)
