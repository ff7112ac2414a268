"""Arrows on columns, lengthened by a round factor that the figure tells."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.plots.scale_bar import round_length

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.quiver import Quiver

Values = NDArray[np.float64]

LONGEST_SPACINGS = 1.2
"""Length in spacings that one drawn arrow in twenty exceeds at most."""
SURE = 2.0
"""Arrows shorter than so many of their standard errors are pale."""


def enlargement(length: Values, spacing: float) -> float:
    """Return 1, 2, 5, 10, 20, … by which lengths are drawn larger so that they are seen."""
    known = length[np.isfinite(length)]
    long = float(np.percentile(known, 95)) if known.size else 0.0
    if long <= 0:
        return 1.0
    return max(1.0, round_length(LONGEST_SPACINGS * spacing / long))


def is_sure(x: Values, y: Values, x_std: Values, y_std: Values) -> NDArray[np.bool_]:
    """Whether each vector is longer than twice the standard error of its length.

    Vectors without a standard error count as sure.
    """
    length = np.hypot(x, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.hypot(x * x_std, y * y_std) / length
    return ~(length < SURE * error)


def draw_arrows(
    axes: "Axes", places: Values, vectors: Values, factor: float, colours: Any, width: float
) -> "Quiver":
    """Draw vectors (N, 2), (x, y), in the unit of the places, centred there and `factor` longer.

    `width` of a shaft is in the unit of the places.
    """
    return axes.quiver(
        places[:, 0],
        places[:, 1],
        vectors[:, 0],
        vectors[:, 1],
        color=colours,
        angles="xy",
        scale_units="xy",
        scale=1 / factor,
        units="xy",
        width=width,
        pivot="mid",
        headwidth=3.6,
        headlength=4.0,
        headaxislength=3.6,
        minlength=0.0,
        edgecolors="black",
        linewidths=0.25,
        zorder=4,
    )


def draw_key(
    axes: "Axes", drawn: "Quiver", spacing: float, factor: float, unit: str, pale: int
) -> None:
    """Draw an arrow of a round length below the panel, and say how many arrows are pale."""
    length = round_length(spacing / factor)
    said = f"{100 * length:g} pm" if unit == "Å" else f"{length:g} {unit}"
    said += f", drawn {factor:g} times as long" if factor != 1 else ""
    said += f"; pale: below two standard errors ({pale:,})" if pale else ""
    part = spacing / abs(float(np.subtract(*axes.get_xlim())))
    text: dict[str, Any] = {"fontproperties": {"size": 6.5}, "labelpos": "E", "labelsep": 0.06}
    axes.quiverkey(drawn, part, -0.03, length, said, coordinates="axes", color="k", **text)
