"""What is written and drawn over an image: text, shapes and arrows."""

from __future__ import annotations

import math
import string
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.degradation.parameters import Parameters, number
from crewe.degradation.pixels import Pixels, as_pixels

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Mask = NDArray[np.bool_]
CHARACTERS = string.ascii_letters + string.digits + " .,:;+-=/()[]<>%#"
UNITS = ("nm", "Å", "µm", "pm", "kV", "kx")


@dataclass(frozen=True)
class Annotations(Parameters):
    """How many texts, shapes and arrows there are, and their size relative to the image."""

    texts: int = number(0, 100, default=0, whole=True)
    shapes: int = number(0, 100, default=0, whole=True)
    arrows: int = number(0, 100, default=0, whole=True)
    size_fraction: float = number(0.001, 1, default=0.15)
    """Extent of a shape or length of an arrow over the shorter side of the image; letters are a
    third as high."""
    box_probability: float = number(0, 1, default=0.5)
    """Probability that a text stands in a filled box."""


def annotate(
    image: Pixels, ideal: Pixels, parameters: Annotations, rng: Generator
) -> tuple[Pixels, Pixels]:
    """Draw the same annotations at the same pixels of both images, with the same grey values.

    Each grey value is uniform in the range of the ideal image; a text and its box take values
    from opposite halves of it.
    Source: section "Post-processing distortions" of I. Lobato et al., npj Comput. Mater. 10
    (2024) 10, doi:10.1038/s41524-023-01188-0.
    """
    result, truth = as_pixels(image).copy(), as_pixels(ideal).copy()
    lowest, highest = float(truth.min()), float(truth.max())
    painters = (
        (_text, int(parameters.texts)),
        (_shape, int(parameters.shapes)),
        (_arrow, int(parameters.arrows)),
    )
    for painter, count in painters:
        for _ in range(count):
            for rows, columns, mask, grey in painter(result.shape, parameters, rng):
                value = np.float32(lowest + grey * (highest - lowest))
                for pixels in (result, truth):
                    pixels[rows, columns][mask] = value
    return result, truth


Layer = tuple[slice, slice, Mask, float]


def _text(shape: tuple[int, int], parameters: Annotations, rng: Generator) -> list[Layer]:
    height = max(6, round(_extent(shape, parameters) / 3))
    words, font = _words(rng), _font(height)
    left, top, right, bottom = font.getbbox(words)
    pad = max(1, height // 4)
    width, tall = int(right - left) + 2 * pad, int(bottom - top) + 2 * pad
    x, y = (
        int(rng.integers(1 - size // 2, max(side - size // 2, 2 - size // 2)))
        for side, size in ((shape[1], width), (shape[0], tall))
    )
    ink = rng.random()
    dark = 0.5 * rng.random()
    layers = []
    if rng.random() < parameters.box_probability:
        ink, box = 1 - dark, 0.5 * rng.random()
        layers.append(_placed(np.ones((tall, width), bool), y, x, shape, box))
    canvas, draw = _canvas(tall, width)
    draw.text((pad - left, pad - top), words, fill=1, font=font)
    return [*layers, _placed(np.asarray(canvas), y, x, shape, ink)]


def _words(rng: Generator) -> str:
    """Return a scale bar's label or letters at random."""
    if rng.random() < 0.5:
        return f"{rng.integers(1, 500)} {UNITS[rng.integers(len(UNITS))]}"
    return "".join(CHARACTERS[k] for k in rng.integers(len(CHARACTERS), size=rng.integers(1, 12)))


def _shape(shape: tuple[int, int], parameters: Annotations, rng: Generator) -> list[Layer]:
    """Draw a circle, a rectangle or a line, outlined or filled."""
    extent = _extent(shape, parameters)
    size = max(3, round(extent * rng.uniform(0.3, 1)))
    wide = max(3, round(extent * rng.uniform(0.3, 1)))
    stroke = max(1, round(extent * rng.uniform(0.02, 0.1)))
    canvas, draw = _canvas(size, wide)
    frame = (0, 0, wide - 1, size - 1)
    filled = 1 if rng.random() < 0.5 else None
    kind = rng.integers(3)
    if kind == 0:
        draw.ellipse(frame, fill=filled, outline=1, width=stroke)
    elif kind == 1:
        draw.rectangle(frame, fill=filled, outline=1, width=stroke)
    else:
        draw.line(frame, fill=1, width=stroke)
    return [_dropped(np.asarray(canvas), shape, rng)]


def _arrow(shape: tuple[int, int], parameters: Annotations, rng: Generator) -> list[Layer]:
    length = max(4.0, _extent(shape, parameters))
    angle = rng.uniform(0, 2 * math.pi)
    stroke = max(1, round(length * rng.uniform(0.03, 0.12)))
    side = math.ceil(length) + 2
    canvas, draw = _canvas(side, side)
    middle = side / 2
    along = (math.cos(angle), math.sin(angle))
    tip, tail = (
        (middle + sign * along[0] * length / 2, middle + sign * along[1] * length / 2)
        for sign in (1, -1)
    )
    head = max(2.0 * stroke, 0.25 * length)
    neck = (tip[0] - along[0] * head, tip[1] - along[1] * head)
    aside = (-along[1] * head / 2, along[0] * head / 2)
    draw.line((*tail, *neck), fill=1, width=stroke)
    corners = [tip, *((neck[0] + s * aside[0], neck[1] + s * aside[1]) for s in (1, -1))]
    draw.polygon(corners, fill=1)
    return [_dropped(np.asarray(canvas), shape, rng)]


def _extent(shape: tuple[int, int], parameters: Annotations) -> float:
    return parameters.size_fraction * min(shape)


def _dropped(mask: Mask, shape: tuple[int, int], rng: Generator) -> Layer:
    """Put the centre of a mask anywhere in the image, with a grey value at random."""
    y, x = (
        int(rng.integers(side)) - extent // 2
        for side, extent in zip(shape, mask.shape, strict=True)
    )
    return _placed(mask, y, x, shape, rng.random())


def _placed(mask: Mask, y: int, x: int, shape: tuple[int, int], grey: float) -> Layer:
    """Cut off what hangs over the border of the image."""
    rows = slice(max(y, 0), max(min(y + mask.shape[0], shape[0]), 0))
    columns = slice(max(x, 0), max(min(x + mask.shape[1], shape[1]), 0))
    inside = mask[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
    return rows, columns, inside, grey


def _canvas(height: int, width: int) -> tuple[Any, ImageDraw]:
    """Return a canvas of one bit a pixel: no smoothing, so that a pixel is drawn over or not."""
    from PIL import Image, ImageDraw

    canvas = Image.new("1", (width, height))
    return canvas, ImageDraw.Draw(canvas)


@lru_cache(maxsize=256)
def _font(height: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(height)
