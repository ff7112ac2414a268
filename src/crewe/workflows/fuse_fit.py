"""Fit one field whole, or a part of it with the settings that another part chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry.composition import averaged_signal
from crewe.chemistry.fusion import fuse, refit
from crewe.chemistry.results import FusedMaps
from crewe.chemistry.standard_error import hessian_error, repeated_error
from crewe.chemistry.translations import find_translations
from crewe.errors import ImageError
from crewe.workflows.fuse_inputs import Field
from crewe.workflows.fuse_plan import FusePlan

if TYPE_CHECKING:
    import xarray as xr

Tell = Callable[[str, float], None]
Planes = NDArray[np.float32]
MOST_BALANCE = 5.0


def fit_field(plan: FusePlan, field: Field, tell: Tell) -> FusedMaps:
    """Fuse a field, its settings chosen where the plan leaves them open. Raises ImageError."""
    return fuse(
        field.haadf,
        field.maps,
        prior=plan.prior,
        strength=plan.strength,
        gamma=plan.gamma,
        guide_smoothing_px=plan.guide_smoothing_px,
        likelihood=plan.likelihood,
        background=_by_element(field.background),
        seed=plan.seed,
        progress=tell,
    )


def fit_part(chosen: FusedMaps, field: Field, balance: float = 1.0) -> FusedMaps:
    """Fuse a field with the settings of a result, its strength times `balance`.

    Of what is returned, history, choice, shares and the raw maps, from which noise is known, are
    those of the result given. Raises ImageError for values that cannot be used.
    """
    _check_values(field, chosen.likelihood)
    background = field.maps.copy(data=np.zeros_like(field.maps.values))
    like = replace(
        chosen,
        background=background if field.background is None else field.background,
        strength=chosen.strength * balance,
        haadf=field.haadf,
        prior=_prior_in(field, chosen),
    )
    try:
        fused = refit(like, field.haadf.values, field.maps.values)
    except ImageError:
        # HAADF of a part may be vacuum, which guides nothing.
        like = replace(like, prior="spectra")
        fused = refit(like, field.haadf.values, field.maps.values)
    return replace(like, maps=field.maps.copy(data=fused))


def standard_error(
    plan: FusePlan, result: FusedMaps, tell: Tell, seed: int | None = None
) -> xr.DataArray | None:
    """Return the standard error of a result (element, y, x) as the plan wants it."""
    if plan.standard_error == "none":
        return None
    if plan.standard_error == "hessian":
        try:
            return hessian_error(result)
        except ImageError:
            # HAADF of a part may be too empty to be a model of its elements: counts alone then.
            return hessian_error(replace(result, prior="spectra"))
    used = plan.seed if seed is None else seed
    return repeated_error(result, plan.repeats, used, tell)


def level(chosen: FusedMaps, guide: float, counts: float) -> float:
    """Return what the strength of smoothing is relative to in a field.

    A strength has no unit because it is measured against what the field's guide and counts are
    where there is something, given here; with the ratio of two levels, a tile is smoothed as its
    frame is.
    """
    guided = chosen.prior in ("composition", "columns")
    return (max(guide, 1e-12) if guided else 1.0) / np.sqrt(max(counts, 1e-6))


def means(chosen: FusedMaps, field: Field, weight: Planes) -> NDArray[np.float64]:
    """Return the weighted sums (4,) of guide and its square, of averaged counts and theirs."""
    guide = np.maximum(field.haadf.values - chosen.haadf_offset, 0.0) ** (1.0 / chosen.gamma)
    scale = np.array([chosen.counts_per_unit[str(name)] for name in field.maps["element"].values])
    signal = field.maps.values
    if field.background is not None:
        signal = signal - field.background.values
    counts = averaged_signal(signal * scale[:, None, None]).sum(0)
    planes = (guide, np.square(guide), counts, np.square(counts))
    return np.array([(weight * plane).sum(dtype=np.float64) for plane in planes])


def balance_of(chosen: FusedMaps, frame: NDArray[np.float64], tile: NDArray[np.float64]) -> float:
    """Return the factor of the strength for a tile of a frame, from the `means` of both."""
    whole, part = (
        level(chosen, sums[1] / max(sums[0], 1e-12), sums[3] / max(sums[2], 1e-12))
        for sums in (frame, tile)
    )
    return float(np.clip(whole / part, 1 / MOST_BALANCE, MOST_BALANCE))


def _by_element(background: xr.DataArray | None) -> Mapping[str, xr.DataArray] | None:
    if background is None:
        return None
    return {str(name): background.sel(element=name) for name in background["element"].values}


def _prior_in(field: Field, chosen: FusedMaps) -> str:
    """Return the prior of a result, or the next simpler one where a part shows no columns."""
    if chosen.prior == "columns" and find_translations(field.haadf.values) is None:
        return "composition"
    return chosen.prior


def _names(field: Field) -> list[str]:
    return [str(name) for name in field.maps["element"].values]


def _check_values(field: Field, likelihood: str) -> None:
    named = {f"the map of {name}": field.maps.sel(element=name) for name in _names(field)}
    for name, values in {"HAADF": field.haadf, **named}.items():
        if not np.isfinite(values.values).all():
            raise ImageError(f"{name} holds NaN or infinity: mend or crop it first")
    for name, plane in named.items():
        if likelihood == "poisson" and float(plane.min()) < 0:
            raise ImageError(
                f"{name} is negative in a part, which counts cannot be: give counts, or "
                "--likelihood least_squares"
            )
