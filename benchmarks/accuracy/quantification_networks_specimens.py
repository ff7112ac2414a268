"""The three specimens of the thesis, their multislice images, and where their columns are.

T. Friedrich, PhD thesis, University of Antwerp 2023, section 2.3.1, Table 2.1. Each phonon
configuration is kept on disk as soon as it is done, so that a run can be stopped and taken up.
"""

import dataclasses
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crewe.physics.optics import Optics
from crewe.recipes import child_generator
from crewe.simulation.field import Field
from crewe.simulation.multislice import AnnularDetector, MultisliceSettings, annular_series
from crewe.specimens.cloud import AtomCloud
from crewe.specimens.dislocation import edge_dislocation
from crewe.specimens.fill import fill_box
from crewe.specimens.minerals import mineral_crystal
from crewe.specimens.particles import sphere
from crewe.specimens.projection import columns_of

LATTICE = float(mineral_crystal("Pt").cell[0, 0])
VIBRATION = 0.068
"""Å along each axis at room temperature: a Debye–Waller factor B = 8π²u² of 0.37 Å²."""
BULK_CELLS = (2, 5, 10, 15, 25, 40, 55, 75)
"""Thicknesses of the bulk crystal in unit cells; the thesis has all from 2 to 75."""
SEED = 23


@dataclass(frozen=True)
class Case:
    """One specimen under one microscope."""

    name: str
    optics: Optics
    detector: AnnularDetector
    pixel_size: float
    """Å."""
    pixels: int
    """Edge of the square image."""
    settings: MultisliceSettings
    configurations: int
    """Phonon configurations; the thesis has 200."""

    @property
    def digest(self) -> str:
        """Eight digits that change with what is simulated, but not with how often."""
        asked = (dataclasses.replace(self, configurations=0), LATTICE, BULK_CELLS, SEED)
        return hashlib.sha256(repr(asked).encode()).hexdigest()[:8]


CASES = {
    case.name: case
    for case in (
        Case(
            "bulk",
            Optics(300, 21.1, 88.74, c3_mm=0.04, c5_mm=10, source_fwhm_angstrom=0.7),
            AnnularDetector(60, 190),
            0.15,
            256,
            MultisliceSettings(LATTICE / 2, VIBRATION),
            4,
        ),
        Case(
            "dislocation",
            Optics(300, 21.1, 88.74, c3_mm=0.04, c5_mm=10, source_fwhm_angstrom=0.7),
            AnnularDetector(60, 140),
            0.16,
            256,
            MultisliceSettings(2.41, VIBRATION, window_angstrom=10.0),
            2,
        ),
        Case(
            "particle",
            Optics(300, 21.0, 108.68, c3_mm=0.04, c5_mm=10, source_fwhm_angstrom=0.75),
            AnnularDetector(42, 140),
            0.12,
            400,
            MultisliceSettings(LATTICE / 2, VIBRATION, window_angstrom=10.0),
            2,
        ),
    )
}


@dataclass(frozen=True)
class Truth:
    """Noise-free images of a case and its columns."""

    case: Case
    images: np.ndarray
    """(thickness, y, x), fractions of the beam; one thickness but for the bulk crystal."""
    columns: np.ndarray
    """Places (x, y) in Å of the columns that lie in the image."""
    atoms: np.ndarray
    """(thickness, column) how many atoms stand in each."""


def specimen(case: Case) -> tuple[AtomCloud, Field]:
    """Return the atoms of a case and the field that its image shows."""
    return {"bulk": _bulk, "dislocation": _dislocation, "particle": _particle}[case.name](case)


def _bulk(case: Case) -> tuple[AtomCloud, Field]:
    """Four by four unit cells along [001], a column in the middle of each eighth."""
    quarter = LATTICE / 4
    box = (4 * LATTICE, 4 * LATTICE, max(BULK_CELLS) * LATTICE)
    cloud = fill_box(mineral_crystal("Pt"), box, None, (quarter, quarter, quarter))
    return cloud, Field((0.0, 0.0), (case.pixels, case.pixels), True)


def _dislocation(case: Case) -> tuple[AtomCloud, Field]:
    """Six unit cells along ⟨112⟩, the line in the middle of the field."""
    edge, period = 56.0, LATTICE * np.sqrt(1.5)
    # Cut between layers: on the border of a box rounding decides which atoms it holds.
    tall = edge_dislocation((edge, edge, 7 * period)).moved((0.0, 0.0, -period / 12))
    inside = (tall.positions[:, 2] > 0) & (tall.positions[:, 2] < 6 * period)
    cloud = AtomCloud(tall.numbers[inside], tall.positions[inside], (edge, edge, 6 * period))
    corner = 0.5 * (edge - (case.pixels - 1) * case.pixel_size)
    return cloud, Field((corner, corner), (case.pixels, case.pixels), False)


