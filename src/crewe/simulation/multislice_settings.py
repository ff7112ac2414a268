"""How finely, how often and where a specimen is simulated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from crewe.errors import CalibrationError
from crewe.physics.optics import Optics
from crewe.simulation.multislice_detectors import AnnularDetector

# abTEM keeps two thirds of the frequencies of its grid, against aliasing.
KEPT = 2 / 3
CHOICES = {"fidelity": ("fine", "coarse"), "device": ("auto", "cpu", "gpu")}


@dataclass(frozen=True)
class MultisliceSettings:
    """How finely and how often a specimen is simulated."""

    slice_thickness_angstrom: float = 2.0
    """Largest thickness of a slice; the specimen's cell is cut into equal ones."""
    vibration_angstrom: float = 0.0
    """Root mean square displacement of every atom along one axis; frozen phonons."""
    configurations: int = 1
    """How many sets of frozen displacements are averaged."""
    window_angstrom: float | None = None
    """Edge of the square that is simulated around each block of probe places; None for all of the
    specimen. It must hold the probe and how far it spreads on its way down; docs/benchmarks tell
    what a window costs in accuracy. 8 Å does for a HAADF image in focus; rings that touch the
    bright-field disk need twice that."""
    potential_step_angstrom: float | None = None
    """Pixel of the waves; by default the coarsest that scatters to the outermost angle."""
    memory_mb: float = 200.0
    """About how much the waves of one batch of probe places may take."""
    fidelity: str = "fine"
    """"fine": the cores of atoms are resolved, a ring counts the part of each pixel of a pattern
    that it covers, the probe fades out within its window and what its tails meet outside is
    estimated, and an open specimen's grid is the same for every window. "coarse": cores are as
    sharp as the potential's pixels let them be, a pixel counts by its centre, and the probe's tails
    enter a window again at its other side; this repeats the first numbers of crewe, which are a
    fifth too bright for platinum at 50–150 mrad."""
    device: str = "auto"
    """"cpu", "gpu" (needs CuPy), or "auto": the GPU if CuPy sees one. abTEM does the work on it;
    that path has not been run on such hardware here."""

    def __post_init__(self) -> None:
        sizes = ("slice_thickness_angstrom", "window_angstrom", "potential_step_angstrom")
        for name in sizes:
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise CalibrationError(f"{name} must be positive and finite, got {value}")
        if not (math.isfinite(self.vibration_angstrom) and self.vibration_angstrom >= 0):
            raise CalibrationError(f"vibration must not be negative: {self.vibration_angstrom} Å")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise CalibrationError(
                    f"{name}={getattr(self, name)!r}: choose one of {', '.join(known)}"
                )
        if self.configurations < 1:
            raise CalibrationError(f"{self.configurations} phonon configurations: give 1 or more")

    @property
    def fine(self) -> bool:
        """Whether the fidelity is "fine"."""
        return self.fidelity == "fine"

    def potential_step(self, optics: Optics, detectors: Sequence[AnnularDetector]) -> float:
        """Pixel of the waves in Å; CalibrationError if it does not reach the detectors.

        From one side of the aperture to the other side of a detector it takes the detector's angle
        and the aperture's; without the latter 1.5 % of a HAADF signal are lost.
        """
        outermost = max(one.outer_mrad for one in detectors)
        coarsest = _coarsest(optics, outermost)
        step = self.potential_step_angstrom
        if step is not None and step > coarsest:
            raise CalibrationError(
                f"a potential of {step:g} Å pixels does not scatter to {outermost:g} mrad: use at "
                f"most {coarsest:.3g} Å or a smaller detector"
            )
        if step is None and self.fine:
            return _coarsest(optics, outermost + optics.semi_angle_mrad)
        return step or coarsest


def _coarsest(optics: Optics, angle_mrad: float) -> float:
    # 1.5 % to spare for the soft edge of the band limit.
    return 0.985 * KEPT * optics.wavelength / (2 * angle_mrad * 1e-3)
