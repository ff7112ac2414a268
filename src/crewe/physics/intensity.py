"""Intensities: detector counts as fractions of the beam, beam current as electrons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crewe.errors import CalibrationError, ImageError

if TYPE_CHECKING:
    import xarray as xr

ELEMENTARY_CHARGE_C = 1.602176634e-19
VACUUM_PIXELS = 20_000
FEW_PIXELS = 1000


def normalise_to_detector(image: xr.DataArray, vacuum: float, detector: float) -> xr.DataArray:
    """Express an image as fraction of the beam, (I − vacuum) / (detector − vacuum).

    `vacuum` and `detector` are the levels beside and on the detector in the counts of the image
    (Rosenauer et al., Ultramicroscopy 109 (2009) 1171, doi:10.1016/j.ultramic.2009.05.003). NaN
    stays NaN. Raises CalibrationError unless the detector level is above the vacuum level.
    """
    import numpy as np

    if not (np.isfinite(vacuum) and np.isfinite(detector) and detector > vacuum):
        raise CalibrationError(
            f"detector level {detector} must be above vacuum level {vacuum}: "
            "measure both on the detector map"
        )
    # Unsigned counts below the vacuum level would wrap around, hence float first.
    result = (image.astype(np.float64) - vacuum) / (detector - vacuum)
    levels = {"vacuum_level": float(vacuum), "detector_level": float(detector)}
    result.attrs = {**image.attrs, "units": "fraction of beam", **levels}
    return result.rename(image.name)


def detector_levels(detector_map: Any) -> tuple[float, float]:
    """Levels beside and on the detector of a detector map, as (vacuum, detector) in counts.

    Vacuum is the mean of the 20,000 lowest pixels (of the lowest tenth in a smaller map), the
    detector the mean of the pixels above a tenth of the range. In a map of more than 1000 pixels
    the range ends at the 99.9th percentile, so that hot pixels do not set it. NaN pixels are left
    out. Raises ImageError for a map that is constant or empty.
    """
    import numpy as np

    values = np.asarray(detector_map, dtype=np.float64).ravel()
    values = np.sort(values[np.isfinite(values)])
    if values.size == 0 or values[0] == values[-1]:
        raise ImageError("the detector map is constant: scan the beam across the detector's edge")
    lowest = max(1, min(VACUUM_PIXELS, values.size // 10))
    vacuum = float(values[:lowest].mean())
    brightest = np.percentile(values, 99.9) if values.size > FEW_PIXELS else values[-1]
    threshold = vacuum + 0.1 * (brightest - vacuum)
    return vacuum, float(values[values > threshold].mean())


def electrons_per_pixel(beam_current_pa: float, dwell_time_us: float) -> float:
    """Mean number of electrons that hit one pixel, from beam current in pA and dwell time in µs."""
    _positive(beam_current_pa=beam_current_pa, dwell_time_us=dwell_time_us)
    return beam_current_pa * 1e-12 * dwell_time_us * 1e-6 / ELEMENTARY_CHARGE_C


def dose_per_area(
    beam_current_pa: float, dwell_time_us: float, sampling: float | tuple[float, float]
) -> float:
    """Dose in e/Å² of one scan, from pA, µs and the pixel size in Å, one value or (y, x)."""
    import numpy as np

    step_y, step_x = np.broadcast_to(np.asarray(sampling, dtype=float), (2,))
    _positive(sampling_y=step_y, sampling_x=step_x)
    return electrons_per_pixel(beam_current_pa, dwell_time_us) / float(step_y * step_x)


def _positive(**quantities: float) -> None:
    """Refuse quantities that are not positive and finite."""
    import math

    for name, value in quantities.items():
        if not (math.isfinite(value) and value > 0):
            raise CalibrationError(f"{name} must be positive and finite, got {value}")
