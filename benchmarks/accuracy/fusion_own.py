"""`crewe.fuse` as it comes."""

import time
from typing import Any

import numpy as np

from benchmarks.accuracy.fusion_cases import Case, Found
from crewe.chemistry.fusion import fuse
from crewe.chemistry.results import FusedMaps

SETTINGS = ("prior", "strength", "gamma", "guide_smoothing_px", "likelihood")


def fused(case: Case) -> dict[str, Found]:
    """With no option set."""
    begin = time.perf_counter()
    result = fuse(case.measurement.haadf, case.measurement.maps)
    seconds = time.perf_counter() - begin
    return {"crewe": Found(np.asarray(result.maps.values, float), settings_of(result), seconds)}


def settings_of(result: FusedMaps) -> dict[str, Any]:
    """Return what a fusion chose, as `fuse` takes it."""
    return {name: getattr(result, name) for name in SETTINGS}
