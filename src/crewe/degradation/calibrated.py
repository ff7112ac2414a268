"""The door for calibrated images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.axes import check_image, length_unit, sampling
from crewe.degradation.compose import Chain, read_chain
from crewe.errors import CalibrationError

if TYPE_CHECKING:
    import xarray as xr


def degrade(
    image: xr.DataArray,
    recipe: str | Path | Mapping[str, Any] | Chain,
    seed: int,
    *,
    post_process: bool = False,
) -> xr.DataArray:
    """Degrade a calibrated image ('y', 'x') as the instrument of a recipe would record it.

    Coordinates and attrs are kept; `attrs['degradation']` lists what happened. Lengths of the
    recipe that are in Å are converted by the image's pixel size along x. Intensities must not be
    negative; the result is float32 and on a scale of its own, which the recipe sets. With
    `post_process` the image is also resampled, blurred, annotated and cut at random, after which
    its coordinates no longer hold exactly.

    Raises ImageError for an image that cannot be used, CalibrationError when it has no pixel size
    in Å or unlike ones along y and x, and RecipeError for the recipe.
    """
    check_image(image)
    chain = recipe if isinstance(recipe, Chain) else read_chain(recipe)
    size = _pixel_size_angstrom(image)
    degraded = chain.record(image.values, seed, pixel_size_angstrom=size)
    if post_process:
        degraded = chain.post_process(degraded, seed)
    result = image.copy(data=degraded.image)
    result.attrs["degradation"] = [
        {"effect": one.effect, **vars(one.parameters)} for one in degraded.applied
    ]
    return result


def _pixel_size_angstrom(image: xr.DataArray) -> float:
    unit = length_unit(image)
    if unit != "Å":
        raise CalibrationError(f"the image is calibrated in {unit}, not Å: use with_sampling")
    along_y, along_x = sampling(image)
    if abs(along_y - along_x) > 0.01 * along_x:
        raise CalibrationError(
            f"pixels of {along_y:g} × {along_x:g} Å are not square: resample the image first"
        )
    return along_x
