"""Element maps from X-ray spectra: gross counts of a line, and the background under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from crewe.chemistry.line_choice import SOFTEST_LINE_EV, choose_lines
from crewe.chemistry.lines import XrayLine, x_ray_lines, x_ray_resolution_ev
from crewe.chemistry.noise import is_counts
from crewe.chemistry.spectra import (
    ElementMaps,
    as_maps,
    channels,
    energies_ev,
    smoothed,
    summed_spectrum,
    window_sums,
)

if TYPE_CHECKING:
    import xarray as xr

# In units of the line's full width at half maximum.
_HALF_WINDOW = 1.0
_NEAREST, _FARTHEST, _STEP = 1.25, 8.0, 0.25
_OTHER_LINES_AWAY = 1.0
_NOTED_WEIGHT = 0.1
# The tail of the noise peak reaches up to here.
_SOFTEST_BACKGROUND_EV = 200.0
# Below, carbon and oxygen of support and contamination make most of the counts.
_SOFTEST_CONTINUUM_EV = 1000.0
_CANDIDATES = 13
_CLEARLY_LESS = 0.8


def edx_maps(
    spectrum: xr.DataArray,
    elements: Sequence[str],
    lines: Mapping[str, str] | None = None,
    *,
    neighbourhood_px: float = 3.0,
    resolution_at_mn_ka_ev: float = 130.0,
) -> ElementMaps:
    """Count each element's line within ± 1 FWHM (98 % of it) and tell the background there.

    The FWHM follows from the detector's at Mn Ka. The background is the line between the mean
    counts in a window of 1 FWHM on either side, averaged over a Gaussian neighbourhood of
    `neighbourhood_px`: with 3 px its variance is about 1 % of the counts'. Windows start 1.25
    FWHM away and stay 1 FWHM clear of all lines of the listed elements; where one holds clearly
    more counts than another within 3 FWHM, it holds a line of an element that is not listed, and
    the emptiest is taken.
    Counts are never subtracted nor interpolated. Errors are those of `element_maps`.
    """
    energy = energies_ev(spectrum)
    low = max(float(energy[0]), SOFTEST_LINE_EV)
    chosen = choose_lines(elements, low, float(energy[-1]), lines, resolution_at_mn_ka_ev)
    total = summed_spectrum(spectrum)
    layout = [
        _Layout(line, chosen.lines, energy, total, resolution_at_mn_ka_ev)
        for line in chosen.lines.values()
    ]
    windows = [window for item in layout for window in (item.window, *item.beside)]
    sums = iter(window_sums(spectrum, windows))
    gross, background = np.empty((2, len(layout), *spectrum.shape[:2]))
    for index, item in enumerate(layout):
        gross[index] = next(sums)
        beside = [next(sums) for _ in item.beside]
        background[index] = _background(item, beside, neighbourhood_px)
    remarks = list(chosen.remarks)
    for item, counts, below in zip(layout, gross, background, strict=True):
        remarks += _remarks(item, float(counts.sum()), float(below.sum()))
    whole = is_counts(gross)
    if not whole:
        remarks.append("the spectra hold no whole counts: they were filtered or scaled before")
    symbols = list(chosen.lines)
    return ElementMaps(
        maps=as_maps(gross, spectrum, symbols, counts=whole, signal="EDX gross counts"),
        background=as_maps(background, spectrum, symbols, signal="EDX mean background counts"),
        are_counts=whole,
        lines={symbol: line.name for symbol, line in chosen.lines.items()},
        windows_ev={item.line.element: item.window_ev for item in layout},
        remarks=tuple(remarks),
    )


def continuum_map(
    spectrum: xr.DataArray, windows_ev: Mapping[str, tuple[float, float]] | None = None
) -> xr.DataArray:
    """All counts from 1 keV up, but those within `windows_ev`, an image of mass and thickness.

    A stand-in (y, x) where no elastic image was recorded. Without the windows of the element
    maps it holds none of their counts, and its noise is independent of theirs.
    """
    energy = energies_ev(spectrum)
    inside = energy >= max(_SOFTEST_CONTINUUM_EV, float(energy[0]))
    for low, high in (windows_ev or {}).values():
        inside[channels(energy, low, high)] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(np.int8), [0]])))
    parts = [slice(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
    counts = window_sums(spectrum, parts).sum(axis=0, keepdims=True)
    image = as_maps(counts, spectrum, ["all"], signal="X-ray counts outside the lines' windows")
    return image.isel(element=0, drop=True).rename("X-rays")


class _Layout:
    """Channels of a line's window and of the windows that its background is read in."""

    def __init__(
        self,
        line: XrayLine,
        chosen: Mapping[str, XrayLine],
        energy: np.ndarray,
        total: np.ndarray,
        resolution: float,
    ) -> None:
        self.line, self.energy = line, energy
        width = x_ray_resolution_ev(line.energy_ev, resolution)
        half = _HALF_WINDOW * width
        self.window_ev = (line.energy_ev - half, line.energy_ev + half)
        self.window = channels(energy, *self.window_ev)
        sides = (_side(line, side, width, chosen, energy, total, resolution) for side in (-1, 1))
        self.beside = [window for window in sides if window is not None]


