"""From amounts to atomic fractions, and from those to phases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry.independence import pixels_per_value
from crewe.chemistry.mixtures import Mixture, best_mixture
from crewe.chemistry.results import FusedMaps
from crewe.errors import ImageError, PlanError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Array = NDArray[np.floating[Any]]

FEWEST_PIXELS = 30
FEW = "few_pixels"
"""Flag of an element whose pixels are worth too few independent ones to tell phases apart."""
COLUMNS = ("element", "phase", "share", "mean", "sigma", "standard_error", "flag")


def atomic_fractions(
    maps: FusedMaps | xr.DataArray | Mapping[str, xr.DataArray],
    sensitivity: Mapping[str, float] | None = None,
    minimum: float = 0.1,
) -> xr.DataArray:
    """Return the share of each element in the atoms of each pixel, (element, y, x).

    `maps` is what `fuse` returns, maps (element, y, x), or maps (y, x) by symbol. `sensitivity`
    is what one atom of an element adds to its map, up to a common factor, as in Cliff–Lorimer
    quantification (1/k); 1 for elements that are not named. x_e/s_e is divided by its sum over
    elements. NaN where that sum is below `minimum` times its 99th percentile: there is no
    specimen there, or none that could be told from noise. Negative amounts, as maps have from
    which a background was taken, stay negative, so that means over pixels keep their truth.

    Raises ImageError for maps without any signal, PlanError for sensitivities that are not
    positive or belong to no map.
    """
    planes = _planes(maps)
    amounts = planes.values.astype(np.float64) / _sensitivities(planes, sensitivity)
    total = amounts.sum(axis=0)
    threshold = minimum * float(np.nanpercentile(total, 99)) if np.isfinite(total).any() else 0.0
    if not threshold > 0:
        raise ImageError(
            "the maps hold no signal: the 99th percentile of their sum is not positive. Give maps "
            "of the elements that the specimen holds."
        )
    here = np.isfinite(total) & (total >= threshold)
    fractions = np.where(here, amounts / np.where(here, total, 1.0), np.nan)
    result = planes.copy(data=fractions.astype(np.float32))
    result.attrs = {**planes.attrs, "units": "", "long_name": "atomic fraction"}
    return result.rename("atomic_fraction")


def phases(
    fractions: xr.DataArray,
    *,
    weights: xr.DataArray | None = None,
    counts: xr.DataArray | None = None,
    sensitivity: Mapping[str, float] | None = None,
    most: int = 4,
) -> pd.DataFrame:
    """Fit the histogram of each element's fraction with Gaussians: the phases.

    `fractions` is (element, y, x) with NaN where nothing is; `weights` (y, x), such as the sum of
    all amounts, says how much a pixel counts. The number of Gaussians, up to `most`, is the one of
    least BIC for as many values as there are independent pixels, see `pixels_per_value`. The
    elements are fitted one by one: phase 0 of one need not be where phase 0 of another is.

    Returns element, phase (from 0, in order of the mean), share (of the pixels, or of their
    weight), mean and sigma of the fraction, the standard error of that mean, and a flag:
    'few_pixels' where fewer than 30 independent pixels allow no more than one phase. The standard
    error is sigma over the root of the independent pixels; with `counts` (element, y, x), the
    measured ones, it is at least what their number allows (and `sensitivity` is then that of
    `atomic_fractions`). What a prior or wrong sensitivities do to the mean is not in it.

    Raises ImageError where fewer than 30 pixels of an element are known. After the histograms of
    Schwartz et al. 2022, Fig. 5 (doi:10.1038/s41524-021-00692-5).
    """
    import pandas as pd

    weight = np.ones(fractions.shape[1:]) if weights is None else np.asarray(weights, np.float64)
    rows: list[tuple[object, ...]] = []
    for index, element in enumerate(fractions["element"].values):
        plane = fractions.values[index].astype(np.float64)
        mixture, independent = _fit(plane, weight, str(element), most)
        error = _standard_error(mixture, independent)
        if counts is not None:
            scale = _sensitivities(counts, sensitivity)
            number = np.maximum(np.nan_to_num(counts.values.astype(np.float64)), 0.0)
            error = np.maximum(error, _counting_error(mixture, plane, number, scale, index))
        flag = FEW if independent < FEWEST_PIXELS else ""
        for phase in range(mixture.mean.size):
            values = (part[phase] for part in (mixture.share, mixture.mean, mixture.sigma, error))
            rows.append((str(element), phase, *map(float, values), flag))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _fit(plane: Array, weight: Array, element: str, most: int) -> tuple[Mixture, float]:
    """Mixture of one element, and the number of independent pixels."""
    known = np.isfinite(plane) & (weight > 0)
    number = int(known.sum())
    if number < FEWEST_PIXELS:
        raise ImageError(
            f"{element}: the fraction is known in {number} pixels; phases need at least "
            f"{FEWEST_PIXELS}. Give a larger field, or lower the minimum of atomic_fractions."
        )
    used = weight[known]
    worth = float(used.sum() ** 2 / np.square(used).sum())
    independent = max(worth / pixels_per_value(np.where(known, plane, np.nan)), 2.0)
    allowed = most if independent >= FEWEST_PIXELS else 1
    return best_mixture(plane[known], used, independent, allowed), independent


def _standard_error(mixture: Mixture, independent: float) -> Array:
    return np.asarray(mixture.sigma / np.sqrt(np.maximum(mixture.share * independent, 1.0)))


def _counting_error(
    mixture: Mixture, plane: Array, counts: Array, scale: Array, element: int
) -> Array:
    """Standard error (phase,) of a fraction of Poisson counts summed over a phase.

    By propagation: f = a_e/Σa with a = N/s has the variance
    [(1 − f)²·N_e/s_e² + f²·Σ_{j≠e} N_j/s_j²]/(Σa)².
    """
    known = np.isfinite(plane)
    belongs: Array = known[None].astype(np.float64)
    if mixture.mean.size > 1:
        belongs = mixture.responsibilities(np.where(known, plane, 0.0)) * known
    number = np.einsum("pyx,eyx->pe", belongs, counts)
    amount = number / scale.ravel()
    total = np.maximum(amount.sum(axis=1), 1e-300)
    share = amount / total[:, None]
    own = share[:, element]
    spread = number / scale.ravel() ** 2
    of_others = spread.sum(axis=1) - spread[:, element]
    variance = (1 - own) ** 2 * spread[:, element] + own**2 * of_others
    return np.asarray(np.sqrt(variance) / total)


def _planes(maps: FusedMaps | xr.DataArray | Mapping[str, xr.DataArray]) -> xr.DataArray:
    import xarray as xr

    if isinstance(maps, FusedMaps):
        return maps.maps
    if isinstance(maps, Mapping):
        names = list(maps)
        stacked = np.stack([np.asarray(maps[name].values) for name in names])
        first = maps[names[0]]
        return xr.DataArray(
            stacked,
            dims=("element", *first.dims),
            coords={"element": names, **{str(dim): first[dim] for dim in first.dims}},
        )
    if maps.dims != ("element", "y", "x"):
        raise ImageError(f"maps have the dims {maps.dims}: expected ('element', 'y', 'x')")
    return maps


def _sensitivities(maps: xr.DataArray, given: Mapping[str, float] | None) -> Array:
    """Sensitivity of each map, (element, 1, 1)."""
    names = [str(name) for name in maps["element"].values]
    unknown = sorted(set(given or {}) - set(names))
    if unknown:
        raise PlanError(
            f"sensitivity of {', '.join(unknown)} without a map of it; maps are {', '.join(names)}"
        )
    values = np.array([(given or {}).get(name, 1.0) for name in names], np.float64)
    if not (np.isfinite(values) & (values > 0)).all():
        raise PlanError(f"sensitivities must be positive numbers; {dict(given or {})} was given")
    return values[:, None, None]
