"""What a multislice simulation is told: detectors, and how finely and how often to simulate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from crewe.errors import CalibrationError
from crewe.physics.optics import Optics

# abTEM keeps two thirds of the frequencies of its grid, against aliasing.
KEPT = 2 / 3


@dataclass(frozen=True)
class AnnularDetector:
    """A ring (or, from 0, a disk) that counts electrons; angles in mrad."""

    inner_mrad: float
    outer_mrad: float

    def __post_init__(self) -> None:
        if not 0 <= self.inner_mrad < self.outer_mrad < 1000:
            raise CalibrationError(
                f"a detector from {self.inner_mrad} to {self.outer_mrad} mrad holds nothing: give "
                "0 ≤ inner < outer (are they in rad or degrees?)"
            )


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
    specimen. It must hold the probe with its tails and how far it spreads on its way down."""
    potential_step_angstrom: float | None = None
    """Pixel of the potential; by default the coarsest that reaches the outermost detector angle.
    A finer one also sharpens the cores of heavy atoms: half of it, and a single gold atom sends
    8 % less to 60–120 mrad."""
    memory_mb: float = 200.0
    """About how much the waves of one batch of probe places may take."""

    def __post_init__(self) -> None:
        sizes = ("slice_thickness_angstrom", "window_angstrom", "potential_step_angstrom")
        for name in sizes:
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise CalibrationError(f"{name} must be positive and finite, got {value}")
        if not (math.isfinite(self.vibration_angstrom) and self.vibration_angstrom >= 0):
            raise CalibrationError(f"vibration must not be negative: {self.vibration_angstrom} Å")
        if self.configurations < 1:
            raise CalibrationError(f"{self.configurations} phonon configurations: give 1 or more")

    def potential_step(self, optics: Optics, detectors: Sequence[AnnularDetector]) -> float:
        """Pixel of the potential in Å; CalibrationError if it does not reach the detectors."""
        outermost = max(one.outer_mrad for one in detectors)
        # 1.5 % to spare for the soft edge of the band limit.
        coarsest = 0.985 * KEPT * optics.wavelength / (2 * outermost * 1e-3)
        step = self.potential_step_angstrom
        if step is not None and step > coarsest:
            raise CalibrationError(
                f"a potential of {step:g} Å pixels does not scatter to {outermost:g} mrad: use at "
                f"most {coarsest:.3g} Å or a smaller detector"
            )
        return step or coarsest
