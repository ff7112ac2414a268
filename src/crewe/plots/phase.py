"""All images of a 4D-STEM set side by side, with the mean pattern and where detectors lie on it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe import axes as calibration
from crewe.plots.image_panel import draw_image, extent_of
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import TYPE_COLOURS, typography
from crewe.plots.scale_bar import draw_scale_bar

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSING_COLOUR = "#808080"
MOST_ACROSS = 4


def phase_figure(
    images: Mapping[str, "xr.DataArray"],
    pattern: NDArray[Any] | None = None,
    centre: tuple[float, float] | None = None,
    radius_px: float | None = None,
    rings: Mapping[str, tuple[float, float]] | None = None,
    *,
    title: str = "",
) -> "Figure":
    """Draw images (y, x) on their own greys, vector pairs in colour, and the mean pattern.

    NAME_y and NAME_x become one panel: the direction is the hue that the wheel in it shows, the
    size the brightness. Of the pattern (ky, kx) the square root is shown, with the bright-field
    disk of `radius_px` about `centre` and the `rings` (inner, outer) of the detectors, all in
    pixels. What was not measured is grey.
    """
    import matplotlib
    from matplotlib.figure import Figure

    panels = _panels(images)
    number = len(panels) + (pattern is not None)
    across = min(MOST_ACROSS, max(2, int(np.ceil(np.sqrt(number)))))
    down = -(-number // across)
    side = WIDTH_INCHES / across
    with matplotlib.rc_context(typography()):
        height = down * (side * _tallness(images) + 0.35) + 0.3
        figure = Figure((WIDTH_INCHES, height), layout="constrained")
        places = figure.subplots(down, across, squeeze=False).ravel()
        for place, (name, shown) in zip(places, panels.items(), strict=False):
            _draw_panel(place, name, shown)
        if pattern is not None:
            _draw_pattern(places[len(panels)], pattern, centre, radius_px, rings or {})
        for place in places[number:]:
            place.set_axis_off()
        for letter, place in zip("abcdefghijklmnopqrstuvwxyz", places[:number], strict=False):
            said = place.get_title(loc="left")
            place.set_title(f"{letter}  {said}", loc="left", fontweight="bold", fontsize=7)
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def vector_colours(y: NDArray[Any], x: NDArray[Any]) -> NDArray[np.float64]:
    """Colour vectors (y down, x right): hue by direction, brightness by size; NaN is grey.

    Red points right (+x); the hues follow anticlockwise as displayed. Full brightness is the size
    that one vector in a hundred exceeds.
    """
    from matplotlib.colors import hsv_to_rgb, to_rgb

    known = np.isfinite(y) & np.isfinite(x)
    size = np.hypot(np.where(known, y, 0), np.where(known, x, 0))
    full = float(np.percentile(size[known], 99)) if known.any() else 0.0
    hue = np.mod(np.arctan2(-np.where(known, y, 0), np.where(known, x, 0)) / (2 * np.pi), 1)
    bright = np.clip(size / full, 0, 1) if full > 0 else np.zeros_like(size)
    colours = hsv_to_rgb(np.stack([hue, np.full_like(hue, 0.9), bright], axis=-1))
    colours[~known] = to_rgb(MISSING_COLOUR)
    return np.asarray(colours)


def _panels(images: Mapping[str, "xr.DataArray"]) -> dict[str, Any]:
    """Join the two components of vectors; their size and angle need no panel of their own."""
    pairs = {name[:-2] for name in images if name.endswith("_y") and f"{name[:-2]}_x" in images}
    panels: dict[str, Any] = {}
    for name, image in images.items():
        stem, _, part = name.rpartition("_")
        if stem not in pairs:
            panels[name] = image
        elif part in ("y", "x"):
            panels[stem] = (images[f"{stem}_y"], images[f"{stem}_x"])
        elif part not in ("magnitude", "angle"):
            panels[name] = image
    return panels


def _tallness(images: Mapping[str, "xr.DataArray"]) -> float:
    """Height over width of a panel; the pattern and the images share it."""
    first = next(iter(images.values()), None)
    if first is None:
        return 1.0
    left, right, bottom, top = extent_of(first)
    return float(np.clip((bottom - top) / (right - left), 0.4, 1.6))


def _draw_panel(axes: "Axes", name: str, shown: Any) -> None:
    if isinstance(shown, tuple):
        _draw_vectors(axes, name, *shown)
        return
    low, high = _limits(shown.values)
    drawn = draw_image(axes, shown, (low, high))
    colours = drawn.get_cmap().copy()
    colours.set_bad(MISSING_COLOUR)
    drawn.set_cmap(colours)
    _say(axes, name, f"{low:.3g} … {high:.3g}", shown)


def _draw_vectors(axes: "Axes", name: str, y: "xr.DataArray", x: "xr.DataArray") -> None:
    left, right, bottom, top = extent_of(x)
    axes.imshow(vector_colours(y.values, x.values), extent=(left, right, bottom, top))
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
    axes.set_anchor("N")
    axes.spines[:].set_visible(False)
    draw_scale_bar(axes, right - left, bottom - top, calibration.length_unit(x), "white")
    size = np.hypot(y.values, x.values)
    known = size[np.isfinite(size)]
    most = float(np.percentile(known, 99)) if known.size else 0.0
    _say(axes, name, f"up to {most:.3g}", x)
    _draw_wheel(axes)


def _say(axes: "Axes", name: str, values: str, image: "xr.DataArray") -> None:
    """Write the name above a panel, and below it the values that its greys span."""
    unit = str(image.attrs.get("units", ""))
    unit = "" if unit == "1" else unit
    axes.set_title(name, loc="left")
    axes.set_xlabel(f"{values} {unit}".rstrip(), loc="left", fontsize=6.5, labelpad=2)


def _draw_wheel(axes: "Axes") -> None:
    """Draw the colour of each direction into the lower right corner."""
    inset = axes.inset_axes((0.78, 0.02, 0.2, 0.2))
    y, x = np.mgrid[-1:1:81j, -1:1:81j]
    outside = np.hypot(y, x) > 1
    colours = vector_colours(np.where(outside, np.nan, y), np.where(outside, np.nan, x))
    alpha = np.where(outside, 0.0, 1.0)
    inset.imshow(np.dstack([colours, alpha]))
    inset.set_axis_off()


def _draw_pattern(
    axes: "Axes",
    pattern: NDArray[Any],
    centre: tuple[float, float] | None,
    radius_px: float | None,
    rings: Mapping[str, tuple[float, float]],
) -> None:
    shown = np.sqrt(np.clip(np.nan_to_num(pattern), 0, None))
    high = float(np.percentile(shown, 99.9)) or 1.0
    axes.imshow(shown, cmap="gray", vmin=0, vmax=high)
    axes.set(xticks=[], yticks=[])
    axes.set_anchor("N")
    axes.spines[:].set_visible(False)
    axes.set(xlim=(-0.5, shown.shape[1] - 0.5), ylim=(shown.shape[0] - 0.5, -0.5))
    axes.set_title("mean pattern", loc="left")
    axes.set_xlabel("square root", loc="left", fontsize=6.5, labelpad=2)
    if centre is None:
        return
    axes.plot(centre[1], centre[0], "+", color=TYPE_COLOURS[0], markersize=6)
    if radius_px is not None:
        _draw_circle(axes, centre, radius_px, TYPE_COLOURS[0], "-")
    for number, (name, radii) in enumerate(rings.items()):
        colour = TYPE_COLOURS[1 + number % (len(TYPE_COLOURS) - 1)]
        for radius in radii:
            if 0 < radius < np.hypot(*shown.shape):
                _draw_circle(axes, centre, radius, colour, "--")
        axes.plot([], [], "--", color=colour, linewidth=0.8, label=name)
    if rings:
        axes.legend(loc="lower right", frameon=True, framealpha=0.7, fontsize=6, handlelength=1.2)


def _draw_circle(
    axes: "Axes", centre: tuple[float, float], radius: float, colour: str, style: str
) -> None:
    from matplotlib.patches import Circle

    place = (centre[1], centre[0])
    axes.add_patch(
        Circle(place, radius, fill=False, edgecolor=colour, linestyle=style, linewidth=0.8)
    )


def _limits(values: NDArray[Any]) -> tuple[float, float]:
    """Greys that leave out one measured value in two hundred at either end."""
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, (0.5, 99.5)) if known.size else (0.0, 1.0)
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)
