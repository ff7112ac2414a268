"""Checks of maps and image before a fusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry.operators import atomic_number
from crewe.errors import ImageError, PlanError

if TYPE_CHECKING:
    import xarray as xr

_SMALLEST_PX = 8
_HEAVIEST = 98


def element_symbol(name: str) -> str:
    """Return the symbol of an element, 'co' as 'Co'.

    Raises PlanError for anything else, and for elements beyond californium, of which no spectrum
    is known.
    """
    symbol = str(name).strip().capitalize()
    if atomic_number(symbol) > _HEAVIEST:
        raise PlanError(f"{name!r} is no element that can be mapped: give one from H to Cf")
    return symbol


def by_element(maps: Mapping[str, xr.DataArray] | xr.DataArray) -> dict[str, xr.DataArray]:
    """Return maps by symbol. Raises ImageError for none, for one named twice and for other dims."""
    if not isinstance(maps, Mapping):
        if "element" not in maps.dims:
            raise ImageError(f"maps have the dims {maps.dims}: expected one named 'element'")
        maps = {str(name): maps.sel(element=name) for name in maps["element"].values}
    named: dict[str, xr.DataArray] = {}
    for name, plane in maps.items():
        symbol = element_symbol(name)
        if symbol in named:
            raise ImageError(f"two maps of {symbol}: give one map per element")
        if plane.dims != ("y", "x"):
            raise ImageError(f"the map of {symbol} has the dims {plane.dims}: expected ('y', 'x')")
        named[symbol] = plane
    if not named:
        raise ImageError("no element map given: give at least one, as in {'Co': map}")
    return named


def check_haadf(haadf: xr.DataArray) -> None:
    """Raise ImageError for an image that is none, too small, not finite or constant."""
    if haadf.dims != ("y", "x"):
        raise ImageError(f"HAADF has the dims {haadf.dims}: expected one image ('y', 'x')")
    if min(haadf.shape) < _SMALLEST_PX:
        raise ImageError(f"HAADF has {haadf.shape} pixels: at least {_SMALLEST_PX} a side")
    values = haadf.values
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise ImageError(f"HAADF has {bad} pixels that are NaN or infinite: mend or crop it first")
    if float(values.max()) == float(values.min()):
        raise ImageError(f"HAADF is {float(values.max()):g} everywhere: it says nothing")


def check_map(symbol: str, plane: xr.DataArray, haadf: xr.DataArray) -> NDArray[np.float32]:
    """Return the values of a map. Raises ImageError for a shape or values that cannot be used."""
    if plane.shape != haadf.shape:
        raise ImageError(
            f"the map of {symbol} has {plane.shape} pixels and HAADF {haadf.shape}: bring HAADF "
            "onto the grid of the maps with crewe.chemistry.onto_grid, or crop to one field"
        )
    values = np.asarray(plane.values)
    if values.dtype.kind not in "iufb":
        raise ImageError(f"the map of {symbol} holds {values.dtype}: expected numbers")
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise ImageError(f"the map of {symbol} has {bad} pixels that are NaN or infinite")
    if not float(values.max()) > 0:
        raise ImageError(f"the map of {symbol} is empty: leave it out")
    return values.astype(np.float32)
