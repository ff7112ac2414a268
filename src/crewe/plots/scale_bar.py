"""A scale bar of a round length, legible on dark and on bright images."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def round_length(longest: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, … that is no longer than given."""
    power = 10.0 ** math.floor(math.log10(longest))
    return max(step * power for step in (1, 2, 5) if step * power <= longest * (1 + 1e-9))


def length_label(length: float, unit: str) -> str:
    """Write a length with its unit; ångströms from 10 on become nanometres."""
    if unit == "Å" and length >= 10:
        return f"{length / 10:g} nm"
    return f"{length:g} {unit}"


def draw_scale_bar(
    axes: "Axes", width: float, height: float, unit: str, colour: str = "white"
) -> None:
    """Draw a bar of about a fifth of the image's width into its lower left corner.

    `width` and `height` of the image are in `unit`; the axes' coordinates are too,
    with y pointing down. A thin outline of the opposite brightness keeps a white or
    black bar legible on any image.
    """
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    outline = "black" if colour == "white" else "white"
    above_markers = 5
    length = round_length(0.25 * width)
    # Margins follow the shorter side, so that narrow images keep their bar inside.
    margin = 0.035 * min(width, height)
    left, right = axes.get_xlim()[0] + margin, axes.get_xlim()[0] + margin + length
    low = axes.get_ylim()[0] - margin
    thickness = 0.35 * margin
    axes.add_patch(
        Rectangle(
            (left, low - thickness),
            length,
            thickness,
            facecolor=colour,
            edgecolor=outline,
            linewidth=0.5,
            zorder=above_markers,
        )
    )
    axes.text(
        (left + right) / 2,
        low - 1.6 * thickness,
        length_label(length, unit),
        color=colour,
        ha="center",
        va="bottom",
        fontsize=8,
        fontweight="bold",
        zorder=above_markers,
        path_effects=[withStroke(linewidth=1.6, foreground=outline)],
    )
