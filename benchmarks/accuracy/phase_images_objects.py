"""Thin phase objects whose phase is known, and scans of them at several doses."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import fft

from crewe.physics.fourier import frequency_axes
from crewe.physics.optics import Optics, probe_intensity
from crewe.simulation.phase_object import PhaseScan, with_dose
from crewe.simulation.projected_phase import projected_phase
from crewe.sources import Frames, Scan
from crewe.testing.zeolite import CELL_ANGSTROM, VIBRATION_ANGSTROM, zeolite_phase

OPTICS = Optics(200, 12)
"""Beam energy in keV and semi-angle in mrad of the paper's second experiment."""
POSITIONS = 256
CELLS = 4
"""Along each side of the scan. A kernel of 61 then reaches half the distance of the pores, one of
21 a sixth: as in the paper, the first holds what makes up a pore and the second does not."""
PIXELS_PER_STEP = 1
STEP_ANGSTROM = CELLS * CELL_ANGSTROM / POSITIONS
PIXEL_ANGSTROM = STEP_ANGSTROM / PIXELS_PER_STEP
DETECTOR = (64, 64)
GRAPHENE_CELLS = (11, 19)
"""Rectangular cells of four atoms, y and x: within 1.6 % of graphene's, so that they repeat."""


@dataclass(frozen=True)
class PhaseObject:
    """A phase map (y, x) in rad of a field that repeats, and what of it must be scanned."""

    name: str
    phase: np.ndarray
    repeat: int
    """The field holds repeat × repeat equal parts."""
    marked: np.ndarray
    """Places (n, 2) as (y, x) in scan steps of single atoms, and of equal places without one."""
    unmarked: np.ndarray

    @cached_property
    def plain(self) -> np.ndarray:
        """The phase at the probe positions, of mean 0."""
        return _zero_mean(self.phase[::PIXELS_PER_STEP, ::PIXELS_PER_STEP])

    @cached_property
    def limited(self) -> np.ndarray:
        """The phase without frequencies beyond twice the aperture, which nothing above can show."""
        k = np.hypot(*frequency_axes(self.plain.shape, STEP_ANGSTROM, real=True))
        spectrum = fft.rfft2(self.plain) * (k <= 2 * OPTICS.cutoff)
        return fft.irfft2(spectrum, self.plain.shape)

    @cached_property
    def smeared(self) -> np.ndarray:
        """The phase convolved with the probe's intensity, at the probe positions."""
        probe = self._probe()
        spectrum = fft.rfft2(self.phase) * np.conj(fft.rfft2(fft.ifftshift(probe)))
        smooth = fft.irfft2(spectrum, self.phase.shape)
        return _zero_mean(smooth[::PIXELS_PER_STEP, ::PIXELS_PER_STEP])

    def _probe(self) -> np.ndarray:
        """The intensity of the very probe of the simulation, in the middle of the field."""
        window = self.simulation().window
        result = np.zeros(self.phase.shape)
        place = tuple(
            slice(n // 2 - window // 2, n // 2 - window // 2 + window) for n in result.shape
        )
        result[place] = probe_intensity(OPTICS, (window, window), PIXEL_ANGSTROM)
        return result

    def simulation(self) -> PhaseScan:
        """A scan of one of the equal parts."""
        side = len(self.phase) // self.repeat
        part = self.phase[:side, :side]
        scan = Scan((POSITIONS // self.repeat,) * 2, step_angstrom=(STEP_ANGSTROM,) * 2)
        return PhaseScan(part, PIXEL_ANGSTROM, OPTICS, scan, DETECTOR)

    def lines(self) -> Iterator[np.ndarray]:
        """Patterns (column, ky, kx) of all lines of the field, as parts of the beam."""
        simulation = self.simulation()
        if self.repeat == 1:
            yield from simulation.lines()
            return
        part = simulation.patterns()
        for row in range(POSITIONS):
            yield np.tile(part[row % len(part)], (self.repeat, 1, 1))


def frames_at_doses(
    item: PhaseObject, doses: tuple[float, ...], seed: int
) -> Iterator[tuple[int, Frames]]:
    """Yield the number of the dose and the frames of one line; doses in e/Å², inf without noise."""
    rng = np.random.default_rng(seed)
    for row, beam in enumerate(item.lines()):
        positions = row * POSITIONS + np.arange(POSITIONS)
        for index, dose in enumerate(doses):
            finite = np.isfinite(dose)
            patterns = with_dose(beam, dose * STEP_ANGSTROM**2, rng) if finite else beam
            yield index, Frames(positions, patterns)


def zeolite(cells_thick: int) -> PhaseObject:
    phase = zeolite_phase(CELLS, PIXELS_PER_STEP * POSITIONS // CELLS, cells_thick)
    none = np.zeros((0, 2))
    return PhaseObject(f"zeolite, {cells_thick}", phase, CELLS, none, none)


def light_atoms(seed: int = 5, single: int = 16, missing: int = 8) -> PhaseObject:
    """Graphene with single oxygen atoms over hollow sites and missing carbon atoms."""
    field = POSITIONS * STEP_ANGSTROM
    step_y, step_x = (field / cells for cells in GRAPHENE_CELLS)
    corner = np.stack(
        np.meshgrid(*(np.arange(n) for n in GRAPHENE_CELLS), indexing="ij"), -1
    ).reshape(-1, 2) * [step_y, step_x]
    carbon, hollow = (
        np.concatenate([corner + np.array(part) * [step_y, step_x] for part in parts])
        for parts in (
            ((0, 0), (1 / 3, 0), (1 / 2, 1 / 2), (5 / 6, 1 / 2)),
            ((2 / 3, 0), (1 / 6, 1 / 2)),
        )
    )
    rng = np.random.default_rng(seed)
    inner = np.flatnonzero(np.all((hollow > 0.15 * field) & (hollow < 0.85 * field), axis=1))
    chosen = rng.choice(inner, single, replace=False)
    others = np.setdiff1d(inner, chosen)
    kept = np.delete(carbon, rng.choice(len(carbon), missing, replace=False), axis=0)
    places = np.concatenate([kept, hollow[chosen]])
    numbers = np.r_[np.full(len(kept), 6), np.full(single, 8)]
    shape = (POSITIONS * PIXELS_PER_STEP,) * 2
    phase = projected_phase(
        numbers, places[:, ::-1], shape, PIXEL_ANGSTROM, OPTICS.beam_energy_kev, VIBRATION_ANGSTROM
    )
    marked, unmarked = hollow[chosen] / STEP_ANGSTROM, hollow[others] / STEP_ANGSTROM
    return PhaseObject("light atoms", phase, 1, marked, unmarked)


def _zero_mean(image: np.ndarray) -> np.ndarray:
    return image - image.mean()
