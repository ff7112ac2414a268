"""Reference images, patterns and waves by multislice with frozen phonons.

abTEM (J. Madsen and T. Susi, Open Res. Europe 1 (2021) 24, doi:10.12688/openreseurope.13015.2)
propagates the waves. The probe stands only at the Nyquist step of what the aperture lets into an
image, and need not see more of the specimen than a window around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from numpy.random import Generator

from crewe.physics.optics import Optics
from crewe.simulation.field import Field
from crewe.simulation.multislice_detectors import USUAL_RINGS, AnnularDetector, usual_detector
from crewe.simulation.multislice_phonons import (
    Progress,
    configuration_generator,
    phonon_series,
)
from crewe.simulation.multislice_run import prepare
from crewe.simulation.multislice_settings import MultisliceSettings
from crewe.simulation.multislice_waves import cbed, exit_wave

if TYPE_CHECKING:
    import xarray as xr
    from ase import Atoms

    from crewe.specimens.cloud import AtomCloud

__all__ = [
    "USUAL_RINGS",
    "AnnularDetector",
    "MultisliceSettings",
    "annular_image",
    "annular_series",
    "cbed",
    "configuration_generator",
    "exit_wave",
    "phonon_series",
    "usual_detector",
]


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
    Gaussian over the finished image. `rng` draws the displacements of one configuration after the
    other; those along the beam change nothing in projected slices and are left out. `progress`
    hears blocks of places done and all.

    Raises SpecimenError for atoms that cannot be put in a box, ImageError for none,
    CalibrationError for settings that contradict each other, CreweError without abTEM or without
    a GPU that was asked for.
    """
    run = prepare(
        atoms,
        optics,
        detectors,
        pixel_size_angstrom,
        settings,
        thicknesses_angstrom,
        field,
        repeats,
    )
    number = run.settings.configurations
    tick = _ticks(progress, number * len(run.blocks))
    total = run.samples(rng, tick)
    for _ in range(number - 1):
        total += run.samples(rng, tick)
    return run.calibrated(run.images(total / number), "multislice image")


def _ticks(progress: Progress | None, whole: int) -> Callable[[], None] | None:
    if progress is None:
        return None
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress(done, whole)

    return tick
