"""The convolution image that an emulator starts from, as a recipe that can be stored and repeated.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, Eqs.
(1)-(3) and "Dataset": Z^1.7, a Gaussian of σ = 0.38 Å, scaled by the total cross-section.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CalibrationError, SpecimenError
from crewe.physics.cross_sections import annular_cross_section
from crewe.physics.optics import Optics
from crewe.simulation.linear import (
    PAPER_EXPONENT,
    PAPER_PROBE_SIGMA_ANGSTROM,
    linear_image_of,
    reach_angstrom,
)
from crewe.simulation.multislice_settings import AnnularDetector

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Convolution:
    """How a convolution image is made; its values are fractions of the beam where optics say so."""

    pixel_size_angstrom: float
    """Edge of a square pixel."""
    probe_sigma_angstrom: float | None = PAPER_PROBE_SIGMA_ANGSTROM
    """Standard deviation of the Gaussian probe; None for the probe of the optics."""
    exponent: float = PAPER_EXPONENT
    """An atom weighs Z to this power."""
    vibration_angstrom: float = 0.0
    """Root mean square displacement of every atom along one axis, a further Gaussian."""
    optics: Optics | None = None
    """The lens. Without it the image is in units of Z^exponent/Å² times `scale`."""
    detector: AnnularDetector | None = None
    """The ring whose total cross-section scales the image: with optics its integral over the area
    is the sum of the atoms' cross-sections (first Born approximation)."""
    scale: float = 1.0
    """A further factor, for images whose makers used one of their own."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.pixel_size_angstrom) and self.pixel_size_angstrom > 0):
            raise CalibrationError(f"a pixel must be positive, not {self.pixel_size_angstrom} Å")
        if self.probe_sigma_angstrom is None and self.optics is None:
            raise CalibrationError("give the σ of a Gaussian probe, or optics to compute one from")

    def image(
        self, numbers: Any, positions: Any, shape: tuple[int, int], composition: Any = None
    ) -> Image:
        """Image (y, x) of atoms: `numbers` (n,), `positions` (n, 3) in Å from pixel (0, 0).

        The image is scaled by the cross-section of these atoms, or of those with the atomic numbers
        `composition` (m,) where these are what shows of a larger specimen. Raises SpecimenError
        without atoms.
        """
        numbers = np.asarray(numbers)
        if len(numbers) == 0:
            raise SpecimenError("the specimen holds no atoms: nothing to image")
        whole = numbers if composition is None else np.asarray(composition)
        image = linear_image_of(
            numbers,
            positions,
            shape,
            self.pixel_size_angstrom,
            probe=self._probe(),
            exponent=self.exponent,
            vibration_angstrom=self.vibration_angstrom,
        )
        return image * np.float32(self.scale * self._per_weight(whole))

    @property
    def reach_angstrom(self) -> float:
        """Distance from an atom beyond which its image is dark."""
        return reach_angstrom(self._probe())

    def _probe(self) -> Optics | float:
        if self.probe_sigma_angstrom is not None:
            return self.probe_sigma_angstrom
        assert self.optics is not None
        return self.optics

    def _per_weight(self, numbers: NDArray[Any]) -> float:
        """Å² per unit of Z^exponent: the cross-section of all atoms over all their weights."""
        if self.optics is None or self.detector is None:
            return 1.0
        elements, counts = np.unique(numbers, return_counts=True)
        ring = self.detector.inner_mrad, self.detector.outer_mrad
        sections = [
            annular_cross_section(int(z), self.optics.beam_energy_kev, *ring) for z in elements
        ]
        weights = counts * elements.astype(np.float64) ** self.exponent
        return float(np.dot(counts, sections) / weights.sum())

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Convolution:
        """Undo `to_dict`; CalibrationError for keys that mean nothing."""
        values = dict(values)
        try:
            if values.get("optics") is not None:
                values["optics"] = Optics(**values["optics"])
            if values.get("detector") is not None:
                values["detector"] = AnnularDetector(**values["detector"])
            return cls(**values)
        except TypeError as error:
            raise CalibrationError(f"a convolution image is not described so: {error}") from error
