"""Element maps from energy-loss spectra: the core loss above a power-law background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from crewe.chemistry.line_choice import choose_edges
from crewe.chemistry.lines import Edge
from crewe.chemistry.spectra import (
    ElementMaps,
    as_maps,
    channels,
    energies_ev,
    smoothed,
    window_sums,
)
from crewe.errors import CalibrationError

if TYPE_CHECKING:
    import xarray as xr

# Of the onset's energy: where the fit begins and ends, and how far the loss is summed.
_FIT_FROM, _FIT_TO, _SUMMED = 0.85, 0.98, 0.10
_LEAST_SUMMED_EV = 20.0
_EXPONENTS = np.linspace(-2.0, 10.0, 241)
_USUAL_EXPONENTS = (1.0, 7.0)


def core_loss_maps(
    spectrum: xr.DataArray,
    elements: Sequence[str],
    lines: Mapping[str, str] | None = None,
    *,
    neighbourhood_px: float = 3.0,
) -> ElementMaps:
    """Sum each edge's core loss above A·E^−r fitted between 85 and 98 % of its onset.

    The exponent r comes from the counts in the lower and upper half of the fit window, averaged
    over a Gaussian neighbourhood of `neighbourhood_px` pixels (the two-area method of
    R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed. 2011,
    section 4.4.2, with sums over channels in place of integrals); A is each pixel's own, so the
    map's mean is not biased by noise. The loss is summed from the onset over 10 % of it, at
    least 20 eV, or up to the next chosen edge. What comes out is no count: it is negative
    where noise says so, and `are_counts` is False. Errors are those of `element_maps`.
    """
    energy = energies_ev(spectrum)
    chosen = choose_edges(elements, float(energy[0]), float(energy[-1]), lines)
    maps, windows, remarks = [], {}, list(chosen.remarks)
    for symbol, item in chosen.edges.items():
        onsets = [other.onset_ev for other in chosen.edges.values()]
        windows[symbol] = _summed_window(item, onsets, float(energy[-1]))
        values, exponent = _core_loss(spectrum, energy, item, windows[symbol], neighbourhood_px)
        maps.append(values)
        if not _USUAL_EXPONENTS[0] <= exponent <= _USUAL_EXPONENTS[1]:
            remarks.append(
                f"{item}: the background falls as E^−r with r = {exponent:.1f} where 2 to 6 is "
                "usual: is the detector's dark signal subtracted?"
            )
    remarks.append("energy-loss maps are core loss above a fitted background, no counts")
    symbols = list(chosen.edges)
    return ElementMaps(
        maps=as_maps(np.stack(maps), spectrum, symbols, counts=False, signal="EELS core loss"),
        background=None,
        are_counts=False,
        lines={symbol: item.name for symbol, item in chosen.edges.items()},
        windows_ev=windows,
        remarks=tuple(remarks),
    )


def _summed_window(item: Edge, onsets: Sequence[float], last_ev: float) -> tuple[float, float]:
    end = item.onset_ev + max(_LEAST_SUMMED_EV, _SUMMED * item.onset_ev)
    later = [onset for onset in onsets if onset >= item.onset_ev + _LEAST_SUMMED_EV]
    return item.onset_ev, min([end, last_ev, *later])


def _core_loss(
    spectrum: xr.DataArray,
    energy: np.ndarray,
    item: Edge,
    window_ev: tuple[float, float],
    neighbourhood_px: float,
) -> tuple[np.ndarray, float]:
    """Core loss of one edge at each pixel, and the median exponent of its background."""
    start = max(_FIT_FROM * item.onset_ev, float(energy[0]))
    fit = channels(energy, start, _FIT_TO * item.onset_ev)
    if fit.stop - fit.start < 4:
        raise CalibrationError(
            f"{item}: {fit.stop - fit.start} channels before the edge are too few to fit the "
            "background on: name another edge or leave the element out"
        )
    middle = (fit.start + fit.stop) // 2
    halves = (slice(fit.start, middle), slice(middle, fit.stop))
    summed = channels(energy, *window_ev)
    lower, upper, gross = window_sums(spectrum, [*halves, summed])
    exponent = _exponents(energy, halves, *smoothed(np.stack([lower, upper]), neighbourhood_px))
    ratios = _power_sums(energy[summed]) / _power_sums(energy[fit])
    background = (lower + upper) * np.interp(exponent, _EXPONENTS, ratios)
    return gross - background, float(np.median(exponent))


def _exponents(
    energy: np.ndarray, halves: tuple[slice, slice], lower: np.ndarray, upper: np.ndarray
) -> np.ndarray:
    """Exponent r whose power law shares the counts so between the two halves.

    Where neighbourhoods hold nothing the exponent is that of the whole image.
    """
    first, second = (_power_sums(energy[half]) for half in halves)
    shares = first / (first + second)
    both = lower + upper
    of_all = lower.sum() / both.sum() if both.sum() > 0 else shares[0]
    usable = (lower > 0) & (upper > 0)
    share = np.where(usable, lower, of_all) / np.where(usable, both, 1.0)
    return np.interp(share, shares, _EXPONENTS)


def _power_sums(energy: np.ndarray) -> np.ndarray:
    """Sum of E^−r over channels, E in keV, for each tabulated exponent."""
    return np.asarray(((energy[None, :] / 1000) ** -_EXPONENTS[:, None]).sum(axis=1))
