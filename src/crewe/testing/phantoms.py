"""Arrays whose truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

STEPS = {"y": 0.5, "x": 0.25, "ky": 0.02, "kx": 0.03}


def asymmetric_phantom(shape: tuple[int, ...] = (3, 5, 7, 11)) -> xr.DataArray:
    """Make a float32 set of dims (y, x, ky, kx) in which no flip, transpose or shift can hide.

    Every pixel has its own integer value and every axis its own length and step, so a wrong axis
    order shows. Two axes give an image (y, x), three a stack (frame, y, x).
    """
    import numpy as np

    from crewe.axes import Axis, calibrated_array

    dims = {2: ("y", "x"), 3: ("frame", "y", "x"), 4: ("y", "x", "ky", "kx")}[len(shape)]
    data: np.ndarray = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    units = {"y": "Å", "x": "Å", "ky": "1/Å", "kx": "1/Å"}
    axes = [Axis(dim, STEPS.get(dim, 1.0), 0.0, units.get(dim, "")) for dim in dims]
    return calibrated_array(data, axes, name="phantom", attrs={"beam_energy_kev": 200.0})
