"""The beam and the detector of one labelled image."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import Generator

from crewe.physics.cross_sections import annular_cross_section
from crewe.physics.optics import Optics
from crewe.training_sets.atom_map_recipe import Instrument
from crewe.training_sets.sample import Fact


@dataclass(frozen=True)
class Beam:
    """Probe and detector."""

    optics: Optics
    exponent: float
    """γ: an atom sends Z^γ to the detector, in arbitrary units."""
    inner_angle_mrad: float
    outer_angle_mrad: float

    def cross_section(self, atomic_number: int) -> float:
        """Return the cross-section of an atom in Å²."""
        return annular_cross_section(
            atomic_number,
            self.optics.beam_energy_kev,
            self.inner_angle_mrad,
            self.outer_angle_mrad,
        )

    @property
    def facts(self) -> dict[str, Fact]:
        """What the manifest says of the beam."""
        return {
            "beam_energy_kev": float(self.optics.beam_energy_kev),
            "semi_angle_mrad": float(self.optics.semi_angle_mrad),
            "defocus_angstrom": float(self.optics.defocus_angstrom),
            "c3_mm": float(self.optics.c3_mm),
            "astigmatism_angstrom": float(self.optics.c12_angstrom),
            "coma_angstrom": float(self.optics.c21_angstrom),
            "source_fwhm_angstrom": float(self.optics.source_fwhm_angstrom),
            "inner_angle_mrad": self.inner_angle_mrad,
            "outer_angle_mrad": self.outer_angle_mrad,
            "exponent": self.exponent,
        }


def draw_beam(part: Instrument, rng: Generator) -> Beam:
    """Draw the optics, aberrations in random directions, and the detector."""
    optics = Optics(
        beam_energy_kev=part.draw("beam_energy_kev", rng),
        semi_angle_mrad=part.draw("semi_angle_mrad", rng),
        defocus_angstrom=part.draw("defocus_angstrom", rng),
        c3_mm=part.draw("c3_mm", rng),
        c12_angstrom=part.draw("astigmatism_angstrom", rng),
        phi12_deg=rng.uniform(0, 180),
        c21_angstrom=part.draw("coma_angstrom", rng),
        phi21_deg=rng.uniform(0, 360),
        source_fwhm_angstrom=part.draw("source_fwhm_angstrom", rng),
    )
    return Beam(
        optics,
        part.draw("exponent", rng),
        part.draw("inner_angle_mrad", rng),
        part.draw("outer_angle_mrad", rng),
    )
