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
"""Fewest pixels that phases are looked for in, and what smooth maps are worth at least."""
COARSE_PX = 100.0
"""Area of one value from which a map is patches of one composition each, rather than noise."""
DEEPEST_VALLEY = 0.6
"""Density between two peaks, over that of the lower one, up to which they stand apart."""
SURE = 5.0
"""Difference of two phases, in standard errors by counting, from which both are there."""
UNDECIDED = "undecided"
"""Flag of an element whose histogram has peaks that too few values make to call them phases."""
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
    all amounts, says how much a pixel counts; `counts` (element, y, x) are the measured ones, with
    the `sensitivity` given to `atomic_fractions`. The number of Gaussians, up to `most`, is the
    one of least BIC for as many values as there are independent pixels, see `pixels_per_value`.
    The elements are fitted one by one: phase 0 of one need not be where phase 0 of another is.

    Fused maps are smooth over whole phases, in which no pixel is independent. They are taken as
    worth 30 values at least, but their phases must be peaks with a valley between them (at 0.6 of
    the lower peak or below) and, with `counts`, differ by 5 standard errors of those.

    Returns element, phase (from 0, in order of the mean), share (of the pixels, or of their
    weight), mean and sigma of the fraction, the standard error of that mean, and a flag:
    'undecided' where there are such peaks, but not clear enough for 30 values: the one phase told
    is then but mean and sigma of all pixels. The standard error is sigma over the root of the
    independent pixels, and at least what `counts` allow; of smooth maps, whose sigma is no noise,
    it is that of the counts alone. What a prior or wrong sensitivities do to the mean, and which
    pixels belong to a phase, is not in it.

    Raises ImageError where fewer than 30 pixels of an element are known. After the histograms of
    Schwartz et al. 2022, Fig. 5 (doi:10.1038/s41524-021-00692-5).
    """
    import pandas as pd

    weight = np.ones(fractions.shape[1:]) if weights is None else np.asarray(weights, np.float64)
    scale = None if counts is None else _sensitivities(counts, sensitivity).ravel()
    rows: list[tuple[object, ...]] = []
    for index, element in enumerate(fractions["element"].values):
        values = _Values(fractions.values[index].astype(np.float64), weight, str(element))
        counted = None
        if counts is not None and scale is not None:
            counted = _Counted(values.plane, _not_negative(counts.values), scale, index)
        mixture, flag = _fit(values, counted, most)
        error = _standard_error(mixture, values, counted)
        for phase in range(mixture.mean.size):
            told = (part[phase] for part in (mixture.share, mixture.mean, mixture.sigma, error))
            rows.append((str(element), phase, *map(float, told), flag))
    return pd.DataFrame(rows, columns=list(COLUMNS))


class _Values:
    """Known fractions of one element, their weights and how many independent ones they are."""

    def __init__(self, plane: Array, weight: Array, element: str) -> None:
        known = np.isfinite(plane) & (weight > 0)
        number = int(known.sum())
        if number < FEWEST_PIXELS:
            raise ImageError(
                f"{element}: the fraction is known in {number} pixels; phases need at least "
                f"{FEWEST_PIXELS}. Give a larger field, or lower the minimum of atomic_fractions."
            )
        self.plane = np.where(known, plane, np.nan)
        self.known, self.weights = plane[known], weight[known]
        self.worth = float(self.weights.sum() ** 2 / np.square(self.weights).sum())
        area = pixels_per_value(self.plane)
        self.smooth = area > COARSE_PX or self.worth / area < FEWEST_PIXELS
        self.independent = max(self.worth / area, FEWEST_PIXELS)


class _Counted:
    """Poisson counts (element, y, x) that the fractions (y, x) of one element come from."""

    def __init__(self, plane: Array, counts: Array, scale: Array, element: int) -> None:
        self.plane, self.counts, self.scale, self.element = plane, counts, scale, element

    def error(self, mixture: Mixture) -> Array:
        """Standard error (phase,) of the fraction in counts summed over a phase.

        By propagation: f = a_e/Σa with a = N/s has the variance
        [(1 − f)²·N_e/s_e² + f²·Σ_{j≠e} N_j/s_j²]/(Σa)². Where no count fell, one might have.
        """
        known = np.isfinite(self.plane)
        belongs: Array = known[None].astype(np.float64)
        if mixture.mean.size > 1:
            belongs = mixture.responsibilities(np.where(known, self.plane, 0.0)) * known
        number = np.einsum("pyx,eyx->pe", belongs, self.counts)
        amount = number / self.scale
        total = np.maximum(amount.sum(axis=1), 1e-300)
        own = amount[:, self.element] / total
        spread = np.maximum(number, 1.0) / self.scale**2
        of_others = spread.sum(axis=1) - spread[:, self.element]
        variance = (1 - own) ** 2 * spread[:, self.element] + own**2 * of_others
        return np.asarray(np.sqrt(variance) / total)

    def differ(self, mixture: Mixture) -> bool:
        """Whether each phase differs from the next by more than counts do."""
        error = self.error(mixture)
        return bool((np.diff(mixture.mean) > SURE * np.hypot(error[1:], error[:-1])).all())


def _fit(values: _Values, counted: _Counted | None, most: int) -> tuple[Mixture, str]:
    """Mixture of one element, and its flag."""
    if not values.smooth:
        return best_mixture(values.known, values.weights, values.independent, most), ""

    def apart(mixture: Mixture) -> bool:
        separate = bool((mixture.valleys() <= DEEPEST_VALLEY).all())
        return separate and (counted is None or counted.differ(mixture))

    found = best_mixture(values.known, values.weights, values.independent, most, apart)
    if found.mean.size > 1 or most == 1:
        return found, ""
    # As if each pixel were independent: peaks that this does not show are none.
    sharpest = best_mixture(values.known, values.weights, values.worth, most, apart)
    return found, UNDECIDED if sharpest.mean.size > 1 else ""


def _standard_error(mixture: Mixture, values: _Values, counted: _Counted | None) -> Array:
    number = np.maximum(mixture.share * values.independent, 1.0)
    scatter = np.asarray(mixture.sigma / np.sqrt(number))
    if counted is None:
        return scatter
    by_counts = counted.error(mixture)
    return by_counts if values.smooth else np.maximum(scatter, by_counts)


def _not_negative(counts: Array) -> Array:
    return np.maximum(np.nan_to_num(counts.astype(np.float64)), 0.0)


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
