"""Figures to PNG, the same bytes for the same figure."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def png_bytes(figure: "Figure", dots_per_inch: int = 300) -> bytes:
    """Return a figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dots_per_inch, facecolor="white")
    return stream.getvalue()


def save_png(figure: "Figure", path: Path, dots_per_inch: int = 300) -> None:
    """Write a figure as PNG."""
    path.write_bytes(png_bytes(figure, dots_per_inch))
