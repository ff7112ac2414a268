"""How far element maps lie off the elastic image that was recorded with them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crewe.axes import check_image
from crewe.chemistry.registration_evidence import chance_of_fit
from crewe.errors import ImageError

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray
# Chance that an unrelated image is taken for one of the same place.
_FALSE_ALARM = 2e-3
_LARGEST_ERROR_PX = 0.5
_AS_GOOD = 0.95
_HAADF_SMOOTHING_PX = 0.7
_REFINEMENTS = 3
# Width over which noise of the smoothed image is alike.
_CORRELATED_PX = 3


@dataclass(frozen=True)
class Registration:
    """Shift of the elastic image, in pixels (y down, x right), that lays it on the maps.

    `standard_error_px` is that of the shift along y and x; `correlation` the multiple
    correlation R of the image with the maps at this shift; `chance` the probability that an
    unrelated image would fit as well somewhere in the range; `trusted` says whether that is below
    0.2 %, the shift found inside the range and known to half a pixel, `remark` why or why not.
    """

    shift_px: tuple[float, float]
    standard_error_px: tuple[float, float]
    correlation: float
    trusted: bool
    remark: str
    chance: float = math.nan


def register(
    haadf: xr.DataArray,
    maps: xr.DataArray | Mapping[str, xr.DataArray],
    *,
    largest_shift_px: int | None = None,
) -> Registration:
    """Find the rigid shift between an elastic image and element maps on the same grid.

    For every shift s the image, moved by s, is regressed on all maps at once; the s of the
    highest multiple correlation R is the most probable when noise is white. Maps need no
    smoothing: correlating is the matched filter. Only pixels that stay inside the image are
    compared, so nothing wraps around. The standard error is H⁻¹ V H⁻¹ (a sandwich: H. White,
    Econometrica 50 (1982) 1, doi:10.2307/1912526), with H the curvature of R² and V the variance
    of its slope, summed from what pixels add to it: noise may differ from place to place and be
    alike in neighbours. Where thickness makes image and maps differ over wider places, shifts
    scatter by up to 1.3 times as much. Whether image and maps are related at all is judged against
    images of the same spectrum (`registration_evidence.chance_of_fit`). On a lattice, where many
    shifts fit, the shortest within 5 % of the best R² is taken, and `remark` says so.
    `largest_shift_px` is an eighth of the shorter side when None.
    Raises ImageError for shapes that differ or pixels that are not finite.
    """
    image = np.asarray(check_image(haadf).values, dtype=np.float64)
    stack = _stack(maps, image.shape)
    margin = largest_shift_px or max(2, min(image.shape) // 8)
    if margin < 1 or 4 * margin > min(image.shape):
        raise ImageError(
            f"largest_shift_px {margin} for {image.shape} pixels: give 1 to a quarter of the side"
        )
    from scipy.ndimage import gaussian_filter

    recorded = image - image.mean()
    image = gaussian_filter(recorded, _HAADF_SMOOTHING_PX, mode="nearest")
    inner = stack[:, margin:-margin, margin:-margin]
    inner = inner - inner.mean(axis=(1, 2), keepdims=True)
    inner = inner[inner.any(axis=(1, 2))]
    if not inner.size:
        return Registration((0.0, 0.0), (math.inf, math.inf), 0.0, False, "the maps are empty", 1.0)
    fitted = _explained(image, inner, margin)
    peak, alternatives = _best_peak(fitted, margin)
    shift, errors, best = _refined(image, inner, margin, peak)
    chance = chance_of_fit(recorded, stack, margin, shift)
    return _judged(shift, errors, best, chance, margin, alternatives)


def shifted(image: xr.DataArray, shift_px: tuple[float, float]) -> xr.DataArray:
    """Move an image by (y, x) pixels with cubic splines; the border repeats its last pixel.

    For elastic images: counts must not be interpolated.
    """
    values = np.asarray(image.values, dtype=np.float64)
    return image.copy(data=_moved(values, shift_px))


def align(
    haadf: xr.DataArray, maps: xr.DataArray | Mapping[str, xr.DataArray]
) -> tuple[xr.DataArray, Registration]:
    """Lay the elastic image on the maps, where the shift is trusted and worth a resampling.

    It is when it exceeds three of its standard errors and a quarter of a pixel; else the image
    comes back as it was. Errors are those of `register`.
    """
    found = register(haadf, maps)
    worth = any(
        abs(step) > max(0.25, 3 * error)
        for step, error in zip(found.shift_px, found.standard_error_px, strict=True)
    )
    return (shifted(haadf, found.shift_px) if found.trusted and worth else haadf), found


def _stack(maps: xr.DataArray | Mapping[str, xr.DataArray], shape: tuple[int, ...]) -> Array:
    layers = list(maps.values()) if isinstance(maps, Mapping) else list(maps)
    for layer in layers:
        if tuple(layer.shape) != shape:
            raise ImageError(
                f"a map of {tuple(layer.shape)} pixels and an elastic image of {shape}: bring the "
                "image onto the maps' grid with crewe.chemistry.grids.onto_grid first"
            )
    stack = np.stack([np.asarray(layer.values, dtype=np.float64) for layer in layers])
    if not np.all(np.isfinite(stack)):
        raise ImageError("pixels of the maps are NaN or infinite: crop or fill them first")
    return stack


def _explained(image: Array, inner: Array, margin: int) -> Array:
    """R² of the image moved by s regressed on the inner maps, for s = −margin … margin."""
    from scipy.signal import correlate

    box = np.ones(inner.shape[1:])
    total = correlate(image, box, mode="valid")
    squares = correlate(image**2, box, mode="valid") - total**2 / box.size
    products = np.stack([correlate(image, layer, mode="valid") for layer in inner])
    gram = np.einsum("iyx,jyx->ij", inner, inner)
    solved = np.einsum("ij,jyx->iyx", np.linalg.pinv(gram, hermitian=True), products)
    ratio = np.einsum("iyx,iyx->yx", products, solved) / np.maximum(squares, 1e-12 * squares.max())
    # 'valid' counts positions of the maps over the image: the image moves the other way.
    return np.asarray(np.clip(ratio, 0, 1)[::-1, ::-1])


def _best_peak(fitted: Array, margin: int) -> tuple[tuple[int, int], int]:
    """Shift of the shortest peak that fits as well as the best, and how many others do."""
    from scipy.ndimage import maximum_filter

    summits = (fitted == maximum_filter(fitted, 3)) & (fitted >= _AS_GOOD * fitted.max())
    places = np.argwhere(summits) - margin
    lengths = np.hypot(*places.T)
    y, x = places[np.argmin(lengths)]
    return (int(y), int(x)), len(places) - 1


def _refined(
    image: Array, inner: Array, margin: int, start: tuple[int, int]
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """Subpixel shift, its standard errors and R², by parabolas around the moved image."""
    shift = np.array(start, dtype=np.float64)
    for _ in range(_REFINEMENTS):
        whole = np.rint(shift).astype(int)
        moved = _moved(image, tuple(shift - whole))
        window = _window(moved, whole, margin)
        around = _explained(window, inner, 1)
        slope, curvature = _parabola(around)
        if np.any(np.linalg.eigvalsh(curvature) >= 0):
            break
        shift += np.clip(-np.linalg.solve(curvature, slope), -0.7, 0.7)
    best = float(around[1, 1])
    errors = _errors(curvature, best, window, inner)
    return (float(shift[0]), float(shift[1])), errors, best


def _window(image: Array, whole: Array, margin: int) -> Array:
    """Cut what lies under the inner maps after a move by whole pixels, and one pixel around."""
    padded = np.pad(image, margin + 2, mode="edge")
    rows, columns = (size - 2 * margin + 2 for size in image.shape)
    y, x = (2 * margin + 1 - int(step) for step in whole)
    return padded[y : y + rows, x : x + columns]


def _parabola(values: Array) -> tuple[Array, Array]:
    """Gradient and Hessian at the middle of 3×3 values."""
    slope = np.array([values[2, 1] - values[0, 1], values[1, 2] - values[1, 0]]) / 2
    yy = values[2, 1] - 2 * values[1, 1] + values[0, 1]
    xx = values[1, 2] - 2 * values[1, 1] + values[1, 0]
    yx = (values[2, 2] - values[2, 0] - values[0, 2] + values[0, 0]) / 4
    return slope, np.array([[yy, yx], [yx, xx]])


def _moved(values: Array, shift_px: tuple[float, ...]) -> Array:
    from scipy.ndimage import shift

    return np.asarray(shift(values, shift_px, order=3, mode="nearest"))


def _judged(
    shift: tuple[float, float],
    errors: tuple[float, float],
    best: float,
    chance: float,
    margin: int,
    alternatives: int,
) -> Registration:
    found = f"shift {shift[0]:+.2f}, {shift[1]:+.2f} px (y, x)"
    reasons = []
    if not chance < _FALSE_ALARM:
        reasons.append("the maps hold no more of the image than an unrelated image might")
    if max(map(abs, shift)) > margin - 0.5:
        reasons.append(f"it lies at the end of the range of ±{margin} px")
    if not max(errors) <= _LARGEST_ERROR_PX:
        reasons.append(f"it is known to {max(errors):.2g} px only")
    if reasons:
        remark = f"{found} is not trusted: {' and '.join(reasons)}"
    else:
        remark = f"{found}, known to {errors[0]:.2g}, {errors[1]:.2g} px"
        if alternatives:
            remark += f"; the shortest of {alternatives + 1} that fit a periodic image as well"
    return Registration(shift, errors, math.sqrt(best), not reasons, remark, chance)


def _errors(curvature: Array, best: float, window: Array, inner: Array) -> tuple[float, float]:
    """Standard errors H⁻¹ V H⁻¹ of the shift that maximises R², from what each pixel adds."""
    if np.any(np.linalg.eigvalsh(curvature) >= 0):
        return math.inf, math.inf
    image = window[1:-1, 1:-1] - window[1:-1, 1:-1].mean()
    steps = np.stack([window[2:, 1:-1] - window[:-2, 1:-1], window[1:-1, 2:] - window[1:-1, :-2]])
    gram = np.einsum("iyx,jyx->ij", inner, inner)
    products = np.einsum("iyx,yx->i", inner, image)
    fitted = np.einsum("i,iyx->yx", np.linalg.pinv(gram, hermitian=True) @ products, inner)
    # The slope of N·var·R²/2, the variance under the maps changing with the shift as well.
    score = (best * image - fitted) * steps / 2
    inverse = np.linalg.inv(0.5 * image.size * image.var() * curvature)
    y, x = np.sqrt(np.maximum(np.diag(inverse @ _summed_variance(score) @ inverse), 0))
    return float(y), float(x)


def _summed_variance(score: Array) -> Array:
    """Covariance (2, 2) of the sums of scores (2, y, x) that are alike in near pixels only.

    Boxes overlap, so that weights fall linearly with the distance and variances stay positive.
    """
    from scipy.signal import oaconvolve

    box = np.ones((1, _CORRELATED_PX, _CORRELATED_PX))
    sums = oaconvolve(score - score.mean(axis=(1, 2), keepdims=True), box, axes=(1, 2))
    return np.einsum("iyx,jyx->ij", sums, sums) / _CORRELATED_PX**2
