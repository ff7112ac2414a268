"""An 8-bit PNG to look at, with a scale bar."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from crewe.axes import length_unit, sampling
from crewe.errors import WriteError

if TYPE_CHECKING:
    import xarray as xr

LOWEST_PERCENT, HIGHEST_PERCENT = 0.1, 99.9
SMALLEST_WITH_BAR = 64


def write_picture(path: Path, image: xr.DataArray) -> None:
    """Write a grey PNG stretched between two percentiles, which its metadata state.

    A picture is for looking at: its grey values are no longer intensities. NaN becomes black.
    """
    import numpy as np
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    if image.dims != ("y", "x") or image.dtype.kind not in "biuf":
        raise WriteError(f"dims {image.dims}, {image.dtype}: a picture needs one real image (y, x)")
    values = np.asarray(image.values, dtype=np.float64)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, (LOWEST_PERCENT, HIGHEST_PERCENT)) if finite.size else (0, 1)
    spread = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / max(
        high - low, 1e-300
    )
    picture = Image.fromarray((np.clip(spread, 0, 1) * 255).round().astype(np.uint8))
    step_y, step_x = sampling(image)
    unit = length_unit(image)
    if min(image.shape) >= SMALLEST_WITH_BAR:
        _draw_bar(picture, step_x, unit)
    note = PngInfo()
    note.add_text("Software", "crewe")
    note.add_itxt("Pixel size", f"y {step_y!r} {unit}, x {step_x!r} {unit}")
    black = f"0 = {float(low)!r} (percentile {LOWEST_PERCENT})"
    white = f"255 = {float(high)!r} (percentile {HIGHEST_PERCENT})"
    note.add_itxt("Grey levels", f"{black}, {white}")
    picture.save(path, format="PNG", pnginfo=note)


def bar_length(width: float) -> float:
    """Choose a round scale bar (1, 2 or 5 times a power of ten) of about a fifth of `width`."""
    target = width / 5
    decade = 10.0 ** math.floor(math.log10(target))
    return max(step * decade for step in (1, 2, 5) if step * decade <= target)


def _draw_bar(picture: object, step: float, unit: str) -> None:
    """Draw a white bar on black at the bottom left and write its length above it."""
    from PIL import Image, ImageDraw, ImageFont

    assert isinstance(picture, Image.Image)
    width, height = picture.size
    length = bar_length(width * step)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=max(10, height // 25))
    label = _label(length, unit)
    margin, thickness = max(3, height // 40), max(2, height // 100)
    left, bottom = margin, height - margin
    text = draw.textbbox((left, 0), label, font=font)
    top = bottom - thickness - (text[3] - text[1]) - margin
    right = left + max(length / step, text[2] - text[0])
    draw.rectangle((0, top - margin, right + margin, height), fill=0)
    draw.text((left, top - margin // 2 - text[1]), label, fill=255, font=font)
    end = left + round(length / step) - 1
    draw.rectangle((left, bottom - thickness, end, bottom), fill=255)


def _label(length: float, unit: str) -> str:
    """Write a length in Å below a nanometre and in nm or µm above."""
    if unit == "Å" and length >= 1e4:
        return f"{length / 1e4:g} µm"
    if unit == "Å" and length >= 10:
        return f"{length / 10:g} nm"
    return f"{length:g} {unit}"
