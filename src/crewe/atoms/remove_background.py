"""Take a slowly varying background off an image before its columns are fitted."""

from typing import Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr

from crewe import axes
from crewe.atoms.background import Mesh
from crewe.atoms.equations import ColumnModel
from crewe.atoms.find import find_columns
from crewe.atoms.heights import solve_heights
from crewe.atoms.regions import Region, region_mask
from crewe.atoms.stamps import Array, Grid, Mask
from crewe.atoms.valleys import (
    Samples,
    column_spacing,
    polynomial_surface,
    samples_of,
    smooth_surface,
    valley_mask,
)
from crewe.errors import ImageError, NoColumnsError, PlanError

Method = Literal["valleys", "polynomial"]

DEFAULT_SPACINGS = 3.0
MOST_ORDER = 6
# Heights are found on the image less the background, the background on the image less peaks.
PASSES = 3


def remove_background(
    image: xr.DataArray,
    *,
    scale_angstrom: float | None = None,
    method: Method = "valleys",
    order: int = 2,
    region: Region | None = None,
    columns: pd.DataFrame | None = None,
    subtract: float | xr.DataArray | None = None,
) -> xr.DataArray:
    """Image less its background, as `estimate_background` finds it; calibration and units stay.

    `subtract` takes off a known background instead: a number, or an image of the same shape and
    intensity scale, such as one of the bare support. What was done stands in
    `attrs["background_removed"]`. Pixels may become negative; none is cut off, which would bias
    every sum.

    When to use it: where the background varies over a few column spacings (thick or amorphous
    support, contamination, a wedge). A constant or a plane the fit of the columns has itself,
    and `background="local"` of `fit_columns` is for columns that stand apart on rough ground. In
    crowded images that takes a part of the columns' feet for background, and this does not: it
    looks only at the valleys and takes off the columns' tails first. After it, fit with
    `background="constant"`, and leave the noise to be read off the image (`noise="auto"`): the
    electrons of the subtracted background still make noise, so counting statistics no longer hold.

    Raises what `estimate_background` raises, and ImageError for a `subtract` that does not match.
    """
    image = axes.check_image(image)
    if subtract is None:
        background = estimate_background(
            image,
            scale_angstrom=scale_angstrom,
            method=method,
            order=order,
            region=region,
            columns=columns,
        ).values
        done = str(method)
    else:
        background, done = _known(image, subtract)
    cleared = image.copy(data=np.asarray(image.values, dtype=np.float64) - background)
    cleared.attrs["background_removed"] = done
    return cleared


def estimate_background(
    image: xr.DataArray,
    *,
    scale_angstrom: float | None = None,
    method: Method = "valleys",
    order: int = 2,
    region: Region | None = None,
    columns: pd.DataFrame | None = None,
) -> xr.DataArray:
    """Slowly varying background (y, x) of an image, in its units.

    Its level is the mean of the image in the valleys between columns, less the tails of the
    Gaussian columns themselves (heights and background found in turn). The valleys are chosen by
    the columns' places, not by their intensity, so their mean has no bias of a minimum of noise,
    and none need be corrected. `columns` (`x`, `y`, perhaps `width`) are found where not given.

    `method`: `valleys` smooths by local polynomials of degree `order` over `scale_angstrom`, in
    the image's unit of length (three spacings where not given); `polynomial` lays one polynomial
    of degree `order` through the whole image. `region`: look for the background only there, as
    in the support beside a particle; then `polynomial` takes all its pixels and needs no columns.
    Weak columns that are neither given nor found lie in the valleys and raise the level by their
    mean, which a fit's own constant background gives back.

    Raises ImageError, CalibrationError, NoColumnsError (give `columns`, or `polynomial` with a
    `region`) and PlanError (unknown method, order not from 0 to 6, scale below one spacing).
    """
    image = axes.check_image(image)
    _check(method, order, scale_angstrom)
    grid = Grid(image.sizes["y"], image.sizes["x"], *axes.sampling(image))
    data = np.ascontiguousarray(image.values, dtype=np.float64)
    mask = np.ones(data.shape, dtype=bool) if region is None else region_mask(image, region)
    if method == "polynomial" and region is not None:
        return _like(image, _polynomial(data, mask, grid, max(grid.step_y, grid.step_x), order))
    model = _columns_model(image, columns, grid)
    spacing = column_spacing(model.columns[:, 1:3])
    scale = _scale(scale_angstrom, spacing)
    mask = mask & valley_mask(model.columns[:, 1:3], grid, spacing)
    if not mask.any():
        raise ImageError("the region holds no valley between columns: choose a larger one")
    background = np.zeros_like(data)
    for _ in range(PASSES):
        fitted, _ = solve_heights(model, data - background, np.ones_like(data))
        bare = data - (fitted.image() - fitted.background())
        if method == "polynomial":
            background = _polynomial(bare, mask, grid, spacing, order)
        else:
            background = smooth_surface(
                _enough(samples_of(bare, mask, grid, spacing), order), grid, scale, order
            )
    return _like(image, background)