def _side(
    line: XrayLine,
    side: int,
    width: float,
    chosen: Mapping[str, XrayLine],
    energy: np.ndarray,
    total: np.ndarray,
    resolution: float,
) -> slice | None:
    """Find the background window on one side: near and clear of lines."""
    clear = []
    for away in np.arange(_NEAREST, _FARTHEST, _STEP):
        near, far = line.energy_ev + side * away * width, line.energy_ev + side * (away + 1) * width
        low, high = min(near, far), max(near, far)
        if low < max(energy[0], _SOFTEST_BACKGROUND_EV) or high > energy[-1]:
            break
        window = channels(energy, low, high)
        if window.stop > window.start and _is_clear(low, high, chosen, resolution):
            clear.append(window)
    return _emptiest(clear[:_CANDIDATES], total)


def _emptiest(clear: Sequence[slice], total: np.ndarray) -> slice | None:
    """The nearest window, or one that holds clearly less: the nearest then holds a line."""
    if not clear:
        return None
    least = min(clear, key=lambda window: total[window].mean())
    level, lower = total[clear[0]].mean(), total[least].mean()
    noise = np.sqrt(level / (clear[0].stop - clear[0].start))
    return least if lower < _CLEARLY_LESS * level - 4 * noise else clear[0]


def _is_clear(low: float, high: float, chosen: Mapping[str, XrayLine], resolution: float) -> bool:
    for element in chosen:
        for other in x_ray_lines(element):
            away = _OTHER_LINES_AWAY * x_ray_resolution_ev(other.energy_ev, resolution)
            if other.weight >= _NOTED_WEIGHT and low - away < other.energy_ev < high + away:
                return False
    return True


def _background(
    item: _Layout, beside: Sequence[np.ndarray], neighbourhood_px: float
) -> np.ndarray | float:
    """Mean background counts in the line's window at each pixel."""
    if not beside:
        return 0.0
    sums = smoothed(np.stack(beside), neighbourhood_px)
    sizes = [window.stop - window.start for window in item.beside]
    levels = [counts / size for counts, size in zip(sums, sizes, strict=True)]
    size = item.window.stop - item.window.start
    if len(levels) == 1:
        return size * levels[0]
    centre, left, right = (float(item.energy[part].mean()) for part in (item.window, *item.beside))
    share = (centre - left) / (right - left)
    return size * ((1 - share) * levels[0] + share * levels[1])


def _remarks(item: _Layout, counts: float, background: float) -> list[str]:
    line = item.line
    if not item.beside:
        return [f"{line}: no room for a background window beside it, none was taken"]
    words = []
    if len(item.beside) == 1:
        words.append(f"{line}: background read on one side only")
    if counts < background + 4 * np.sqrt(background) + 4:
        words.append(
            f"{line}: {counts:.0f} counts over a background of {background:.0f}: "
            f"no {line.element} is seen"
        )
    return words
