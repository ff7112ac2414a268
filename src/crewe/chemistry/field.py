"""What is to be fused, checked and brought to counts, and results brought back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry.checks import by_element, check_haadf, check_map
from crewe.chemistry.estimate import Estimate, Settings
from crewe.chemistry.guide import elastic_share, elastic_terms, offset_and_scale
from crewe.chemistry.measured import Measured, haadf_noise, noise_of_map, whole_counts
from crewe.chemistry.noise import MapNoise
from crewe.chemistry.operators import atomic_number
from crewe.chemistry.results import FusedMaps
from crewe.chemistry.splitting import STRENGTHS, Tried
from crewe.chemistry.translations import find_translations
from crewe.errors import ImageError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Planes = NDArray[np.float32]

_FAINT_SHARE = 0.05


@dataclass(frozen=True)
class Field:
    """What was given, checked and in counts."""

    symbols: tuple[str, ...]
    given: Planes
    scale: Planes
    """Counts per unit (element, 1, 1)."""
    first_map: xr.DataArray
    haadf: xr.DataArray
    measured: Measured
    haadf_noise: float
    warnings: tuple[str, ...]

    @classmethod
    def of(
        cls,
        haadf: xr.DataArray,
        maps: Mapping[str, xr.DataArray] | xr.DataArray,
        background: Mapping[str, xr.DataArray | float] | None,
        likelihood: str,
        gamma: float,
        rng: np.random.Generator,
    ) -> Field:
        """Check everything and turn it into counts."""
        check_haadf(haadf)
        named = by_element(maps)
        symbols = tuple(named)
        given = np.stack([check_map(symbol, plane, haadf) for symbol, plane in named.items()])
        poisson = _is_poisson(given, symbols, likelihood)
        noises = [noise_of_map(plane, symbol) for symbol, plane in zip(symbols, given, strict=True)]
        scale, whole = whole_counts(given, symbols, noises, rng if poisson else None)
        dark = _background(background or {}, symbols, given)
        numbers = np.array([atomic_number(symbol) for symbol in symbols])
        image = np.ascontiguousarray(haadf.values, np.float32)
        signal = np.maximum(given - dark, 0.0)
        offset, _ = offset_and_scale(image, signal * scale, numbers, gamma)
        measured = Measured(
            counts=np.ascontiguousarray(given * scale),
            background=np.ascontiguousarray(dark * scale),
            poisson=poisson,
            whole=whole,
            symbols=symbols,
            haadf=image,
            haadf_offset=offset,
            translations=find_translations(image),
            noise=tuple(noise.in_counts for noise in noises),
        )
        warnings = _about_noise(symbols, noises)
        if likelihood == "auto":
            warnings += _about_negative(given, symbols)
        first = next(iter(named.values()))
        noise = haadf_noise(image)
        return cls(symbols, given, scale, first, haadf, measured, noise, warnings)

    def elastic_misfit(self, gamma: float) -> Callable[[Planes], float]:
        """Return half of χ² between HAADF and Σ (Z x)^γ as a function of the amounts."""
        offset, scale = offset_and_scale(
            self.measured.haadf, self.measured.signal, self.measured.numbers, gamma
        )

        def misfit(amounts: Planes) -> float:
            expected = offset + scale * elastic_terms(amounts, self.measured.numbers, gamma).sum(0)
            residual = (self.measured.haadf - expected) / self.haadf_noise
            return float(np.square(residual).sum(dtype=float) / 2)

        return misfit

    def result(self, fused: Estimate, settings: Settings, tried: list[Tried]) -> FusedMaps:
        """Put everything on the scale of what was given."""
        share = elastic_share(fused.amounts, self.measured.numbers, settings.gamma)
        return FusedMaps(
            maps=self._planes(fused.amounts / self.scale, "fused"),
            raw=self._planes(self.given, "measured"),
            haadf=self.haadf,
            background=self._planes(self.measured.background / self.scale, "background"),
            guide=self._planes(fused.guide, "guide").assign_attrs(units=""),
            prior=settings.prior,
            strength=settings.strength,
            gamma=settings.gamma,
            guide_smoothing_px=settings.guide_smoothing_px,
            without_haadf=settings.without_haadf,
            haadf_offset=self.measured.haadf_offset,
            likelihood="poisson" if self.measured.poisson else "least_squares",
            counts_per_unit=dict(zip(self.symbols, map(float, self.scale.ravel()), strict=True)),
            history=fused.history,
            tried=_table(tried),
            elastic_share=dict(zip(self.symbols, map(float, share), strict=True)),
            warnings=(
                *_about_shares(self.symbols, share, settings),
                *self.warnings,
                *_about_choice(settings, tried),
            ),
        )

    def _planes(self, values: Planes, name: str) -> xr.DataArray:
        import xarray as xr

        like = self.first_map
        return xr.DataArray(
            np.asarray(values, np.float32),
            dims=("element", "y", "x"),
            coords={"element": list(self.symbols), "y": like["y"], "x": like["x"]},
            name=name,
            attrs={key: value for key, value in like.attrs.items() if key != "element"},
        )


def _is_poisson(given: Planes, symbols: tuple[str, ...], likelihood: str) -> bool:
    negative = (given < 0).sum((1, 2))
    if likelihood == "poisson" and negative.any():
        worst = int(np.argmax(negative))
        raise ImageError(
            f"the map of {symbols[worst]} has {negative[worst]} negative pixels, which counts "
            "cannot have: give counts and their background, or likelihood 'least_squares'"
        )
    return likelihood != "least_squares" and not negative.any()


def _background(
    background: Mapping[str, xr.DataArray | float], symbols: tuple[str, ...], given: Planes
) -> Planes:
    unknown = sorted(set(background) - set(symbols))
    if unknown:
        raise ImageError(f"background of {', '.join(unknown)} without a map of it")
    planes = np.zeros_like(given)
    for plane, symbol in zip(planes, symbols, strict=True):
        plane[:] = np.asarray(background.get(symbol, 0.0), np.float32)
    if not np.isfinite(planes).all() or float(planes.min()) < 0:
        raise ImageError("background counts must be finite and not negative")
    return planes


def _about_shares(
    symbols: tuple[str, ...], share: NDArray[np.float64], settings: Settings
) -> tuple[str, ...]:
    """Name elements whose map HAADF cannot inform though its texture is in it."""
    if len(symbols) == 1 or settings.prior == "spectra":
        return ()
    return tuple(
        f"{symbol} makes {100 * part:.1f} % of HAADF: its map rests on its own counts, the prior "
        "and the texture of the other elements"
        for symbol, part in zip(symbols, share, strict=True)
        if part < _FAINT_SHARE and symbol not in settings.without_haadf
    )


def _about_noise(symbols: tuple[str, ...], noises: Sequence[MapNoise]) -> tuple[str, ...]:
    return tuple(
        f"{symbol}: {remark}"
        for symbol, noise in zip(symbols, noises, strict=True)
        for remark in noise.remarks
    )


def _about_negative(given: Planes, symbols: tuple[str, ...]) -> tuple[str, ...]:
    negative = (given < 0).sum((1, 2))
    if not negative.any():
        return ()
    each = ", ".join(
        f"{symbol} {number}" for symbol, number in zip(symbols, negative, strict=True) if number
    )
    return (
        f"negative pixels of {given[0].size}: {each}; so all maps are fitted by least squares, not "
        "as counts: gross counts with their background (--background) are better",
    )


def _about_choice(settings: Settings, tried: list[Tried]) -> tuple[str, ...]:
    """Say what the reader of a choice should know."""
    said = []
    if settings.prior == "spectra" and tried:
        said.append("HAADF does not help to predict these counts: it was not used")
    if settings.without_haadf:
        names = ", ".join(settings.without_haadf)
        said.append(f"HAADF does not help to predict the counts of {names}: not used for them")
    if settings.prior == "amounts":
        said.append(
            "eq. 1 as printed shifts amounts from one element to another: compare the sums of "
            "the maps with those given before any stoichiometry"
        )
    if len(tried) > 1 and settings.strength in (STRENGTHS[0], STRENGTHS[-1]):
        said.append(
            f"the strength chosen, {settings.strength:g}, is the last that was tried: there may "
            "be better ones beyond"
        )
    return tuple(said)


def _table(tried: list[Tried]) -> pd.DataFrame:
    import pandas as pd

    columns = [
        "prior",
        "strength",
        "guide_smoothing_px",
        "gamma",
        "without_haadf",
        "prediction_error",
    ]
    rows = [
        (
            entry.settings.prior,
            entry.settings.strength,
            entry.settings.guide_smoothing_px,
            entry.settings.gamma,
            ", ".join(entry.settings.without_haadf),
            entry.prediction_error,
        )
        for entry in tried
    ]
    return pd.DataFrame(rows, columns=columns)
