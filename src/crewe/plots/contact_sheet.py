"""Many small images side by side, one pixel of the image on one or more whole pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError
from crewe.plots.palette import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 100
"""Save with this resolution: any other would blend pixels."""
SMALLEST_CELL = 192
GAP, HEAD, TITLE, FOOT = 8, 18, 26, 20
PERCENTILES = (0.5, 99.5)
FONT_POINTS = 8.0


@dataclass(frozen=True)
class CaptionedImage:
    """One picture of a contact sheet."""

    pixels: NDArray[Any]
    """(y, x)."""
    caption: str = ""
    pixel_size_angstrom: float | None = None
    """For the scale bar; without it there is none."""


@dataclass(frozen=True)
class SheetRow:
    """One row of a contact sheet."""

    images: Sequence[CaptionedImage]
    title: str = ""
    """What stands above the row."""


def contact_sheet(rows: Sequence[SheetRow], images_per_line: int = 5) -> Figure:
    """Draw rows of images with captions, titles and scale bars.

    Each image has its own greys, from its 0.5 to its 99.5 percentile, which the foot of the
    sheet says. Images are magnified by whole numbers, the small ones up to the size of the
    large ones, so that in a PNG of `DOTS_PER_INCH` (`sheet_png`) each pixel is a square of
    equal pixels. Rows of more than `images_per_line` go on below. Raises
    ImageError when there is nothing to draw or an image is not (y, x).
    """
    import matplotlib
    from matplotlib.figure import Figure

    for image in (image for row in rows for image in row.images):
        if image.pixels.ndim != 2:
            raise ImageError(f"shape {image.pixels.shape}: a contact sheet takes (y, x) images")
    if not any(row.images for row in rows):
        raise ImageError("no image for the contact sheet: give one or more")
    lines = [line for row in rows for line in _lines(row, images_per_line)]
    cell = cell_pixels(rows)
    width = GAP + max(len(line.images) for line in lines) * (cell + GAP)
    height = GAP + sum(_height(line, cell) for line in lines) + FOOT
    with matplotlib.rc_context({"font.size": FONT_POINTS, "text.color": INK}):
        # Half a pixel more: the size in inches is cut to whole pixels, not rounded.
        size = ((width + 0.5) / DOTS_PER_INCH, (height + 0.5) / DOTS_PER_INCH)
        figure = Figure(size, dpi=DOTS_PER_INCH)
        top = height - GAP
        for line in lines:
            _draw_line(figure, line, top, cell, width)
            top -= _height(line, cell)
        low, high = PERCENTILES
        note = f"greys: percentiles {low:g} to {high:g} of each image"
        _write(figure, note, GAP, FOOT - 12, limit=width - 2 * GAP)
    return figure


def _lines(row: SheetRow, length: int) -> list[SheetRow]:
    starts = range(0, len(row.images), length)
    return [SheetRow(row.images[i : i + length], "" if i else row.title) for i in starts]


def _height(line: SheetRow, cell: int) -> int:
    return (TITLE if line.title else 0) + HEAD + cell + GAP


def _draw_line(figure: Figure, line: SheetRow, top: int, cell: int, width: int) -> None:
    if line.title:
        _write(figure, line.title, GAP, top - TITLE + 8, weight="bold", limit=width - 2 * GAP)
        top -= TITLE
    for number, image in enumerate(line.images):
        _draw(figure, image, GAP + number * (cell + GAP), top, cell)


def sheet_png(figure: Figure) -> bytes:
    """Return a contact sheet as PNG, pixel for pixel."""
    from crewe.plots.save import png_bytes

    return png_bytes(figure, DOTS_PER_INCH)


def cell_pixels(rows: Sequence[SheetRow]) -> int:
    """Return the side of the square in which every image finds its place."""
    largest = max(max(image.pixels.shape) for row in rows for image in row.images)
    return largest * max(1, round(SMALLEST_CELL / largest))


def magnification(shape: tuple[int, ...], cell: int) -> int:
    """Return how many pixels wide a pixel is drawn: as many as the cell has room for."""
    return cell // max(shape)


def greys(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return 0 to 255 between an image's percentiles; what is not finite is black."""
    values = np.asarray(pixels, np.float64)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, PERCENTILES) if finite.size else (0.0, 1.0)
    if not high > low:  # A mask of little area: its percentiles are the same.
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    span = high - low if high > low else 1.0
    scaled = np.clip((np.nan_to_num(values, nan=low) - low) / span, 0.0, 1.0)
    return np.rint(255 * scaled).astype(np.uint8)


def _draw(figure: Figure, image: CaptionedImage, left: int, top: int, cell: int) -> None:
    _write(figure, image.caption, left, top - HEAD + 5, limit=cell)
    times = magnification(image.pixels.shape, cell)
    shown = np.kron(greys(image.pixels), np.ones((times, times), np.uint8))
    height, width = shown.shape
    low = top - HEAD - height
    # As colours: a colour map would move every other grey by one.
    figure.figimage(np.dstack([shown] * 3), left, low, origin="upper", resize=False)
    if image.pixel_size_angstrom is not None:
        axes = _overlay(figure, left, low, width, height)
        _scale_bar(axes, image.pixels.shape, image.pixel_size_angstrom)


def _overlay(figure: Figure, left: int, low: int, width: int, height: int) -> Axes:
    whole_width, whole_height = figure.get_size_inches() * DOTS_PER_INCH
    place = (left / whole_width, low / whole_height, width / whole_width, height / whole_height)
    axes = figure.add_axes(place, zorder=1)
    axes.set_axis_off()
    return axes


def _scale_bar(axes: Axes, shape: tuple[int, ...], pixel: float) -> None:
    from crewe.plots.scale_bar import draw_scale_bar

    height, width = shape[0] * pixel, shape[1] * pixel
    axes.set(xlim=(0.0, width), ylim=(height, 0.0))
    draw_scale_bar(axes, width, height, "Å")


def _write(
    figure: Figure, text: str, left: int, low: int, *, limit: int, weight: Any = "normal"
) -> None:
    """Write one line that starts at a pixel, cut where it would run into the next image."""
    width, height = figure.get_size_inches() * DOTS_PER_INCH
    letters = max(4, int(limit / (0.62 * FONT_POINTS * DOTS_PER_INCH / 72)))
    shown = text if len(text) <= letters else f"{text[: letters - 1]}…"
    figure.text(
        left / width, low / height, shown, fontsize=FONT_POINTS, fontweight=weight, va="bottom"
    )
