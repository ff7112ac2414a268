"""The real sets that element maps are fused from: files, elements and what stands in for HAADF."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from crewe.chemistry.files import FusionInputs, open_fusion_inputs
from crewe.chemistry.registration import Registration, align


@dataclass(frozen=True)
class RealSet:
    """One file, how it is opened, and where in it the specimen is."""

    name: str
    file: str
    what: str
    open_with: dict[str, Any] = field(default_factory=dict)
    everywhere: bool = True
    """Whether the specimen fills the field; else it is where HAADF is bright."""
    inside_zip: str = ""


SETS = (
    RealSet(
        "Co3O4/Mn3O4",
        "Co3O4_Mn3O4.h5",
        "EELS maps and HAADF of core-shell oxides, 400 × 400 px",
        everywhere=False,
    ),
    RealSet(
        "FePt",
        "nist_bare_core.hspy",
        "EDX of FePt particles, 84 × 84 px; no HAADF, other X-rays stand in",
        {"haadf": "continuum", "technique": "edx"},
        everywhere=False,
    ),
    RealSet(
        "bridgmanite",
        "espm_88_ES-LP_G8.hspy",
        "EDX of bridgmanite and ferropericlase, 80 × 80 px; no HAADF, other X-rays stand in",
        {"haadf": "continuum", "elements": ["Mg", "Si", "Fe", "Al", "Ca"]},
    ),
    RealSet(
        "TiO2 on Si",
        "bcf_test_TEM.bcf",
        "EDX and HAADF in a Bruker file, 64 × 64 px, 4 counts a pixel",
        {"elements": ["Si", "O", "Ti"]},
    ),
    RealSet(
        "Velox EDX",
        "velox_emd_version11.zip",
        "EDX and HAADF in a Velox file, 16 × 16 px, 161 counts in all",
        inside_zip="Test SI 16x16 215 kx.emd",
    ),
    RealSet(
        "Velox EELS",
        "velox_EELS_EDS.zip",
        "core-loss maps and dark field in a Velox file, 20 × 16 px",
        inside_zip="example_velox_EELS_EDS.emd",
    ),
)


@dataclass(frozen=True)
class Opened:
    """A set, its elastic image laid on the maps, and the shift that did it."""

    real_set: RealSet
    inputs: FusionInputs
    haadf: Any
    registration: Registration

    @property
    def variants(self) -> dict[str, dict[str, Any]]:
        """Options of `fuse` by method: none, and Poisson for maps that are no counts."""
        found: dict[str, dict[str, Any]] = {"fused": {}}
        if not self.inputs.are_counts:
            found["fused, Poisson"] = {"likelihood": "poisson"}
        return found

    @property
    def inside(self) -> np.ndarray:
        """Pixels (y, x) of the specimen."""
        from skimage.filters import threshold_otsu

        image = np.asarray(self.haadf.values, float)
        if self.real_set.everywhere:
            return np.ones(image.shape, bool)
        return np.asarray(image > threshold_otsu(image))


def opened(folder: Path, names: list[str] | None = None) -> Iterator[Opened]:
    """Open each set of the folder in turn."""
    for real_set in SETS:
        if names and real_set.name not in names:
            continue
        with TemporaryDirectory() as unpacked:
            path = folder / real_set.file
            if real_set.inside_zip:
                with zipfile.ZipFile(path) as archive:
                    archive.extractall(unpacked)
                path = next(Path(unpacked).rglob(real_set.inside_zip))
            inputs = open_fusion_inputs(path, **real_set.open_with)
            haadf, found = align(inputs.haadf, inputs.maps)
            if real_set.open_with.get("haadf") == "continuum":
                # Of the same X-rays: there is no shift.
                haadf = inputs.haadf
            yield Opened(real_set, inputs, haadf, found)