def replace_outside(
    image: xr.DataArray, region: Region, value: float | xr.DataArray
) -> xr.DataArray:
    """Image whose pixels outside a region have another value, or those of another image.

    For surroundings that would disturb, such as a second grain; replaced pixels have no noise,
    so no method should be asked what it sees there. Raises ImageError as `region_mask` does.
    """
    image = axes.check_image(image)
    other, _ = _known(image, value)
    kept = region_mask(image, region)
    return image.copy(data=np.where(kept, np.asarray(image.values, dtype=np.float64), other))


def _check(method: str, order: int, scale: float | None) -> None:
    if method not in get_args(Method):
        raise PlanError(
            f"method={method!r} is unknown; choose one of {', '.join(get_args(Method))}"
        )
    if not 0 <= order <= MOST_ORDER:
        raise PlanError(f"order={order}: give the degree of the polynomial, 0 to {MOST_ORDER}")
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise PlanError(f"scale_angstrom={scale} must be a positive length")


def _scale(scale: float | None, spacing: float) -> float:
    if scale is None:
        return DEFAULT_SPACINGS * spacing
    if scale < spacing:
        raise PlanError(
            f"scale_angstrom={scale:g} is below the spacing of the columns, {spacing:.3g}: the "
            f"background would follow the columns; give {DEFAULT_SPACINGS * spacing:.3g} or more"
        )
    return scale


def _columns_model(image: xr.DataArray, columns: pd.DataFrame | None, grid: Grid) -> ColumnModel:
    """Gaussian columns of one width and no height yet, sorted by y."""
    found = find_columns(image) if columns is None or "width" not in columns else columns
    places = found if columns is None else columns
    if len(places) < 3:
        raise NoColumnsError(
            f"{len(places)} columns leave no valleys: give more, or method='polynomial' with a "
            "region that holds none"
        )
    x = places["x"].to_numpy(float) - float(image["x"].values[0])
    y = places["y"].to_numpy(float) - float(image["y"].values[0])
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise PlanError("positions of columns are not finite; drop those rows")
    width = np.full(len(x), float(found["width"].median()))
    table = np.stack([np.zeros_like(x), x, y, width], axis=1)[np.argsort(y, kind="stable")]
    return ColumnModel(grid, "gaussian", table, Mesh(1, 1), np.zeros(1))


def _polynomial(values: Array, mask: Mask, grid: Grid, tile: float, order: int) -> Array:
    return polynomial_surface(_enough(samples_of(values, mask, grid, tile), order), grid, order)


def _enough(samples: Samples, order: int) -> Samples:
    terms = (order + 1) * (order + 2) // 2
    if len(samples.levels) < 2 * terms:
        raise ImageError(
            f"the background shows at {len(samples.levels)} places only, too few for a polynomial "
            f"of degree {order}: choose a larger region or a lower order"
        )
    return samples


def _known(image: xr.DataArray, value: float | xr.DataArray) -> tuple[Array, str]:
    if isinstance(value, xr.DataArray):
        if value.shape != image.shape:
            raise ImageError(
                f"the background has {value.shape} pixels and the image {image.shape}: "
                "crop or resample one to the other"
            )
        values = np.asarray(value.values, dtype=np.float64)
        done = "another image"
    else:
        values, done = np.full(image.shape, float(value)), f"the value {float(value):g}"
    if not np.isfinite(values).all():
        raise ImageError("the background has NaN or infinite pixels: fill them first")
    return values, done


def _like(image: xr.DataArray, values: Array) -> xr.DataArray:
    return image.copy(data=values).rename("background")
