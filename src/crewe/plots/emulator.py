"""How close emulated images come to multislice ones: by pixels, and image beside image."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError
from crewe.plots.image_panel import draw_image, draw_residual, extent_of, grey_limits
from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import TYPE_COLOURS, typography

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from crewe.simulation.emulator.noise import Noise

MISSING_COLOUR = "#808080"
DENSITY_COLOURS = "viridis"
LINE_COLOUR = TYPE_COLOURS[4]
BINS = 200
BEAM = "fraction of the beam"
Values = NDArray[np.float64]


def parity_figure(emulated: Any, actual: Any, *, title: str = "", unit: str = BEAM) -> "Figure":
    """Draw emulated against multislice values, arrays of one shape, as logarithmic counts.

    On the line both are the same; the title names 1 − R² of just these values, NaN left out.
    Raises ImageError for arrays of other shapes, or without a number.
    """
    x, y = _known(actual, emulated)
    low, high = _range(x, y)
    with _house_style():
        figure, axes = _one_panel(0.5, 0.42)
        _draw_density(figure, axes, x, y, (low, high), (low, high))
        axes.plot([low, high], [low, high], color=LINE_COLOUR, linewidth=0.9)
        axes.set_aspect("equal")
        axes.set_xlabel(f"multislice ({unit})")
        axes.set_ylabel(f"emulated ({unit})")
        said = f"1 − R² = {_one_minus_r2(y, x):.3g}"
        axes.set_title(f"{title}   {said}".strip(), loc="left")
    return figure


def error_figure(
    emulated: Any,
    actual: Any,
    noise: "Noise | None" = None,
    *,
    title: str = "",
    unit: str = BEAM,
) -> "Figure":
    """Draw the error, emulated − multislice, against the emulated value as logarithmic counts.

    Lines are ± the noise curve, the root mean square error to expect. Raises ImageError for arrays
    of other shapes, or without a number.
    """
    y, x = _known(emulated, actual)
    error = y - x
    most = float(np.percentile(np.abs(error), 99.99)) or 1.0
    with _house_style():
        figure, axes = _one_panel(0.6, 0.36)
        _draw_density(figure, axes, y, error, _range(y), (-most, most))
        axes.axhline(0, color=MISSING_COLOUR, linewidth=0.6)
        if noise is not None:
            _draw_noise(axes, noise)
        axes.set_xlabel(f"emulated ({unit})")
        axes.set_ylabel(f"error ({unit})")
        axes.set_title(title, loc="left")
    return figure


def emulated_figure(
    linear: "xr.DataArray",
    multislice: "xr.DataArray",
    emulated: "xr.DataArray",
    *,
    title: str = "",
) -> "Figure":
    """Draw the convolution, the multislice and the emulated image, and twice the difference.

    All are calibrated (y, x). Multislice and emulated share their greys; the difference, emulated −
    multislice, has the reach of these greys first and its own afterwards. NaN, where nothing was
    emulated, is grey. Raises ImageError for images of other shapes.
    """
    difference = emulated.copy(data=_same_shape(emulated, linear, multislice) - multislice.values)
    shared = grey_limits(multislice.values)
    full = max(abs(limit) for limit in shared)
    known = np.abs(difference.values[np.isfinite(difference.values)])
    reduced = float(np.percentile(known, 99.8)) if known.size and known.max() > 0 else full
    left, right, bottom, top = extent_of(multislice)
    shape = float(np.clip((bottom - top) / (right - left), 0.3, 3.0))
    with _house_style():
        from matplotlib.figure import Figure

        height = WIDTH_INCHES / 5 * shape + 0.4 + 0.25 * bool(title)
        figure = Figure((WIDTH_INCHES, height), layout="constrained")
        panels = figure.subplots(1, 5)
        draw_image(panels[0], linear)
        draw_image(panels[1], multislice, shared)
        draw_image(panels[2], emulated, shared)
        draw_residual(panels[3], difference, full)
        draw_residual(panels[4], difference, reduced)
        names = ("convolution", "multislice", "emulated", "difference", "difference")
        _say(list(panels), names, (grey_limits(linear.values), shared, shared, full, reduced))
        if title:
            figure.suptitle(title, fontsize=9, x=0.01, ha="left")
    return figure


def _say(panels: list["Axes"], names: tuple[str, ...], spans: tuple[Any, ...]) -> None:
    for letter, panel, name, span in zip("abcde", panels, names, spans, strict=True):
        panel.set_title(f"{letter}  {name}", loc="left", fontweight="bold", fontsize=7.5)
        said = f"±{span:.3g}" if isinstance(span, float) else _words(*span)
        panel.set_xlabel(said, loc="left", fontsize=6.5, labelpad=2)
        (drawn,) = panel.images
        colours = drawn.get_cmap().copy()
        colours.set_bad(MISSING_COLOUR)
        drawn.set_cmap(colours)


def _words(low: float, high: float) -> str:
    # A convolution by Fourier transforms leaves tiny values where nothing is.
    low = 0.0 if abs(low) < 1e-6 * abs(high) else low
    return f"{low:.3g} … {high:.3g}"


def _draw_density(
    figure: "Figure",
    axes: "Axes",
    x: Values,
    y: Values,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
) -> None:
    from matplotlib.colors import LogNorm

    counts, *edges = np.histogram2d(x, y, bins=BINS, range=(x_range, y_range))
    shown = np.ma.masked_equal(counts.T, 0)
    most = max(float(counts.max()), 10.0)
    mesh = axes.pcolormesh(
        *edges, shown, norm=LogNorm(1, most), cmap=DENSITY_COLOURS, rasterized=True
    )
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, aspect=30)
    bar.set_label("pixels")
    bar.outline.set_visible(False)


def _draw_noise(axes: "Axes", noise: "Noise") -> None:
    # Only as far as the points go: beyond, the curve is a guess.
    for sign, label in ((1, "± root mean square"), (-1, None)):
        axes.plot(
            noise.values,
            sign * noise.errors,
            color=LINE_COLOUR,
            linewidth=1.0,
            marker="o",
            markersize=2.0,
            label=label,
        )
    axes.legend(loc="upper left", frameon=False)


def _one_panel(width: float, height: float) -> tuple["Figure", "Axes"]:
    from matplotlib.figure import Figure

    figure = Figure((width * WIDTH_INCHES, height * WIDTH_INCHES), layout="constrained")
    return figure, figure.subplots()


def _house_style() -> Any:
    import matplotlib

    return matplotlib.rc_context(typography())


def _known(first: Any, second: Any) -> tuple[Values, Values]:
    a, b = (np.asarray(values, dtype=np.float64) for values in (first, second))
    if a.shape != b.shape:
        raise ImageError(f"emulated and multislice values of shapes {a.shape} and {b.shape}")
    fine = np.isfinite(a) & np.isfinite(b)
    if not fine.any():
        raise ImageError("there is no pixel that both images know: nothing to draw")
    return a[fine], b[fine]


def _range(*values: Values) -> tuple[float, float]:
    low = min(float(one.min()) for one in values)
    high = max(float(one.max()) for one in values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _one_minus_r2(emulated: Values, actual: Values) -> float:
    variance = float(actual.var())
    return float(np.mean((emulated - actual) ** 2)) / variance if variance > 0 else np.nan


def _same_shape(image: "xr.DataArray", *others: "xr.DataArray") -> NDArray[Any]:
    shapes = {one.shape for one in (image, *others)}
    if len(shapes) > 1:
        raise ImageError(f"the images must be of one shape, not {sorted(shapes)}")
    values: NDArray[Any] = image.values
    return values
