"""Total intensity of each pattern: the first thing to look at, and what dose was really there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crewe.sources import Scan
from crewe.stem4d.calibrated import scan_image
from crewe.stem4d.moments import Moments

if TYPE_CHECKING:
    import xarray as xr


class TotalIntensity:
    """Sum of all pixels of each pattern, in counts of the detector."""

    def __init__(self, moments: Moments, scan: Scan) -> None:
        self.moments = moments
        self.scan = scan

    def images(self) -> dict[str, xr.DataArray]:
        """Return "total" (y, x); NaN where not measured."""
        total = np.where(self.moments.measured, self.moments.counts, np.nan)
        return {"total": scan_image(total, self.scan, "total", "counts")}
