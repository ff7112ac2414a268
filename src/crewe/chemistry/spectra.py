"""Element maps from a spectrum image: EDX line windows or EELS core loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crewe.axes.units import normalise_unit
from crewe.errors import CalibrationError, ImageError

if TYPE_CHECKING:
    import xarray as xr

Technique = Literal["edx", "eels"]
# Bytes of spectra looked at at once.
_BLOCK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class ElementMaps:
    """Maps of a spectrum image, what they were taken from and what is to be known about them.

    `maps` (element, y, x): EDX gross counts within each line's window, EELS core loss above the
    fitted background. `background` (element, y, x): mean background counts within the same
    windows, so that counts follow Poisson(element + background); None for EELS, where it is
    already subtracted. `are_counts` says whether maps may be taken as Poisson counts. `lines`
    and `windows_ev` give each element's line or edge and window; `remarks` are sentences.
    """

    maps: xr.DataArray
    background: xr.DataArray | None
    are_counts: bool
    lines: dict[str, str]
    windows_ev: dict[str, tuple[float, float]]
    remarks: tuple[str, ...]


def element_maps(
    spectrum: xr.DataArray,
    elements: Sequence[str],
    lines: Mapping[str, str] | None = None,
    *,
    technique: Technique | None = None,
    neighbourhood_px: float = 3.0,
    resolution_at_mn_ka_ev: float | None = None,
) -> ElementMaps:
    """Map elements by their X-ray lines or energy-loss edges.

    `spectrum` is (y, x, energy) with energies in eV, keV or meV by the units of its axis; it may
    be lazy. `lines` names lines or edges ({'Pt': 'La'}), others are chosen. `technique` is read
    off the file's signal type when None, the detector's resolution likewise, or 130 eV. How
    windows and backgrounds are laid is told in `edx_maps` and `core_loss_maps`. Raises
    CalibrationError for an axis without energies, ImageError for what is no spectrum image,
    PlanError for an unknown element, SpecimenError for one without a line in the range.
    """
    from crewe.chemistry.core_loss import core_loss_maps
    from crewe.chemistry.edx import edx_maps

    if not elements:
        raise ImageError("no element was named: give the symbols of those to map")
    kind = technique or technique_of(spectrum)
    if kind == "edx":
        resolution = resolution_at_mn_ka_ev or _resolution_of(spectrum)
        return edx_maps(
            spectrum,
            elements,
            lines,
            neighbourhood_px=neighbourhood_px,
            resolution_at_mn_ka_ev=resolution,
        )
    if kind == "eels":
        return core_loss_maps(spectrum, elements, lines, neighbourhood_px=neighbourhood_px)
    raise ImageError(f"technique {kind!r}: give 'edx' or 'eels'")


def _resolution_of(spectrum: xr.DataArray) -> float:
    """Resolution at Mn Ka that HyperSpy's metadata give, else 130 eV."""
    tree: Any = spectrum.attrs.get("metadata")
    for key in ("Acquisition_instrument", "TEM", "Detector", "EDS", "energy_resolution_MnKa"):
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    usable = isinstance(tree, int | float) and 80 <= tree <= 250
    return float(tree) if usable else 130.0


def technique_of(spectrum: xr.DataArray) -> Technique:
    """Tell EDX from EELS by what the file says. Raises ImageError when it says neither."""
    metadata = spectrum.attrs.get("metadata")
    signal = metadata.get("Signal", {}) if isinstance(metadata, Mapping) else {}
    said = f"{signal.get('signal_type', '')} {spectrum.name or ''}".lower()
    if "eels" in said:
        return "eels"
    if any(word in said for word in ("eds", "edx", "x-ray")):
        return "edx"
    if float(np.ptp(energies_ev(spectrum))) > 8000:
        return "edx"
    raise ImageError(
        f"the spectrum image {spectrum.name or ''!r} does not say what it is: "
        "give technique='edx' or 'eels'"
    )


def energies_ev(spectrum: xr.DataArray) -> np.ndarray:
    """Energies of the channels in eV, rising.

    Raises ImageError for what is no spectrum image, CalibrationError for an axis that has no
    unit of energy or does not rise.
    """
    if tuple(spectrum.dims) != ("y", "x", "energy"):
        raise ImageError(
            f"dims {tuple(spectrum.dims)} instead of ('y', 'x', 'energy'): give a spectrum image"
        )
    if spectrum.dtype.kind not in "uif":
        raise ImageError(f"spectra of type {spectrum.dtype}: give real numbers")
    coordinate = spectrum.coords.get("energy")
    unit = None if coordinate is None else coordinate.attrs.get("units")
    factor, name = normalise_unit(unit)
    if coordinate is None or name != "eV":
        raise CalibrationError(
            f"the energy axis is in {unit or 'no unit'}: assign energies with units 'eV' or 'keV'"
        )
    values = np.asarray(coordinate.values, dtype=np.float64) * factor
    if values.size < 8 or not np.all(np.diff(values) > 0):
        raise CalibrationError("the energies of the channels must rise, over 8 channels or more")
    return values


def channels(energy_ev: np.ndarray, low_ev: float, high_ev: float) -> slice:
    """Channels whose centre lies from `low_ev` to `high_ev`."""
    first, last = np.searchsorted(energy_ev, (low_ev, high_ev))
    if last < energy_ev.size and energy_ev[last] == high_ev:
        last += 1
    return slice(int(first), int(last))


def window_sums(spectrum: xr.DataArray, windows: Sequence[slice]) -> np.ndarray:
    """Sum each window of channels at each pixel, as (window, y, x) float64, in blocks of rows."""
    height, width, depth = spectrum.shape
    sums = np.empty((len(windows), height, width))
    rows = max(1, _BLOCK_BYTES // max(width * depth * spectrum.dtype.itemsize, 1))
    for start in range(0, height, rows):
        block = np.asarray(spectrum.data[start : start + rows])
        for index, window in enumerate(windows):
            # Small integers would overflow in their own type.
            sums[index, start : start + rows] = block[..., window].sum(axis=-1, dtype=np.float64)
    return sums


def summed_spectrum(spectrum: xr.DataArray) -> np.ndarray:
    """Spectrum of the whole image, in blocks of rows."""
    height, width, depth = spectrum.shape
    rows = max(1, _BLOCK_BYTES // max(width * depth * spectrum.dtype.itemsize, 1))
    total = np.zeros(depth)
    for start in range(0, height, rows):
        block = np.asarray(spectrum.data[start : start + rows])
        total += block.sum(axis=(0, 1), dtype=np.float64)
    return total


def as_maps(values: np.ndarray, like: xr.DataArray, elements: Sequence[str], **attrs: Any) -> Any:
    """Put (element, y, x) values on a spectrum image's grid, named by element."""
    import xarray as xr

    coords = {"element": list(elements)}
    coords.update({dim: like.coords[dim] for dim in ("y", "x") if dim in like.coords})
    kept = {key: like.attrs[key] for key in ("beam_energy_kev", "source") if key in like.attrs}
    return xr.DataArray(values, dims=("element", "y", "x"), coords=coords, attrs={**kept, **attrs})


def smoothed(maps: np.ndarray, sigma_px: float) -> np.ndarray:
    """Average each map over a Gaussian neighbourhood; the border is mirrored."""
    from scipy.ndimage import gaussian_filter

    if not math.isfinite(sigma_px) or sigma_px < 0:
        raise ImageError(f"neighbourhood_px {sigma_px}: give 0 or more pixels")
    return gaussian_filter(maps, (0, sigma_px, sigma_px), mode="reflect")
