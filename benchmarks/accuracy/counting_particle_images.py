"""Multislice images of a platinum sphere and of the slabs that make its library.

The case of paper 004 (doi:10.1038/s41524-023-01188-0), Fig. 4: a sphere of 11 unit cells in
diameter along [100]. Every frozen configuration is kept on disk, so that a run can be stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from numpy.typing import NDArray
from scipy.ndimage import fourier_shift

from crewe.io.atomic import atomic_path
from crewe.physics.optics import Optics
from crewe.simulation.field import Field
from crewe.simulation.multislice import AnnularDetector, MultisliceSettings, annular_series

LATTICE_ANGSTROM = 3.9242
DIAMETER_CELLS = 11
PIXEL_ANGSTROM = LATTICE_ANGSTROM / 2 / 14
OPTICS = Optics(beam_energy_kev=300.0, semi_angle_mrad=20.0, source_fwhm_angstrom=0.7)
RING = AnnularDetector(60.0, 200.0)
LIBRARY_ATOMS = 13
MARGIN_ANGSTROM = 4.0
SETTINGS = MultisliceSettings(
    slice_thickness_angstrom=LATTICE_ANGSTROM / 2 + 1e-6,
    vibration_angstrom=0.0764,
    window_angstrom=8.0,
)
"""Frozen phonons of platinum at room temperature: B = 0.46 Å²."""


def sphere() -> Atoms:
    """Platinum atoms within the radius around an atom, centred in its box, beam along [001]."""
    cells = DIAMETER_CELLS + 4
    crystal = bulk("Pt", "fcc", a=LATTICE_ANGSTROM, cubic=True) * (cells, cells, cells)
    middle = crystal.positions[np.argmin(_distances(crystal, crystal.positions.mean(axis=0)))]
    kept = crystal[_distances(crystal, middle) <= DIAMETER_CELLS * LATTICE_ANGSTROM / 2]
    radius = np.ceil(DIAMETER_CELLS / 2) * LATTICE_ANGSTROM
    half = np.array([radius + MARGIN_ANGSTROM] * 2 + [radius + LATTICE_ANGSTROM / 4])
    kept.positions += half - middle
    kept.set_cell(2 * half)
    kept.pbc = False
    return kept


def _distances(atoms: Atoms, point: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.norm(atoms.positions - point, axis=1)


def slab() -> Atoms:
    """A crystal large enough across to hold the window, as thick as the library goes."""
    atoms = bulk("Pt", "fcc", a=LATTICE_ANGSTROM, cubic=True) * (4, 4, LIBRARY_ATOMS)
    atoms.positions[:, 2] += LATTICE_ANGSTROM / 4
    return atoms


def sphere_image(number: int) -> NDArray[np.float64]:
    """Image (y, x) of the sphere by one frozen configuration, in fractions of the beam."""
    atoms = sphere()
    side = int(np.ceil(atoms.cell[0, 0] / PIXEL_ANGSTROM))
    field = Field(origin=(0.0, 0.0), shape=(side, side), periodic=False)
    series = annular_series(
        atoms, OPTICS, [RING], PIXEL_ANGSTROM, _rng(number), settings=SETTINGS, field=field
    )
    return series.to_numpy()[0, 0]


def library_images(number: int) -> NDArray[np.float64]:
    """Images (thickness, y, x) of one cell of slabs of 1, 2, … atoms, by one configuration."""
    atoms = slab()
    series = annular_series(
        atoms,
        OPTICS,
        [RING],
        PIXEL_ANGSTROM,
        _rng(1000 + number),
        settings=SETTINGS,
        thicknesses_angstrom=LATTICE_ANGSTROM * np.arange(1, LIBRARY_ATOMS + 1),
        repeats=(4, 4),
    )
    return series.to_numpy()[:, 0]


def symmetrised(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the image's eight equivalent ones; the sphere's middle is then its middle pixel."""
    middle = sphere().cell[0, 0] / 2 / PIXEL_ANGSTROM
    whole = int(middle)
    shift = (whole - middle, whole - middle)
    moved = np.fft.ifft2(fourier_shift(np.fft.fft2(image), shift)).real
    moved = moved[: 2 * whole + 1, : 2 * whole + 1]
    turned = [np.rot90(moved, quarter) for quarter in range(4)]
    return np.mean(turned + [one.T for one in turned], axis=0)


def _rng(number: int) -> np.random.Generator:
    return np.random.default_rng([20261121, number])


def mean_image(kind: str, folder: Path, configurations: int) -> NDArray[np.float64]:
    """Mean over configurations, each of which is read from the folder or simulated into it."""
    simulate = {"sphere": sphere_image, "library": library_images}[kind]
    total: NDArray[np.float64] | None = None
    for number in range(configurations):
        path = folder / f"{kind}-{number:02d}.npy"
        if not path.exists():
            image = simulate(number)
            with atomic_path(path) as temporary, temporary.open("wb") as handle:
                np.save(handle, image)
            print(f"{path.name}: {image.shape}, mean {image.mean():.5f}", flush=True)
        one = np.load(path, allow_pickle=False)
        total = one if total is None else total + one
    assert total is not None
    return total / configurations


def main() -> None:
    """Simulate what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("sphere", "library"))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--configurations", type=int, default=8)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    mean_image(arguments.kind, arguments.folder, arguments.configurations)


if __name__ == "__main__":
    main()