def _particle(case: Case) -> tuple[AtomCloud, Field]:
    """A sphere of eleven unit cells along [100], about an atom, its layers within slices."""
    edge = case.pixels * case.pixel_size
    cloud = sphere("Pt", (1, 0, 0), 11 * LATTICE, (edge, edge, 23 * LATTICE / 2))
    return cloud, Field((0.0, 0.0), (case.pixels, case.pixels), False)


def truth(case: Case, folder: Path, told: Callable[[str], None] = print) -> Truth:
    """Return the noise-free images of a case, simulating what the folder does not hold yet."""
    cloud, field = specimen(case)
    parts = [
        _configuration(case, cloud, field, n, folder, told) for n in range(case.configurations)
    ]
    places, atoms = _columns(case, cloud, field)
    images = np.mean(parts, axis=0)
    return Truth(case, symmetrised(images) if case.name == "particle" else images, places, atoms)


def symmetrised(images: np.ndarray) -> np.ndarray:
    """Return the mean over the eight images (..., y, x) that a fourfold axis and mirrors make.

    The sphere's axis stands in pixel n / 2 of n, an even number; the border is vacuum. Each
    configuration so counts as eight, without which thermal displacements, not noise, would decide
    how many atoms are counted right.
    """
    wide = np.pad(images, [(0, 0)] * (images.ndim - 2) + [(0, 1), (0, 1)], mode="edge")
    wide = 0.5 * (wide + wide.swapaxes(-1, -2))
    wide = 0.5 * (wide + wide[..., ::-1, :])
    wide = 0.5 * (wide + wide[..., ::-1])
    return wide[..., :-1, :-1]


def _configuration(
    case: Case, cloud: AtomCloud, field: Field, number: int, folder: Path, told: Callable
) -> np.ndarray:
    path = folder / f"{case.name}-{case.digest}" / f"{number:03d}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        start = time.process_time()
        images = _simulate(case, cloud, field, number)
        seconds = time.process_time() - start
        partial = path.with_name(f"partial-{path.name}")
        np.savez_compressed(partial, images=images.astype(np.float32), cpu_seconds=seconds)
        partial.rename(path)
        told(f"{case.name}: configuration {number + 1} of {case.configurations}, {seconds:.0f} s")
    with np.load(path) as stored:
        return stored["images"].astype(float)


def _simulate(case: Case, cloud: AtomCloud, field: Field, number: int) -> np.ndarray:
    atoms = cloud.to_atoms()
    atoms.pbc = field.periodic
    series = annular_series(
        atoms,
        case.optics,
        [case.detector],
        case.pixel_size,
        child_generator(SEED, list(CASES).index(case.name), number),
        settings=dataclasses.replace(case.settings, configurations=1),
        thicknesses_angstrom=_thicknesses(case),
        field=field,
        repeats=(8, 8) if case.name == "bulk" else (1, 1),
    )
    return series.isel(detector=0).values


def _thicknesses(case: Case) -> list[float] | None:
    return [cells * LATTICE for cells in BULK_CELLS] if case.name == "bulk" else None


def _columns(case: Case, cloud: AtomCloud, field: Field) -> tuple[np.ndarray, np.ndarray]:
    """Columns that lie in the image, and their atoms at each thickness."""
    edge = (case.pixels - 1) * case.pixel_size
    if case.name == "bulk":
        along = np.arange(LATTICE / 4, edge, LATTICE / 2)
        places = np.stack([axis.ravel() for axis in np.meshgrid(along, along)], axis=1)
        return places, np.repeat(np.array(BULK_CELLS)[:, None], len(places), axis=1)
    found = columns_of(cloud)
    places = np.stack([found.x, found.y], axis=1) - field.origin
    inside = ((places >= 0) & (places <= edge)).all(axis=1)
    return places[inside], found.atoms[inside][None]


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description="Simulate what the folder does not hold yet.")
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks/multislice"))
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    given = parser.parse_args()
    for count in range(1, 1 + max(case.configurations for case in CASES.values())):
        for case in (CASES[name] for name in given.cases):
            if count <= case.configurations:
                truth(dataclasses.replace(case, configurations=count), given.cache)
