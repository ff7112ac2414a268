"""Compare images with the stored ones, in standard deviations of the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crewe import io
from crewe.errors import ReadError
from crewe.workflows.repeat_comparison import Comparison

if TYPE_CHECKING:
    import xarray as xr

UNIT = "standard deviations"
ROUNDING = 1e-3
"""Difference, in standard deviations, that another processor or number of threads may make."""
LAST_DIGITS = 4
"""Steps of the stored numbers' resolution that count as rounding, however even the image is."""


def stored_images(files: Mapping[str, Path]) -> dict[str, xr.DataArray]:
    """Read the stored images by name. Raises ReadError when one is missing or damaged."""
    for path in files.values():
        if not path.exists():
            raise ReadError(f"{path} is missing, so there is nothing to compare with")
    return {name: io.read(path) for name, path in files.items()}


def compare_images(
    before: Mapping[str, xr.DataArray], after: Mapping[str, xr.DataArray]
) -> Comparison:
    """Compare images by their names.

    `of_each` holds the largest difference of each, NaN where one of the two is missing or has
    another shape, infinite where others of its pixels are NaN.
    """
    of_each = {
        name: difference(before[name].values, after[name].values)
        if name in before and name in after
        else float("nan")
        for name in dict.fromkeys((*before, *after))
    }
    largest = float(np.max(list(of_each.values()), initial=0.0))
    equal, identical = largest <= ROUNDING, largest == 0
    text = _in_words(of_each, sorted(before.keys() ^ after.keys()), equal, identical)
    return Comparison(equal, identical, largest, text, UNIT, of_each)


def difference(before: NDArray[np.number], after: NDArray[np.number]) -> float:
    """Return the largest difference of two images in standard deviations of the first.

    Numbers are compared as they were stored: what was written as float32 is compared as float32.
    An image so even that its last digits are more than its deviation is measured by those. NaN
    where shapes differ, infinity where others of the pixels are NaN.
    """
    one, other = np.squeeze(before), np.squeeze(after)
    if one.shape != other.shape:
        return float("nan")
    if one.dtype.kind == "f":
        other = other.astype(one.dtype)
    measured = np.isfinite(one)
    if not np.array_equal(measured, np.isfinite(other)):
        return float("inf")
    if not np.array_equal(one[~measured], other[~measured], equal_nan=True):
        return float("inf")
    values = one[measured].astype(np.float64)
    largest = float(np.max(np.abs(values - other[measured]), initial=0.0))
    return 0.0 if largest == 0 else _ratio(largest, _scale(values, one.dtype))


def _scale(values: NDArray[np.float64], stored: np.dtype) -> float:
    step = float(np.finfo(stored).eps) * float(np.abs(values).max()) if stored.kind == "f" else 0.0
    return max(float(values.std()), LAST_DIGITS * step / ROUNDING)


def _ratio(amount: float, scale: float) -> float:
    return amount / scale if scale > 0 else float("inf")


def _in_words(
    of_each: Mapping[str, float], unpaired: Sequence[str], equal: bool, identical: bool
) -> str:
    if identical:
        return f"equal: {', '.join(of_each)}, bit for bit"
    said = ", ".join(_said(name, value, name in unpaired) for name, value in of_each.items())
    verdict = "equal to rounding" if equal else "different"
    return f"{verdict}: largest difference in {UNIT} {said}"


def _said(name: str, value: float, unpaired: bool) -> str:
    if unpaired:
        return f"{name} (one of the two results lacks it)"
    if np.isnan(value):
        return f"{name} (of another shape)"
    if np.isinf(value):
        return f"{name} (elsewhere measured, or even before)"
    return f"{name} {value:.1e}" if value else f"{name} 0"
