"""Element maps and HAADF, fused: the door to everything else in this room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry.bands import processors
from crewe.chemistry.estimate import Settings, estimate
from crewe.chemistry.field import Field
from crewe.chemistry.measured import Measured
from crewe.chemistry.results import FusedMaps
from crewe.chemistry.splitting import Wanted, choose
from crewe.chemistry.translations import find_translations
from crewe.errors import PlanError

if TYPE_CHECKING:
    import xarray as xr

Planes = NDArray[np.float32]
Observer = Callable[[str, float], None]
"""Called with the name of a stage and how far it has come, from 0 to 1."""

PRIORS = ("auto", "composition", "columns", "spectra", "amounts")
LIKELIHOODS = ("auto", "poisson", "least_squares")
_USUAL_GAMMA = 1.7


def fuse(
    haadf: xr.DataArray,
    maps: Mapping[str, xr.DataArray] | xr.DataArray,
    *,
    prior: str = "auto",
    strength: float | None = None,
    gamma: float | None = None,
    guide_smoothing_px: float | None = None,
    likelihood: str = "auto",
    background: Mapping[str, xr.DataArray | float] | None = None,
    seed: int = 0,
    progress: Observer | None = None,
) -> FusedMaps:
    """Fuse noisy element maps with a simultaneous HAADF image, every weight chosen by the data.

    `haadf` is (y, x); `maps` are (y, x) by symbol, or (element, y, x), all on one grid. Counts
    go in and come out as counts, atomic percent as atomic percent. `background` holds mean
    counts that are no signal, by symbol; better than maps from which it was subtracted.

    `prior` says what is smooth: 'composition' (amounts over what HAADF shows), 'columns' (the
    same, with the pattern of each element in the columns that HAADF resolves), 'spectra' (the
    amounts, HAADF is not used), 'amounts' (eq. 1 as printed: the amounts, HAADF as a second
    measurement). 'auto' takes the one of the first three that predicts best, and leaves HAADF out
    for elements that are predicted better without. So are chosen
    `strength`, `gamma` (1.4 to 2) and `guide_smoothing_px` where they are None: counts are
    split into halves of independent noise, one is fitted and compared with the other; `seed`
    splits them. `likelihood` is Poisson's, and least squares for maps with negative values; maps
    that are no counts are scaled until they scatter like them.

    Returns `FusedMaps`. Raises ImageError for maps or images that cannot be used, PlanError for
    options that cannot.
    After Schwartz et al. 2022 (doi:10.1038/s41524-021-00692-5), eq. 1, with composition
    instead of amounts in the third term.
    """
    _check_options(prior, likelihood, strength, gamma, guide_smoothing_px)
    tell = progress or (lambda stage, fraction: None)
    rng = np.random.default_rng(seed)
    field = Field.of(haadf, maps, background, likelihood, gamma or _USUAL_GAMMA, rng)
    wanted = Wanted(None if prior == "auto" else prior, strength, gamma, guide_smoothing_px)
    tell("choosing weights", 0.0)
    settings, tried = choose(
        field.measured,
        wanted,
        rng,
        lambda fraction: tell("choosing weights", fraction),
    )
    tell("fusing", 0.0)
    watch = field.elastic_misfit(settings.gamma)
    fused = estimate(field.measured, settings, threads=processors(), watch=watch)
    tell("fusing", 1.0)
    return field.result(fused, settings, tried)


def refit(result: FusedMaps, haadf: NDArray[np.float32], maps: Planes) -> Planes:
    """Fuse other noise of the same field with all settings of a result.

    `haadf` (y, x) and `maps` (element, y, x) in the units of the result; so is what returns.
    """
    scale = _per_element(result)
    measured = Measured(
        counts=np.ascontiguousarray(maps * scale, np.float32),
        background=np.ascontiguousarray(result.background.values * scale, np.float32),
        poisson=result.likelihood == "poisson",
        whole=np.empty((0, 0, 0), np.float32),
        symbols=tuple(str(name) for name in result.maps["element"].values),
        haadf=np.ascontiguousarray(haadf, np.float32),
        haadf_offset=result.haadf_offset,
        translations=find_translations(np.asarray(result.haadf.values, np.float32))
        if result.prior == "columns"
        else None,
    )
    settings = Settings(
        result.prior,
        result.strength,
        result.gamma,
        result.guide_smoothing_px,
        result.without_haadf,
    )
    return np.asarray(
        estimate(measured, settings, threads=processors()).amounts / scale, np.float32
    )


def _per_element(result: FusedMaps) -> Planes:
    values = [result.counts_per_unit[str(name)] for name in result.maps["element"].values]
    return np.array(values, np.float32)[:, None, None]


def _check_options(
    prior: str,
    likelihood: str,
    strength: float | None,
    gamma: float | None,
    smoothing_px: float | None,
) -> None:
    if prior not in PRIORS:
        raise PlanError(f"prior {prior!r} is unknown: choose one of {', '.join(PRIORS)}")
    if likelihood not in LIKELIHOODS:
        raise PlanError(
            f"likelihood {likelihood!r} is unknown: choose one of {', '.join(LIKELIHOODS)}"
        )
    if strength is not None and not 0 < strength < 1e4:
        raise PlanError(f"strength is {strength:g}: give a positive number, usually 1 to 10")
    if gamma is not None and not 1.0 <= gamma <= 2.5:
        raise PlanError(f"gamma is {gamma:g}: HAADF rises with Z to a power from 1.4 to 2")
    if smoothing_px is not None and not 0 <= smoothing_px < 50:
        raise PlanError(f"guide smoothing is {smoothing_px:g} px: give 0 to 50")
