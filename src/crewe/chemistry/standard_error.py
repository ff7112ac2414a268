"""How far fused maps may be off because counts are few and HAADF is noisy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from crewe.chemistry.curvature import covariance_diagonal, elastic_slopes
from crewe.chemistry.fusion import refit
from crewe.chemistry.neighbours import variance_line
from crewe.chemistry.noise import COUNTS, MapNoise, is_counts, map_noise
from crewe.chemistry.results import FusedMaps
from crewe.errors import ImageError, PlanError

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.floating[Any]]
Observer = Callable[[str, float], None]

SMOOTHING_PX = 2.0
"""Sigma over which the variance of few repeats is averaged."""
VACUUM = 0.1
"""Amount, in shares of the mean one, below which variance does not fall with it any more."""
EXPECTED_PX = 3.0
"""Sigma over which measured counts say what is to be expected where fused maps are zero."""
LEAST_VARIANCE = 1e-12
"""Of a pixel, in squared counts."""
FEWEST_REPEATS = 3


def hessian_error(result: FusedMaps) -> xr.DataArray:
    """Return the standard error (element, y, x) that the curvature of the cost allows each pixel.

    The inverse of H = ∇²Ψ₁ + ∇²Ψ₂ at the fused maps (eq. 4 of Schwartz et al. 2022,
    doi:10.1038/s41524-021-00692-5), exactly, for each pixel's n × n block; its diagonal is a
    variance because both terms are weighted by the inverse variance of their noise. The curvature
    is the expected one (Fisher information), 1/(x + background) for counts: the observed b/(x + ε)²
    is zero wherever no count fell, and of eq. 4's elastic term that part vanishes on average which
    holds the residual. HAADF's variance is that of its noise or of its misfit over a few pixels,
    whichever is larger; for the prior 'spectra' HAADF is left out.

    No prior enters: each pixel stands alone. It is what fused maps would scatter if nothing were
    smoothed, thus an upper bound for what they do, and no statement about bias. For it to hold
    where fused maps are zero or too small by chance, the amounts that make the noise of counts are
    at least the measured ones averaged over a Gaussian of 3 px, and no less than one count in its
    area of 4π·3² = 113 px. In the unit of the maps.
    """
    gain, slope, constant = _noise(result)
    amounts = np.maximum(result.maps.values, 0.0)
    expected = np.maximum(amounts, _expected(result, gain)) + result.background.values
    # In counts, as amounts in other units may be very small numbers.
    variance = np.maximum((slope * expected + constant) / gain**2, LEAST_VARIANCE)
    if result.prior != "spectra":
        slopes, spread = elastic_slopes(result, amounts / gain)
        variance = covariance_diagonal(variance, slopes, spread)
    return _like(result, np.sqrt(variance) * gain)


def repeated_error(
    result: FusedMaps,
    repeats: int = 8,
    seed: int = 0,
    progress: Observer | None = None,
) -> xr.DataArray:
    """Return the standard error (element, y, x) of fused maps by fusing new noise.

    The parametric bootstrap (Efron 1979, doi:10.1214/aos/1176344552): maps are drawn with the
    fused ones and the background as mean, Poisson in counts (maps that are no counts get their
    constant noise as well), HAADF is drawn about the measured one with the noise that neighbouring
    pixels show, and all is fused again with prior, strength, γ and smoothing as they were. Few
    repeats tell a pixel's variance badly (eight: to half of it), so that variance per amount is
    averaged over 2 px and multiplied back: variance follows amounts, as that of counts does, and
    columns stay resolved in it.

    Contained is what noise does; not what the prior takes off or adds everywhere (bias), nor that
    other settings might have been chosen. `seed` draws; `progress` hears "standard error" and the
    share done. In the unit of the maps. Raises PlanError for fewer than 3 repeats.
    """
    if repeats < FEWEST_REPEATS:
        raise PlanError(
            f"{repeats} repeats tell no scatter: give at least {FEWEST_REPEATS}, better 8"
        )
    rng = np.random.default_rng(seed)
    draw = _Draw(result)
    total = np.zeros(result.maps.shape)
    squares = np.zeros(result.maps.shape)
    for done in range(repeats):
        # About the fused maps: sums of squares of small differences keep their digits.
        off = refit(result, *draw(rng)).astype(np.float64) - result.maps.values
        total += off
        squares += off**2
        if progress is not None:
            progress("standard error", (done + 1) / repeats)
    variance = np.maximum(squares - total**2 / repeats, 0.0) / (repeats - 1)
    return _like(result, np.sqrt(_smoothed(variance, result.maps.values)))


def average_standard_error(error: xr.DataArray, maps: xr.DataArray) -> float:
    """Return one number for maps and their standard errors, both (element, y, x).

    For each element the length of the error over the length of the map, √(Σσ²/Σx²), then the mean
    over elements: what the relative error of the maps is expected to be, were there no bias.
    Elements that are zero everywhere are left out; NaN if all are.
    """
    sizes = np.sqrt(np.nansum(np.square(maps.values.astype(np.float64)), axis=(1, 2)))
    errors = np.sqrt(np.nansum(np.square(error.values.astype(np.float64)), axis=(1, 2)))
    seen = sizes > 0
    return float(np.mean(errors[seen] / sizes[seen])) if seen.any() else float("nan")


class _Draw:
    """Draws maps and HAADF as they might have been measured."""

    def __init__(self, result: FusedMaps) -> None:
        _, self.slope, constant = _noise(result)
        self.mean = np.maximum(result.maps.values, 0.0) + result.background.values
        self.further = np.sqrt(constant)
        self.poisson = result.likelihood == "poisson"
        self.haadf = np.asarray(result.haadf.values, np.float64)
        self.haadf_deviation = np.sqrt(haadf_variance(self.haadf))

    def __call__(self, rng: np.random.Generator) -> tuple[Array, Array]:
        grows = np.where(self.slope > 0, self.slope, 1.0)
        maps = np.where(self.slope > 0, rng.poisson(self.mean / grows) * grows, self.mean)
        if self.further.any():
            maps = maps + self.further * rng.standard_normal(maps.shape)
        if self.poisson:
            maps = np.maximum(maps, 0.0)
        haadf = self.haadf + self.haadf_deviation * rng.standard_normal(self.haadf.shape)
        return haadf.astype(np.float32), maps.astype(np.float32)


def haadf_variance(haadf: Array) -> Array:
    """Variance of the noise of each pixel of HAADF (y, x), from neighbouring pixels."""
    return variance_line(haadf).variance(gaussian_filter(haadf, 1.0))


def _noise(result: FusedMaps) -> tuple[Array, Array, Array]:
    """Gain, slope and constant of the noise of the maps given, each (element, 1, 1).

    The counts per unit of the result are those of the fit: of maps that are no counts fewer than
    their noise shows.
    """
    noises = [
        _noise_of(plane, result.counts_per_unit[str(name)])
        for name, plane in zip(result.raw["element"].values, result.raw.values, strict=True)
    ]
    parts = np.array([(noise.gain, noise.slope, noise.constant) for noise in noises])
    gain, slope, constant = parts.T[:, :, None, None]
    return gain, slope, constant


def _noise_of(plane: Array, counts_per_unit: float) -> MapNoise:
    if counts_per_unit == 1 and is_counts(plane):
        return COUNTS
    try:
        return map_noise(plane)
    except ImageError:
        # A part of a field whose noise was read off the whole.
        return MapNoise(1 / counts_per_unit, 0.0, 1 / counts_per_unit)


def _expected(result: FusedMaps, gain: Array) -> Array:
    """Least amounts (element, y, x) that the measured counts about each pixel let expect."""
    signal = result.raw.values.astype(np.float64) - result.background.values
    nearby = gaussian_filter(signal, (0.0, EXPECTED_PX, EXPECTED_PX))
    return np.maximum(nearby, gain / (4 * np.pi * EXPECTED_PX**2))


def _smoothed(variance: Array, maps: Array) -> Array:
    """Variance per amount averaged over 2 px, and multiplied back."""
    averaged = np.empty_like(variance)
    for plane, amounts, out in zip(variance, maps.astype(np.float64), averaged, strict=True):
        # Where hardly anything is, variance per amount means nothing; variance itself does.
        size = amounts + VACUUM * float(np.mean(amounts)) + 1e-300
        out[:] = gaussian_filter(plane, SMOOTHING_PX) / gaussian_filter(size, SMOOTHING_PX) * size
    return averaged


def _like(result: FusedMaps, error: Array) -> xr.DataArray:
    return result.maps.copy(data=error.astype(np.float32)).rename("standard_error")
