"""Diffraction patterns of a standing probe, and waves at the exit of a specimen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from crewe.axes import Axis, calibrated_array
from crewe.errors import CalibrationError
from crewe.physics.electron import wavelength_angstrom
from crewe.physics.optics import Optics
from crewe.simulation import multislice_abtem as door
from crewe.simulation.field import Field, choose_field
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.simulation.multislice_phonons import Seed, configuration_generator
from crewe.simulation.multislice_run import as_atoms
from crewe.simulation.multislice_settings import MultisliceSettings
from crewe.simulation.multislice_slab import OPEN_MARGIN_ANGSTROM, Slab, make_slab
from crewe.simulation.multislice_transmission import transmission_functions

if TYPE_CHECKING:
    import xarray as xr
    from ase import Atoms

    from crewe.specimens.cloud import AtomCloud

Pair = tuple[float, float]


def cbed(
    atoms: Atoms | AtomCloud,
    optics: Optics,
    place: Pair,
    *,
    outer_mrad: float = 100.0,
    extent_angstrom: float = 20.0,
    settings: MultisliceSettings | None = None,
    seed: Seed = 0,
) -> xr.DataArray:
    """Diffraction pattern (ky, kx) with the probe at `place` (x, y) in Å, in parts of the beam.

    The undiffracted beam is at k = 0, ky points down, kx right, both in 1/Å; `mrad_per_pixel`
    (ky, kx) is in the attributes. The pattern is the mean over the frozen phonons' configurations
    of `seed`, as in `phonon_series`, and reaches `outer_mrad` along both axes; what is scattered
    further is missing in its sum. A pixel is the inverse of the simulated box: the cell of a
    periodic specimen, else a square of `extent_angstrom` around the place. The cores of atoms are
    resolved whatever the fidelity, and windows are not used.

    Raises CalibrationError for a source with a size, which no single pattern has, and what
    `annular_series` raises.
    """
    settings = settings or MultisliceSettings()
    slab, field = _slab(atoms, optics, place, outer_mrad, extent_angstrom, settings)
    total = np.zeros(slab.points)
    for wave in _probe_waves(slab, field, optics, place, settings, seed):
        total += door.on_cpu(door.pattern_of(wave))[0]
    pattern = scipy.fft.fftshift(total.T / settings.configurations)
    steps = [1 / float(slab.steps[axis] * slab.points[axis]) for axis in (1, 0)]
    centre = [size // 2 for size in pattern.shape]
    reach = [int(outer_mrad * 1e-3 / optics.wavelength / step + 1e-6) for step in steps]
    rows, columns = (slice(max(0, c - r), c + r + 1) for c, r in zip(centre, reach, strict=True))
    pattern = pattern[rows, columns]
    firsts = [(max(0, c - r) - c) * step for c, r, step in zip(centre, reach, steps, strict=True)]
    axes = [
        Axis(name, step, first, "1/Å")
        for name, step, first in zip(("ky", "kx"), steps, firsts, strict=True)
    ]
    attrs = _attributes(settings, optics.beam_energy_kev, slab) | {
        "units": "fraction of beam",
        "semi_angle_mrad": optics.semi_angle_mrad,
        "place_angstrom": [float(value) for value in place],
        "mrad_per_pixel": [step * optics.wavelength * 1e3 for step in steps],
    }
    return calibrated_array(pattern, axes, "CBED pattern", attrs)


def exit_wave(
    atoms: Atoms | AtomCloud,
    *,
    beam_energy_kev: float | None = None,
    optics: Optics | None = None,
    place: Pair | None = None,
    outer_mrad: float = 100.0,
    extent_angstrom: float = 20.0,
    settings: MultisliceSettings | None = None,
    seed: Seed = 0,
) -> xr.DataArray:
    """Complex wave (configuration, y, x) at the end of the specimen's cell.

    Give `beam_energy_kev` for a plane wave along z, which is 1 in vacuum, or `optics` and `place`
    (x, y) in Å for a probe, whose intensity sums to 1. y and x are positions of atoms in Å. A plane
    wave fills the cell of a periodic specimen, else the specimen and 5 Å around it; for a probe the
    box is that of `cbed`. Waves exp(+2πi k·r) as in docs/conventions.md; scattering beyond
    `outer_mrad` may be missing. One wave for each of the settings' phonon configurations of `seed`,
    as in `phonon_series`.

    Raises CalibrationError for anything but one of both beams, a source with a size, and what
    `annular_series` raises.
    """
    settings = settings or MultisliceSettings()
    if optics is not None and place is not None and beam_energy_kev is None:
        energy = optics.beam_energy_kev
        slab, field = _slab(atoms, optics, place, outer_mrad, extent_angstrom, settings)
        waves = _probe_waves(slab, field, optics, place, settings, seed)
    elif beam_energy_kev is not None and optics is None and place is None:
        energy = beam_energy_kev
        slab, field = _whole_slab(atoms, energy, outer_mrad, settings)
        plane = np.ones((1, *slab.points), np.complex64)
        waves = _sent(slab, energy, plane, settings, seed)
    else:
        raise CalibrationError(
            "an exit wave needs beam_energy_kev for a plane wave, or optics and place for a probe"
        )
    found = np.stack([door.on_cpu(wave)[0].T for wave in waves])
    corner = np.array(field.origin) + slab.corner
    axes = [Axis("configuration", unit="1")]
    axes += [Axis("y", float(slab.steps[1]), float(corner[1]), "Å")]
    axes += [Axis("x", float(slab.steps[0]), float(corner[0]), "Å")]
    return calibrated_array(found, axes, "exit wave", _attributes(settings, energy, slab))


def _slab(
    atoms: Atoms | AtomCloud,
    optics: Optics,
    place: Pair,
    outer_mrad: float,
    extent_angstrom: float,
    settings: MultisliceSettings,
) -> tuple[Slab, Field]:
    """Box around a place, or the cell of a periodic specimen."""
    if optics.source_fwhm_angstrom:
        raise CalibrationError(
            "a source with a size is no single wave: simulate with source_fwhm_angstrom=0 and "
            "average patterns of neighbouring places"
        )
    holder = as_atoms(atoms)
    field = choose_field(holder, 1.0, (1, 1), 0.0, None)
    if not field.periodic:
        field = Field((float(place[0]), float(place[1])), (1, 1), False)
    half = 0.5 * extent_angstrom - OPEN_MARGIN_ANGSTROM
    if half < 0:
        raise CalibrationError(
            f"a box of {extent_angstrom:g} Å is too small for a probe and where it spreads: give "
            f"{2 * OPEN_MARGIN_ANGSTROM:g} Å or more"
        )
    step = settings.potential_step(optics, [AnnularDetector(0, outer_mrad)])
    spans = ((-half, half), (-half, half))
    thickness = settings.slice_thickness_angstrom
    return make_slab(holder, field, spans, step, thickness, None, exact=True), field


def _whole_slab(
    atoms: Atoms | AtomCloud, energy_kev: float, outer_mrad: float, settings: MultisliceSettings
) -> tuple[Slab, Field]:
    """The specimen's cell if periodic, else a box around all of it."""
    holder = as_atoms(atoms)
    field = choose_field(holder, 0.1, None, 0.0, None)
    # Any lens of this energy: what is asked is how fine a grid scatters so far.
    lens = Optics(energy_kev, 1.0)
    step = settings.potential_step(lens, [AnnularDetector(0, outer_mrad)])
    rows, columns = field.shape
    spans = ((0.0, 0.1 * (rows - 1)), (0.0, 0.1 * (columns - 1)))
    thickness = settings.slice_thickness_angstrom
    return make_slab(holder, field, spans, step, thickness, None, exact=True), field


