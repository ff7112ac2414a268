"""Images as bytes that a page can draw at once."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

LONGEST_SIDE_PX = 1024
NOT_MEASURED = 0
"""Pixel without a value; values from lowest to highest are 1 to 65535."""


def message(head: Mapping[str, Any], images: Mapping[str, xr.DataArray]) -> bytes:
    """Return images (y, x) as bytes: length of the head, the head as JSON, then all pixels.

    The length is an unsigned 32-bit number; the head says of each image its name, rows, columns,
    lowest and highest value, unit, and how many pixels of the original one of its pixels spans.
    Pixels are unsigned 16-bit numbers, all little-endian, row by row. The head is filled up with
    spaces, so that pixels begin at a multiple of 4 bytes.
    """
    described, pixels = [], []
    for name, image in images.items():
        values, factor = reduced(np.asarray(image.values, float))
        levels, low, high = quantised(values)
        rows, columns = values.shape
        facts = {"name": name, "rows": rows, "columns": columns, "low": low, "high": high}
        described.append({**facts, "units": image.attrs.get("units", ""), "factor": factor})
        pixels.append(levels.tobytes())
    text = json.dumps({**head, "images": described}, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    return b"".join([struct.pack("<I", len(text)), text, *pixels])


def quantised(values: NDArray[np.float64]) -> tuple[NDArray[np.uint16], float, float]:
    """Return values as numbers from 1 (lowest) to 65535 (highest), 0 for NaN, and both values.

    A value is low + (high − low)·(number − 1)/65534 to half a step, for subnormal numbers too when
    it is multiplied first: half a step of theirs, and the step, need not be numbers themselves.
    """
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(values.shape, "<u2"), 0.0, 0.0
    low = float(values.min(where=known, initial=np.inf))
    high = float(values.max(where=known, initial=-np.inf))
    # Divided first: 65534 over the smallest of ranges would be infinite.
    shares = (values - low) / (high - low if high > low else 1.0)
    numbers = np.where(known, shares * 65534 + 1.5, NOT_MEASURED)
    return numbers.astype("<u2"), low, high


def reduced(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Average blocks of pixels until no side is longer than LONGEST_SIDE_PX.

    NaN are left out; a block of nothing else is NaN. Also returns the side of a block.
    """
    factor = -(-max(values.shape) // LONGEST_SIDE_PX)
    if factor == 1:
        return values, 1
    rows, columns = (-(-size // factor) for size in values.shape)
    padded = np.full((rows * factor, columns * factor), np.nan)
    padded[: values.shape[0], : values.shape[1]] = values
    blocks = padded.reshape(rows, factor, columns, factor)
    known = np.isfinite(blocks)
    number = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0.0).sum(axis=(1, 3))
    return np.where(number > 0, total / np.maximum(number, 1), np.nan), factor
