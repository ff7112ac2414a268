"""One file that holds an elastic image and element maps or spectra, opened for fusion."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from crewe.chemistry.checks import element_symbol
from crewe.chemistry.edx import continuum_map
from crewe.chemistry.file_contents import Contents, best_elastic, symbol_in
from crewe.chemistry.grids import onto_grid
from crewe.chemistry.lines import edges
from crewe.chemistry.noise import is_counts
from crewe.chemistry.spectra import ElementMaps, element_maps, energies_ev
from crewe.errors import CreweError, ReadError, SpecimenError
from crewe.io import SignalInfo, list_signals, read

if TYPE_CHECKING:
    import xarray as xr

Source = Literal["auto", "spectra", "maps"]


@dataclass(frozen=True)
class FusionInputs:
    """An elastic image and element maps on one grid, and what was chosen in a file.

    `haadf` (y, x); `maps` by element symbol, (y, x) each; `background` likewise the mean
    background counts under them, None when there is none to know of; `are_counts` whether maps
    are Poisson counts; `remarks` say in sentences which signals these are and what is odd.
    """

    haadf: xr.DataArray
    maps: dict[str, xr.DataArray]
    background: dict[str, xr.DataArray] | None
    are_counts: bool
    remarks: tuple[str, ...]


def open_fusion_inputs(
    path: str | os.PathLike[str],
    elements: Sequence[str] | None = None,
    lines: Mapping[str, str] | None = None,
    *,
    haadf: str | int | None = None,
    source: Source = "auto",
    technique: Literal["edx", "eels"] | None = None,
) -> FusionInputs:
    """Open what a Velox, DigitalMicrograph, Bruker, HyperSpy or HDF5 file holds for a fusion.

    Counts come from an X-ray spectrum image where there is one and `elements` are given or the
    file names them; otherwise the stored maps are taken, images named after an element; last
    core loss from energy-loss spectra. `source` 'spectra' or 'maps' insists, `technique` on 'edx'
    or 'eels'. `haadf` is the elastic image's signal; 'continuum' sums all X-rays outside the
    lines' windows instead, for files without one. The image is brought onto the maps' grid, not
    shifted (see `crewe.chemistry.registration`). Raises ReadError when something is missing.
    """
    path = Path(path)
    found = Contents(path, list_signals(path), technique)
    wanted = [element_symbol(element) for element in elements] if elements else found.elements()
    taken = _from_spectra(found, wanted, lines, source, bool(elements))
    if taken is None:
        taken = _from_maps(found, wanted if elements else None)
    image, words = _elastic(found, haadf, taken)
    remarks = (words, *taken.remarks)
    return FusionInputs(image, taken.maps, taken.background, taken.are_counts, remarks)


class _Taken(NamedTuple):
    """Maps of one origin; `windows_ev` are those of X-ray lines."""

    maps: dict[str, xr.DataArray]
    background: dict[str, xr.DataArray] | None
    are_counts: bool
    remarks: tuple[str, ...]
    windows_ev: Mapping[str, tuple[float, float]]


def _from_spectra(
    found: Contents,
    elements: Sequence[str],
    lines: Mapping[str, str] | None,
    source: Source,
    asked: bool,
) -> _Taken | None:
    """Maps from the spectra, or None when the stored maps are to be taken."""
    if source == "maps" or not (found.spectra and elements):
        if source == "spectra":
            missing = "elements: name them" if found.spectra else "spectrum image"
            raise ReadError(f"{found.path.name}: no {missing}")
        return None
    edx = found.cubes("edx")
    if edx:
        info, cube = max(edx, key=lambda pair: pair[0].nbytes)
        held, words = _held_by(cube, elements, asked)
        taken = element_maps(cube, held, lines, technique="edx")
        if found.maps and source == "auto" and not taken.maps.any():
            return None
        return _as_inputs(info, taken, words)
    if found.maps and source == "auto" and not asked:
        return None
    return _from_energy_losses(found, elements, lines, asked)


def _held_by(
    cube: xr.DataArray, elements: Sequence[str], asked: bool
) -> tuple[list[str], list[str]]:
    """Elements whose line the spectra hold; one that was asked for is kept, to be refused."""
    from crewe.chemistry.line_choice import choose_lines

    energy = energies_ev(cube)
    held, words = [], []
    for symbol in elements:
        try:
            choose_lines([symbol], max(float(energy[0]), 100.0), float(energy[-1]))
        except SpecimenError as error:
            if not asked:
                words.append(f"{symbol} is named by the file but left out: {error}")
                continue
        held.append(symbol)
    return held, words


def _from_energy_losses(
    found: Contents, elements: Sequence[str], lines: Mapping[str, str] | None, asked: bool
) -> _Taken | None:
    """Core loss of each element from the spectrum image that holds its edge best."""
    maps: dict[str, xr.DataArray] = {}
    remarks: list[str] = []
    named = {element_symbol(key): value for key, value in (lines or {}).items()}
    for symbol in elements:
        for info, cube in found.cubes("eels"):
            line = {symbol: named[symbol]} if symbol in named else None
            try:
                taken = element_maps(cube, [symbol], line, technique="eels")
            except CreweError:
                continue
            maps[symbol] = taken.maps.isel(element=0, drop=True)
            remarks.append(f"{symbol} {taken.lines[symbol]} from signal {info.index} {info.name!r}")
            remarks += [remark for remark in taken.remarks if remark not in remarks]
            break
        else:
            known = ", ".join(map(str, edges(symbol))) or "none known"
            words = f"{found.path.name}: no spectrum image holds an edge of {symbol} ({known})"
            if asked:
                raise ReadError(words)
            remarks.append(words)
    return _Taken(maps, None, False, tuple(remarks), {}) if maps else None


def _as_inputs(info: SignalInfo, taken: ElementMaps, words: Sequence[str]) -> _Taken:
    layers = {str(e): taken.maps.sel(element=e, drop=True) for e in taken.maps.element.values}
    below = None
    if taken.background is not None:
        below = {e: taken.background.sel(element=e, drop=True) for e in layers}
    listed = ", ".join(f"{element} {line}" for element, line in taken.lines.items())
    counted = f"counts of {listed} from signal {info.index} {info.name!r}"
    remarks = (counted, *words, *taken.remarks)
    return _Taken(layers, below, taken.are_counts, remarks, taken.windows_ev)


def _from_maps(found: Contents, elements: Sequence[str] | None) -> _Taken:
    """The stored maps; of several of one element that which is not empty."""
    maps: dict[str, xr.DataArray] = {}
    remarks = []
    for info in found.maps:
        symbol = symbol_in(info.name)
        if elements is not None and symbol not in elements:
            continue
        layer = found.read(info)
        if symbol in maps and maps[symbol].values.any():
            remarks.append(f"a second map of {symbol}, {info.name!r}, was left out")
            continue
        maps[symbol] = layer
        remarks.append(f"{symbol} is the stored map {info.index} {info.name!r}")
    _check_maps(found, maps, elements)
    whole = all(is_counts(layer.values) for layer in maps.values())
    return _Taken(maps, None, whole, tuple(remarks), {})


def _check_maps(
    found: Contents, maps: Mapping[str, xr.DataArray], elements: Sequence[str] | None
) -> None:
    missing = [symbol for symbol in elements or () if symbol not in maps]
    if missing or not maps:
        have = ", ".join(repr(info.name) for info in (*found.maps, *found.images, *found.spectra))
        what = f"map of {', '.join(missing)}" if missing else "element map"
        hint = " Name the elements, to map them from its spectra." if found.spectra else ""
        raise ReadError(f"{found.path.name}: no {what} among {have or 'its signals'}.{hint}")
    shapes = {symbol: layer.shape for symbol, layer in maps.items()}
    if len(set(shapes.values())) > 1:
        raise ReadError(
            f"{found.path.name}: the maps have different pixels {shapes}: name the elements of "
            "those that belong together"
        )


def _elastic(found: Contents, wanted: str | int | None, taken: _Taken) -> tuple[xr.DataArray, str]:
    """The elastic image on the maps' grid, and which it is."""
    like = next(iter(taken.maps.values()))
    if wanted == "continuum":
        cubes = found.cubes("edx")
        if not cubes:
            raise ReadError(f"{found.path.name}: no X-ray spectrum image to sum a continuum of")
        info, cube = max(cubes, key=lambda pair: pair[0].nbytes)
        image = onto_grid(continuum_map(cube, taken.windows_ev), like)
        return image, f"in place of HAADF all other X-rays of signal {info.index} are taken"
    if wanted is not None:
        image = read(found.path, wanted, frame="mean")
        name = str(image.attrs.get("signal", wanted))
    else:
        info = best_elastic(found, like.shape)
        image, name = found.read(info), f"{info.index} {info.name!r}"
    frames = f", {image.attrs['frame']} frames" if "frame" in image.attrs else ""
    resized = "" if image.shape == like.shape else f", {image.shape} pixels brought to {like.shape}"
    return onto_grid(image, like), f"HAADF is signal {name}{frames}{resized}"
