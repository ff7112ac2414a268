"""Colours that survive colour-blind eyes, grey printers and bright images."""

from typing import Any

# Okabe and Ito's set, ordered so that the first ones stand out on grey as well as on white.
TYPE_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#F0E442")
IMAGE_COLOURS = "gray"
RESIDUAL_COLOURS = "RdBu_r"
INK = "#222222"
FLAG_COLOUR = "#FFFFFF"


def type_colour(number: Any) -> str:
    """Return the colour of a column type; types beyond the palette repeat it."""
    return TYPE_COLOURS[int(number) % len(TYPE_COLOURS)]


def typography() -> dict[Any, Any]:
    """Return the matplotlib settings shared by all figures."""
    return {
        "font.size": 8.0,
        "axes.titlesize": 8.5,
        "axes.labelsize": 8.0,
        "xtick.labelsize": 7.0,
        "ytick.labelsize": 7.0,
        "legend.fontsize": 7.0,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    }
