"""What needs no HAADF; each parameter is chosen by the truth, element by element."""

from collections.abc import Callable, Iterable

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.accuracy.fusion_cases import Case, Found, Maps, errors
from crewe.chemistry.amounts import fuse_amounts
from crewe.chemistry.operators import ElasticModel

WIDTHS_PX = np.geomspace(0.4, 12, 25)
VARIATION_WEIGHTS = np.geomspace(0.05, 3.2, 13)


def filtered(case: Case) -> dict[str, Found]:
    """The counts themselves and a Gaussian filter."""
    counts = case.measurement.maps.values
    best = _best_by_element(case.truth, WIDTHS_PX, lambda width: _gaussian(counts, width))
    return {"counts": Found(counts), "gaussian": best}


def smoothed(case: Case) -> dict[str, Found]:
    """Poisson's likelihood and total variation of the amounts."""
    return {
        "variation": _best_by_element(
            case.truth, VARIATION_WEIGHTS, lambda weight: _variation(case, weight)
        )
    }


def _gaussian(counts: Maps, width: float) -> Maps:
    return np.stack([gaussian_filter(image, width) for image in counts])


def _variation(case: Case, weight: float) -> Maps:
    counts = case.measurement.maps
    maps, _ = fuse_amounts(
        counts.values,
        None,
        ElasticModel(tuple(map(str, counts["element"].values))),
        haadf_weight=0.0,
        chemical_weight=1.0,
        variation_weight=weight,
    )
    return maps


def _best_by_element(truth: Maps, values: Iterable[float], make: Callable[[float], Maps]) -> Found:
    """Of each element the map nearest to the truth."""
    best = np.full(len(truth), np.inf)
    maps, chosen = np.zeros_like(truth), np.zeros(len(truth))
    for value in values:
        tried = make(value)
        found = errors(tried, truth)
        better = found < best
        maps[better], chosen[better], best[better] = tried[better], value, found[better]
    return Found(maps, {"values": chosen.round(3).tolist()})
