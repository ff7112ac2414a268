"""Values at probe positions as an image with the calibration of the scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from crewe import axes
from crewe.sources import Scan

if TYPE_CHECKING:
    import xarray as xr


def scan_image(values: NDArray[Any], scan: Scan, name: str, units: str) -> xr.DataArray:
    """Return values (rows, columns) as an image (y, x), in Å when the scan step is known."""
    step, unit = ((1.0, 1.0), "px") if scan.step_angstrom is None else (scan.step_angstrom, "Å")
    return axes.calibrated_image(values, step, unit, name, {"units": units})
