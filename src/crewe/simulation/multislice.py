"""Reference images by multislice with frozen phonons: the only door to abTEM.

J. Madsen and T. Susi, Open Res. Europe 1 (2021) 24, doi:10.12688/openreseurope.13015.2. abTEM makes
probes, propagates and detects them. The probe stands only at the Nyquist step of what the aperture
lets into an image, and need not see more of the specimen than a window around it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.axes import Axis, calibrated_array
from crewe.errors import CreweError
from crewe.physics.optics import ANGSTROM_PER_MM, Optics
from crewe.simulation.field import Field, choose_field
from crewe.simulation.multislice_potential import displaced_potential
from crewe.simulation.multislice_scan import (
    ScanAxis,
    interpolate,
    scan_axes,
    source_sigma_angstrom,
)
from crewe.simulation.multislice_settings import AnnularDetector, MultisliceSettings
from crewe.simulation.multislice_slab import Slab, make_slab

if TYPE_CHECKING:
    import xarray as xr
    from ase import Atoms

    from crewe.specimens.cloud import AtomCloud

__all__ = ["AnnularDetector", "MultisliceSettings", "annular_image", "annular_series"]

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]
# Probe places of one block share a window; more of them widen it, fewer cost more overhead.
BLOCK_PLACES = 5


@dataclass(frozen=True)
class _Run:
    """All that stays the same while the probe moves."""

    optics: Optics
    detectors: Sequence[AnnularDetector]
    settings: MultisliceSettings
    slab: Slab
    planes: Sequence[int]


def annular_image(
    atoms: Atoms | AtomCloud,
    optics: Optics,
    detector: AnnularDetector,
    pixel_size_angstrom: float,
    rng: Generator,
    **options: Any,
) -> xr.DataArray:
    """Image (y, x) of one detector at the exit of the specimen; all else as `annular_series`."""
    return annular_series(atoms, optics, [detector], pixel_size_angstrom, rng, **options)[-1, 0]


def annular_series(
    atoms: Atoms | AtomCloud,
    optics: Optics,
    detectors: Sequence[AnnularDetector],
    pixel_size_angstrom: float,
    rng: Generator,
    *,
    settings: MultisliceSettings | None = None,
    thicknesses_angstrom: Sequence[float] | None = None,
    field: Field | None = None,
    repeats: tuple[int, int] = (1, 1),
    progress: Progress | None = None,
) -> xr.DataArray:
    """Images (thickness, detector, y, x) in fractions of the beam, from one run.

    The beam enters at z = 0 of the specimen's cell and leaves at its end, or after each of
    `thicknesses_angstrom`, which are taken to the nearest slice. The image shows `field`, by
    default the cell's extent; pixel (0, 0) lies at its origin. A specimen that is periodic along x
    and y must have a box for a cell; its image may repeat `repeats` times along x and y within the
    cell, which then is scanned only once. Other specimens stand in vacuum. The source's size is a
    Gaussian over the finished image. `rng` draws the displacements; those along the beam change
    nothing in projected slices and are left out. `progress` hears blocks of places done and all.

    Raises SpecimenError for atoms that cannot be put in a box, ImageError for none,
    CalibrationError for settings that contradict each other, CreweError without abTEM.
    """
    settings = settings or MultisliceSettings()
    holder = _as_atoms(atoms)
    field = field or choose_field(holder, pixel_size_angstrom, None, 2.0, None)
    edges = np.diag(holder.cell.array)
    axes = scan_axes((edges[0], edges[1]), field, pixel_size_angstrom, optics, repeats)
    slab = make_slab(
        holder,
        field,
        (axes[0].span, axes[1].span),
        settings.potential_step(optics, detectors),
        settings.slice_thickness_angstrom,
        settings.window_angstrom,
    )
    run = _Run(optics, detectors, settings, slab, slab.planes(thicknesses_angstrom))
    samples = _mean_signal(run, axes, rng, progress)
    rows, columns = (pixel_size_angstrom * np.arange(size, dtype=float) for size in field.shape)
    images = interpolate(samples, axes, (rows, columns), source_sigma_angstrom(optics))
    return _calibrated(images, run, pixel_size_angstrom, field)


def _as_atoms(atoms: Atoms | AtomCloud) -> Atoms:
    from ase import Atoms

    return atoms if isinstance(atoms, Atoms) else atoms.to_atoms()


def _mean_signal(
    run: _Run, axes: tuple[ScanAxis, ScanAxis], rng: Generator, progress: Progress | None
) -> Array:
    """Signal (thickness, detector, y, x) at the places of the probe, mean over configurations."""
    abtem = _abtem()
    shape = (len(run.planes), len(run.detectors), axes[0].count, axes[1].count)
    total = np.zeros(shape)
    blocks = list(_blocks(axes, run.slab.window_points is not None))
    repeats = run.settings.configurations
    with abtem.config.set({"diagnostics.progress_bar": False}), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for done in range(repeats * len(blocks)):
            number = done % len(blocks)
            if number == 0:
                potential = displaced_potential(run.slab, run.settings.vibration_angstrom, rng)
            rows, columns = blocks[number]
            places = axes[0].places[rows], axes[1].places[columns]
            total[:, :, rows, columns] += _block_signal(abtem, run, potential, places)
            if progress is not None:
                progress(done + 1, repeats * len(blocks))
    return total / repeats


def _blocks(axes: tuple[ScanAxis, ScanAxis], windowed: bool) -> Iterator[tuple[slice, slice]]:
    size = BLOCK_PLACES if windowed else max(axis.count for axis in axes)
    for row in range(0, axes[0].count, size):
        for column in range(0, axes[1].count, size):
            yield slice(row, row + size), slice(column, column + size)


def _block_signal(
    abtem: Any, run: _Run, potential: NDArray[np.float32], places: tuple[Array, Array]
) -> Array:
    """Signal (thickness, detector, y, x) of a block of places (y, x) in Å from pixel (0, 0)."""
    part, origin, extent = run.slab.window(potential, places)
    y, x = np.meshgrid(places[0] - origin[1], places[1] - origin[0], indexing="ij")
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    specimen = abtem.potentials.iam.PotentialArray(
        part,
        slice_thickness=run.slab.slice_angstrom,
        extent=extent,
        exit_planes=tuple(run.planes),
    )
    probe = _probe(abtem, run.optics, extent, part.shape[1:])
    rings = [abtem.AnnularDetector(one.inner_mrad, one.outer_mrad) for one in run.detectors]
    # The waves of a batch, and about three times as much to work with.
    batch = max(1, int(run.settings.memory_mb * 1e6 / (part[0].size * 8 * 4)))
    signals = []
    for start in range(0, len(points), batch):
        scan = abtem.CustomScan(points[start : start + batch])
        found = probe.scan(scan=scan, potential=specimen, detectors=rings, lazy=False)
        found = found if isinstance(found, (list, tuple)) else [found]
        planes = [np.atleast_2d(one.array) for one in found]
        signals.append(np.stack(planes, axis=1))
    joined = np.concatenate(signals, axis=-1)
    return joined.reshape(len(run.planes), len(rings), *y.shape).astype(np.float64)


def _probe(abtem: Any, optics: Optics, extent: tuple[float, float], points: Any) -> Any:
    """AbTEM's probe of our optics; its coefficients are Krivanek's too, azimuths in rad."""
    coefficients = {
        "C10": -optics.defocus_angstrom,
        "C30": optics.c3_mm * ANGSTROM_PER_MM,
        "C50": optics.c5_mm * ANGSTROM_PER_MM,
    }
    for name in ("12", "21", "23", "32", "34"):
        coefficients[f"C{name}"] = getattr(optics, f"c{name}_angstrom")
        coefficients[f"phi{name}"] = math.radians(getattr(optics, f"phi{name}_deg"))
    return abtem.Probe(
        energy=optics.beam_energy_kev * 1e3,
        semiangle_cutoff=optics.semi_angle_mrad,
        extent=extent,
        gpts=tuple(points),
        aberrations=coefficients,
        device="cpu",
    )


def _abtem() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import abtem
    except ImportError as error:
        raise CreweError(
            "multislice simulations need abTEM, which is not installed: "
            "pip install 'crewe[multislice]'"
        ) from error
    return abtem


def _calibrated(images: Array, run: _Run, pixel_size: float, field: Field) -> xr.DataArray:
    axes = [Axis("thickness", unit="1"), Axis("detector", unit="1")]
    axes += [Axis("y", pixel_size, 0, "Å"), Axis("x", pixel_size, 0, "Å")]
    step = run.slab.slice_angstrom
    attrs = {
        "units": "fraction of beam",
        "model": "multislice",
        "origin_angstrom": [float(value) for value in field.origin],
        "vibration_angstrom": run.settings.vibration_angstrom,
        "configurations": run.settings.configurations,
        "slice_angstrom": step,
        "potential_step_angstrom": run.slab.step_angstrom,
    }
    result = calibrated_array(images, axes, "multislice image", attrs)
    depths = [(plane + 1) * step for plane in run.planes]
    names = [f"{one.inner_mrad:g}–{one.outer_mrad:g} mrad" for one in run.detectors]
    return result.assign_coords(
        thickness=("thickness", depths, {"units": "Å"}), detector=("detector", names)
    )
