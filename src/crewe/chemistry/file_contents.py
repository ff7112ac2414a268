"""What the signals of one file are: elastic images, element maps or spectrum images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crewe.chemistry.checks import element_symbol
from crewe.chemistry.spectra import technique_of
from crewe.errors import CreweError, PlanError, ReadError
from crewe.io import SignalInfo, read

if TYPE_CHECKING:
    import xarray as xr

_ELASTIC_NAMES = ("haadf", "adf", "df", "bse", "stem")


class Contents:
    """The signals of a file, sorted into images, element maps and spectrum images."""

    def __init__(self, path: Path, signals: Sequence[SignalInfo], technique: str | None) -> None:
        self.path, self.technique = path, technique
        images = [info for info in signals if info.dims == ("y", "x") and min(info.shape) > 1]
        self.maps = [info for info in images if symbol_in(info.name)]
        self.images = [info for info in images if not symbol_in(info.name)]
        self.spectra = [info for info in signals if info.dims == ("y", "x", "energy")]
        self._known: dict[int, xr.DataArray] = {}

    def read(self, info: SignalInfo) -> xr.DataArray:
        """Read one signal, once."""
        if info.index not in self._known:
            self._known[info.index] = read(self.path, info.index)
        return self._known[info.index]

    def elements(self) -> list[str]:
        """Elements that the file names, by its maps or by the metadata of its spectra."""
        named = [symbol_in(info.name) for info in self.maps]
        for info in self.spectra:
            metadata = self.read(info).attrs.get("metadata", {})
            listed = metadata.get("Sample", {}).get("elements", ())
            named += [str(symbol) for symbol in np.atleast_1d(listed)]
        return list(dict.fromkeys(symbol for symbol in named if symbol))

    def cubes(self, technique: str) -> list[tuple[SignalInfo, xr.DataArray]]:
        """Spectrum images of a technique, without those that another one was asked for."""
        if self.technique not in (None, technique):
            return []
        cubes = []
        for info in self.spectra:
            cube = self.read(info)
            if self.technique == technique and len(self.spectra) == 1:
                cubes.append((info, cube))
                continue
            try:
                said = technique_of(cube)
            except CreweError:
                continue
            if said == technique:
                cubes.append((info, cube))
        return cubes


def symbol_in(name: str) -> str:
    """Element symbol that a signal is named after ('Fe', 'Fe Kα', 'Co-EELS'), or nothing."""
    words = re.split(r"[\s_\-]+", name.split("/")[-1].strip())
    for word in words[:1] + (words[1:2] if words[0].lower() == "map" else []):
        try:
            if word and element_symbol(word) == word:
                return word
        except PlanError:
            continue
    return ""


def best_elastic(found: Contents, shape: tuple[int, ...]) -> SignalInfo:
    """Prefer what is called HAADF, ADF or DF; a nameless image must have the maps' pixels."""

    def rank(info: SignalInfo) -> tuple[int, bool]:
        name = info.name.lower()
        named = [name_part in name for name_part in _ELASTIC_NAMES]
        return (named.index(True) if any(named) else len(named), info.shape != shape)

    usable = [info for info in found.images if rank(info) < (len(_ELASTIC_NAMES), True)]
    if not usable:
        raise ReadError(
            f"{found.path.name}: no elastic image beside the maps: name its signal, give one in "
            "another file, or take haadf='continuum' where there are X-ray spectra"
        )
    return min(usable, key=rank)