def _probe_waves(
    slab: Slab,
    field: Field,
    optics: Optics,
    place: Pair,
    settings: MultisliceSettings,
    seed: Seed,
) -> Iterator[Any]:
    """Yield the wave (1, x, y) of a probe at the exit, one for each configuration."""
    extent = (float(slab.steps[0] * slab.points[0]), float(slab.steps[1] * slab.points[1]))
    at = np.array(place, float) - field.origin - slab.corner
    device = door.chosen_device(settings.device)
    with door.quiet_and_repeatable() as abtem:
        lens = door.lens_of(abtem, optics, extent, slab.points, device)
        wave = door.on_cpu(door.probes_at(lens, abtem, at[None]))
    yield from _sent(slab, optics.beam_energy_kev, wave, settings, seed)


def _sent(
    slab: Slab,
    energy_kev: float,
    wave: NDArray[Any],
    settings: MultisliceSettings,
    seed: Seed,
) -> Iterator[Any]:
    """Yield a wave (1, x, y) after the specimen, one for each configuration."""
    extent = (float(slab.steps[0] * slab.points[0]), float(slab.steps[1] * slab.points[1]))
    device = door.chosen_device(settings.device)
    for number in range(settings.configurations):
        rng = configuration_generator(seed, number)
        with door.quiet_and_repeatable() as abtem:
            sent = transmission_functions(slab, settings.vibration_angstrom, energy_kev, rng)
            step, last = slab.slice_angstrom, [slab.slices - 1]
            found = door.exits(abtem, wave.copy(), sent, energy_kev, step, extent, last, device)
            result = next(found)
        yield result


def _attributes(settings: MultisliceSettings, energy_kev: float, slab: Slab) -> dict[str, Any]:
    return {
        "model": "multislice",
        "beam_energy_kev": energy_kev,
        "wavelength_angstrom": wavelength_angstrom(energy_kev),
        "vibration_angstrom": settings.vibration_angstrom,
        "configurations": settings.configurations,
        "slice_angstrom": slab.slice_angstrom,
        "potential_step_angstrom": slab.step_angstrom,
    }
