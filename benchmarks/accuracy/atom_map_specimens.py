"""Images of atoms whose positions are known, for the atom maps."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.spatial import KDTree

from crewe import axes
from crewe.physics.optics import Optics
from crewe.simulation.linear import linear_image_of
from crewe.specimens.cloud import AtomCloud
from crewe.specimens.half_spaces import HalfSpaces
from crewe.specimens.named import named_crystal
from crewe.specimens.particles import faceted_particle, sphere, wulff_shape
from crewe.specimens.projection import columns_of
from crewe.specimens.shapes import wedge

PIXEL = 0.15
SIZE = 256
FIELD = PIXEL * SIZE
PROBE_SIGMA, VIBRATION = 0.42, 0.07
"""The probe's FWHM is 1 Å."""
RIM = 8.0
"""How far a crystal goes on beyond the field, so that its border is no surface."""
DARK_ELECTRONS = 0.1
"""Per pixel and at any dose, as of a detector."""
GAP_DEG = 150
"""A column with so wide an angle free of neighbours stands at the surface."""


@dataclass(frozen=True)
class Known:
    """A noise-free image and the columns that it shows."""

    clean: np.ndarray
    positions: np.ndarray
    """(columns, 2), x and y in Å from the centre of pixel (0, 0)."""
    surface: np.ndarray
    """(columns,): whether a column stands at the surface."""
    pixel: float = PIXEL

    def image(self, values: np.ndarray) -> xr.DataArray:
        """Return values as a calibrated image."""
        return axes.calibrated_image(np.asarray(values, dtype=float), self.pixel)


def platinum_110(seed: int) -> Known:
    """A truncated octahedron of platinum seen along [110], turned and placed at random."""
    rng = np.random.default_rng((110, seed))
    shape: HalfSpaces = wulff_shape({(1, 0, 0): 14.5, (1, 1, 1): 13.0})
    turned = float(rng.uniform(0, 360))
    cloud = faceted_particle("Pt", (1, 1, 0), shape, (FIELD, FIELD, FIELD), turned)
    return _seen(cloud.moved((*rng.uniform(-0.5, 0.5, 2), 0.0)))


def platinum_sphere(seed: int) -> Known:
    """A sphere of platinum along [001], whose outermost columns are single atoms."""
    rng = np.random.default_rng((1, seed))
    turned, centre = float(rng.uniform(0, 360)), rng.uniform(-0.5, 0.5, 3)
    cloud = sphere("Pt", (0, 0, 1), 30.0, (FIELD, FIELD, FIELD), turned, tuple(centre))
    return _seen(cloud)


def silicon_wedge(seed: int) -> Known:
    """Dumbbells of silicon along [110] that thin out to an edge."""
    rng = np.random.default_rng((14, seed))
    box = (FIELD + 2 * RIM, FIELD + 2 * RIM, 60.0)
    cloud = named_crystal("Si", (1, 1, 0), box, float(rng.uniform(0, 360)))
    cut = wedge(box, 70.0, float(rng.uniform(0, 360)), start=0.3)
    return _seen(cut.cut(cloud).moved((-RIM, -RIM, 0.0)))


def srtio3_multislice(folder: Path, configurations: int = 4) -> tuple[Known, np.ndarray]:
    """Figure 7 of the paper: SrTiO3 [001] by multislice, 78 Å thick; and the oxygen columns.

    200 keV, 20 mrad, 80 Å underfocus, C3 0.0257 mm, 98 to 196 mrad. The finished image is kept in
    the folder. Raises CreweError without abTEM.
    """
    cells, parts = 6, 40
    a = 3.905
    pixel = a / parts
    stored = folder / f"srtio3-{configurations}.npy"
    if not stored.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(stored, _one_cell_srtio3(a, pixel, configurations))
    clean = np.tile(np.load(stored), (cells, cells))
    steps = np.arange(cells + 1) * a
    corner = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    metal = np.concatenate([corner, corner + a / 2])
    oxygen = np.concatenate([corner + np.array(half) for half in ((a / 2, 0), (0, a / 2))])
    shown = (metal < cells * a - pixel / 2).all(axis=1)
    return Known(clean, metal[shown], np.zeros(shown.sum(), bool), pixel), oxygen


def _one_cell_srtio3(a: float, pixel: float, configurations: int) -> np.ndarray:
    from ase import Atoms

    from crewe.simulation.multislice import AnnularDetector, MultisliceSettings, annular_image

    basis = {38: [(0, 0, 0)], 22: [(0.5, 0.5, 0.5)]}
    basis[8] = [(0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    numbers = [number for number, places in basis.items() for _ in places]
    places = a * np.array([place for group in basis.values() for place in group])
    cell = Atoms(numbers=numbers, positions=places, cell=[a, a, a], pbc=True)
    optics = Optics(200.0, 20.0, defocus_angstrom=80.0, c3_mm=0.0257, source_fwhm_angstrom=0.8)
    image = annular_image(
        cell.repeat((4, 4, 20)),
        optics,
        AnnularDetector(98, 196),
        pixel,
        np.random.default_rng(7),
        settings=MultisliceSettings(vibration_angstrom=0.08, configurations=configurations),
        repeats=(4, 4),
    )
    period = round(a / pixel)
    return image.values[:period, :period]


def _seen(cloud: AtomCloud) -> Known:
    """Image and columns of a specimen; columns outside the field are left out."""
    clean = linear_image_of(
        cloud.numbers,
        cloud.positions,
        (SIZE, SIZE),
        PIXEL,
        probe=PROBE_SIGMA,
        vibration_angstrom=VIBRATION,
    )
    columns = columns_of(cloud)
    positions = np.stack([columns.x, columns.y], axis=1)
    inside = ((positions > -PIXEL / 2) & (positions < FIELD - PIXEL / 2)).all(axis=1)
    surface = at_surface(positions)
    return Known(np.clip(clean, 0, None).astype(float), positions[inside], surface[inside])


def at_surface(positions: np.ndarray) -> np.ndarray:
    """Whether columns (n, 2) have an angle of more than 150° without a neighbour within 5 Å."""
    tree = KDTree(positions)
    found = np.zeros(len(positions), bool)
    for number, near in enumerate(tree.query_ball_point(positions, 5.0)):
        others = positions[[n for n in near if n != number]] - positions[number]
        angles = np.sort(np.degrees(np.arctan2(others[:, 1], others[:, 0])))
        if len(angles) < 2:
            found[number] = True
            continue
        found[number] = np.diff([*angles, angles[0] + 360]).max() > GAP_DEG
    return found


def at_psnr(known: Known, psnr_db: float, rng: np.random.Generator) -> xr.DataArray:
    """Poisson counts whose mean squared error is so far below the square of the brightest pixel."""
    counts = 10 ** (psnr_db / 10) * known.clean.mean() / known.clean.max() ** 2
    return known.image(rng.poisson(counts * known.clean))


def at_dose(known: Known, electrons: float, rng: np.random.Generator) -> xr.DataArray:
    """Poisson counts with so many electrons in a column on average, and dark counts."""
    scale = electrons * len(known.positions) / known.clean.sum()
    return known.image(rng.poisson(scale * known.clean + DARK_ELECTRONS))
