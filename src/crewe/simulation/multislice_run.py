"""What one set of frozen displacements shows at the places of the probe, block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.axes import Axis, calibrated_array
from crewe.physics.optics import Optics
from crewe.simulation import multislice_abtem as door
from crewe.simulation.field import Field, choose_field
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.simulation.multislice_potential import displaced_potential
from crewe.simulation.multislice_probe import faded_probes, spread_tails, tail_kernel
from crewe.simulation.multislice_scan import (
    ScanAxis,
    interpolate,
    scan_axes,
    source_sigma_angstrom,
)
from crewe.simulation.multislice_settings import MultisliceSettings
from crewe.simulation.multislice_slab import Slab, make_slab
from crewe.simulation.multislice_transmission import transmission_functions

if TYPE_CHECKING:
    import xarray as xr
    from ase import Atoms

    from crewe.specimens.cloud import AtomCloud

Array = NDArray[np.float64]
# Probe places of one block share a window; more of them widen it, fewer cost more overhead.
BLOCK_PLACES = 5


@dataclass(frozen=True)
class Run:
    """All that stays the same from one set of displacements to the next."""

    optics: Optics
    detectors: tuple[AnnularDetector, ...]
    settings: MultisliceSettings
    slab: Slab
    planes: tuple[int, ...]
    axes: tuple[ScanAxis, ScanAxis]
    """Places of the probe along y and x."""
    field: Field
    pixel_size_angstrom: float

    @property
    def blocks(self) -> list[tuple[slice, slice]]:
        """Places (rows, columns) that share a window."""
        size = BLOCK_PLACES
        if self.slab.window_points is None:
            size = max(axis.count for axis in self.axes)
        rows, columns = (range(0, axis.count, size) for axis in self.axes)
        return [(slice(r, r + size), slice(c, c + size)) for r in rows for c in columns]

    @property
    def sample_shape(self) -> tuple[int, int, int, int]:
        """Numbers of thicknesses, detectors, and places along y and x."""
        return len(self.planes), len(self.detectors), self.axes[0].count, self.axes[1].count

    def samples(self, rng: Generator, tick: Callable[[], None] | None = None) -> Array:
        """Signal (thickness, detector, y, x) at all places for displacements drawn from `rng`.

        `tick` is called after each block.
        """
        result, inside = np.empty(self.sample_shape), np.ones(self.sample_shape[2:])
        with door.quiet_and_repeatable() as abtem:
            specimen = self._specimen(rng)
            for rows, columns in self.blocks:
                places = self.axes[0].places[rows], self.axes[1].places[columns]
                signal, part = self._block(abtem, specimen, places)
                result[:, :, rows, columns] = signal
                inside[rows, columns] = part
                if tick is not None:
                    tick()
        if self.slab.window_points is None or not self.settings.fine:
            return result
        size = self.slab.window_points * self.slab.steps
        steps = self.axes[0].step, self.axes[1].step
        kernel = tail_kernel(self.optics, (float(size[0]), float(size[1])), steps)
        return spread_tails(result, inside, kernel, self.axes)

    def _specimen(self, rng: Generator) -> NDArray[Any]:
        vibration = self.settings.vibration_angstrom
        if self.settings.fine:
            energy = self.optics.beam_energy_kev
            return transmission_functions(self.slab, vibration, energy, rng)
        return displaced_potential(self.slab, vibration, rng)

    def _block(
        self, abtem: Any, specimen: NDArray[Any], places: tuple[Array, Array]
    ) -> tuple[Array, Array]:
        """Signal (thickness, detector, y, x) of places (y, x), and the part of the beam seen."""
        part, origin, extent = self.slab.window(specimen, places)
        near = places[0] - origin[1], places[1] - origin[0]
        y, x = np.meshgrid(*near, indexing="ij")
        points = np.stack([x.ravel(), y.ravel()], axis=1)
        # The waves of a batch, and about three times as much to work with.
        batch = max(1, int(self.settings.memory_mb * 1e6 / (part[0].size * 8 * 4)))
        pieces = [slice(start, start + batch) for start in range(0, len(points), batch)]
        inside = np.ones(y.shape)
        device = door.chosen_device(self.settings.device)
        lens = door.lens_of(abtem, self.optics, extent, part.shape[1:], device)
        if not self.settings.fine:
            step, planes = self.slab.slice_angstrom, self.planes
            held = door.on_device(part, device)
            signals = [
                door.coarse_signals(abtem, lens, held, step, planes, points[piece], self.detectors)
                for piece in pieces
            ]
        elif self.slab.window_points is None:
            waves = (door.probes_at(lens, abtem, points[piece]) for piece in pieces)
            signals = [self._seen(abtem, wave, part, extent, device) for wave in waves]
        else:
            faded = faded_probes(self.optics, near, part.shape[1:], extent)
            inside = np.sum(np.abs(faded) ** 2, axis=(-2, -1), dtype=np.float64)
            faded = faded.reshape(len(points), *part.shape[1:])
            signals = [self._seen(abtem, faded[p], part, extent, device) for p in pieces]
        joined = np.concatenate(signals, axis=-1)
        return joined.reshape(*joined.shape[:2], *y.shape), inside

    def _seen(
        self, abtem: Any, waves: Any, part: NDArray[Any], extent: tuple[float, float], device: str
    ) -> Array:
        """Signals (thickness, detector, wave) of waves (wave, x, y) sent through a window."""
        energy, step = self.optics.beam_energy_kev, self.slab.slice_angstrom
        wavelength = self.optics.wavelength
        found = door.exits(abtem, waves, part, energy, step, extent, self.planes, device)
        return np.stack(
            [door.ring_signals(wave, self.detectors, extent, wavelength) for wave in found]
        )

    def images(self, samples: Array) -> Array:
        """Images (..., y, x) of samples at the places of the probe, blurred by the source."""
        sizes = (np.arange(size, dtype=np.float64) for size in self.field.shape)
        rows, columns = (self.pixel_size_angstrom * size for size in sizes)
        return interpolate(samples, self.axes, (rows, columns), source_sigma_angstrom(self.optics))

    def calibrated(self, images: Array, name: str) -> xr.DataArray:
        """Images (thickness, detector, y, x) with their coordinates."""
        axes = [Axis("thickness", unit="1"), Axis("detector", unit="1")]
        axes += [Axis(along, self.pixel_size_angstrom, 0, "Å") for along in ("y", "x")]
        result = calibrated_array(images, axes, name, self._attributes())
        depths = [(plane + 1) * self.slab.slice_angstrom for plane in self.planes]
        names = [f"{one.inner_mrad:g}–{one.outer_mrad:g} mrad" for one in self.detectors]
        return result.assign_coords(
            thickness=("thickness", depths, {"units": "Å"}), detector=("detector", names)
        )

    def _attributes(self) -> dict[str, Any]:
        return {
            "units": "fraction of beam",
            "model": "multislice",
            "origin_angstrom": [float(value) for value in self.field.origin],
            "vibration_angstrom": self.settings.vibration_angstrom,
            "configurations": self.settings.configurations,
            "slice_angstrom": self.slab.slice_angstrom,
            "potential_step_angstrom": self.slab.step_angstrom,
            "fidelity": self.settings.fidelity,
        }


def prepare(
    atoms: Atoms | AtomCloud,
    optics: Optics,
    detectors: Sequence[AnnularDetector],
    pixel_size_angstrom: float,
    settings: MultisliceSettings | None = None,
    thicknesses_angstrom: Sequence[float] | None = None,
    field: Field | None = None,
    repeats: tuple[int, int] = (1, 1),
) -> Run:
    """Put a specimen in its box and find out where the probe has to stand.

    Arguments and errors are those of `crewe.simulation.multislice.annular_series`.
    """
    settings = settings or MultisliceSettings()
    door.require_abtem()
    holder = as_atoms(atoms)
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
        settings.fine,
    )
    planes = tuple(slab.planes(thicknesses_angstrom))
    return Run(optics, tuple(detectors), settings, slab, planes, axes, field, pixel_size_angstrom)


def as_atoms(atoms: Atoms | AtomCloud) -> Atoms:
    """Atoms as ASE holds them."""
    from ase import Atoms

    return atoms if isinstance(atoms, Atoms) else atoms.to_atoms()
