"""Element maps by exSpy's lines and windows, where exSpy is installed (`crewe[exspy]`)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.chemistry.checks import element_symbol
from crewe.chemistry.spectra import ElementMaps, as_maps, energies_ev, smoothed
from crewe.errors import CreweError, SpecimenError

if TYPE_CHECKING:
    import xarray as xr

_UNKNOWN_BEAM_ENERGY_KEV = 200.0


def element_maps_by_exspy(
    spectrum: xr.DataArray,
    elements: Sequence[str],
    lines: Mapping[str, str] | None = None,
    *,
    neighbourhood_px: float = 3.0,
) -> ElementMaps:
    """Count X-ray lines as exSpy does: its lines, its ± 1 FWHM windows, its background windows.

    As `crewe.chemistry.element_maps` for EDX; lines that `lines` does not name are exSpy's
    choice, the hardest below half the beam's energy. The background is exSpy's mean of a window
    on either side, averaged over a Gaussian neighbourhood. Raises CreweError when exSpy is not
    installed, PlanError for an unknown element, SpecimenError for one without a line.
    """
    signal = _signal(spectrum)
    names = _lines(signal, [element_symbol(element) for element in elements], lines or {})
    windows = signal.estimate_integration_windows(windows_width=2.0, xray_lines=names)
    beside = signal.estimate_background_windows(line_width=[2, 2], xray_lines=names)
    how = {"xray_lines": names, "integration_windows": windows}
    gross = _intensities(signal.get_lines_intensity(**how))
    net = _intensities(signal.get_lines_intensity(**how, background_windows=beside))
    background = np.maximum(smoothed(gross - net, neighbourhood_px), 0.0)
    whole = bool(np.all(gross == np.rint(gross)) and np.all(gross >= 0))
    symbols = [name.split("_")[0] for name in names]
    return ElementMaps(
        maps=as_maps(gross, spectrum, symbols, counts=whole, signal="EDX gross counts"),
        background=as_maps(background, spectrum, symbols, signal="EDX mean background counts"),
        are_counts=whole,
        lines={name.split("_")[0]: name.split("_")[1] for name in names},
        windows_ev={
            symbol: (1000.0 * float(window[0]), 1000.0 * float(window[1]))
            for symbol, window in zip(symbols, windows, strict=True)
        },
        remarks=("lines and windows by exSpy",),
    )


def _exspy() -> Any:
    try:
        return importlib.import_module("exspy")
    except ImportError as error:
        raise CreweError(
            "exSpy is not installed: pip install 'crewe[exspy]', or use element_maps"
        ) from error


def _signal(spectrum: xr.DataArray) -> Any:
    """Make exSpy's spectrum image, energies in keV and binned, so that sums are counts."""
    energy = energies_ev(spectrum) / 1000.0
    axes = [
        {"name": dim, "size": size, "navigate": True}
        for dim, size in zip(("y", "x"), spectrum.shape[:2], strict=True)
    ]
    step = float(energy[-1] - energy[0]) / (energy.size - 1)
    axes.append(
        {
            "name": "Energy",
            "size": energy.size,
            "scale": step,
            "offset": float(energy[0]),
            "units": "keV",
            "navigate": False,
            "is_binned": True,
        }
    )
    signal = _exspy().signals.EDSTEMSpectrum(np.asarray(spectrum.data), axes=axes)
    beam_energy = spectrum.attrs.get("beam_energy_kev", _UNKNOWN_BEAM_ENERGY_KEV)
    signal.set_microscope_parameters(beam_energy=float(beam_energy), energy_resolution_MnKa=130.0)
    return signal


def _lines(signal: Any, symbols: Sequence[str], named: Mapping[str, str]) -> list[str]:
    """Names like 'Fe_Ka' in the order of the elements, those not named by exSpy's choice."""
    signal.set_elements(list(symbols))
    signal.set_lines([], only_one=True, only_lines=("a",))
    chosen = {name.split("_")[0]: name for name in signal.metadata.Sample.xray_lines}
    for element, line in named.items():
        chosen[element_symbol(element)] = f"{element_symbol(element)}_{line.split('_')[-1]}"
    missing = [symbol for symbol in symbols if symbol not in chosen]
    if missing:
        raise SpecimenError(f"exSpy finds no X-ray line of {', '.join(missing)} in the spectra")
    return [chosen[symbol] for symbol in dict.fromkeys(symbols)]


def _intensities(signals: Sequence[Any]) -> np.ndarray:
    return np.stack([np.asarray(signal.data, dtype=np.float64) for signal in signals])
