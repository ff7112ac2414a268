"""What a recipe for labelled atomic images can say, with our defaults.

R. Lin et al., Sci. Rep. 11, 5386 (2021), DOI 10.1038/s41598-021-84499-w, name materials,
orientations, effects and labels; where they give no range the defaults are ours.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from crewe.recipes import Distribution, RecipePart
from crewe.recipes.ranges import Length, Level, Share, one_of, within
from crewe.training_sets.background import Background

MORPHOLOGIES = ("bulk", "particle", "plate", "tapered plate", "edge", "wedge")


class Material(RecipePart):
    """One of the named crystals of `crewe.specimens`, and how often it is drawn."""

    material: str
    zone_axis: str = "001"
    """Three indices without spaces, such as 110; ignored for sheets."""
    weight: float = Field(1.0, ge=0)


class Body(RecipePart):
    """The shape that is cut from the crystal."""

    morphology: Annotated[Distribution, one_of(*MORPHOLOGIES)] = {
        "choice": ["bulk", "particle", "plate", "tapered plate", "edge", "wedge"],
        "weights": [4, 2, 1, 1, 1, 1],
    }
    """A particle is a polyhedron with sharp facets, a plate has upright or tapered edges. A sheet,
    such as graphene, is either whole or has an edge."""
    thickness_angstrom: Length = {"log_uniform": [8, 120]}
    """Of bulk, edge and wedge; a sheet has its own."""
    particle_diameter: Length = [0.35, 1.1]
    """As a fraction of the field of view."""
    taper: Share = [0.1, 0.6]
    """Part of a tapered plate's radius over which its thickness falls to nothing."""
    wedge_angle_deg: Annotated[Distribution, within(0, 89)] = [10, 40]
    vacancy_fraction: Annotated[Distribution, within(0, 0.9)] = {
        "choice": [0.0, 0.01, 0.05],
        "weights": [6, 3, 1],
    }
    rms_displacement_angstrom: Level = [0.05, 0.1]
    """Thermal vibration along each axis."""


class Instrument(RecipePart):
    """Probe, scan and dose."""

    beam_energy_kev: Annotated[Distribution, within(10, 3000)] = {"choice": [80, 100, 200, 300]}
    semi_angle_mrad: Annotated[Distribution, within(1, 150)] = [20, 30]
    defocus_angstrom: Annotated[Distribution, within(-1e5, 1e5)] = {"normal": [0, 20]}
    c3_mm: Annotated[Distribution, within(-10, 10)] = [-0.002, 0.002]
    astigmatism_angstrom: Level = {"exponential": {"scale": 0.4, "range": [0, 20]}}
    coma_angstrom: Level = {"exponential": {"scale": 0.4, "range": [0, 400]}}
    source_fwhm_angstrom: Level = [0.5, 1.1]
    exponent: Annotated[Distribution, within(0.5, 3)] = [1.5, 2.0]
    """Of the atomic number in the intensity of an atom."""
    most_dose_e_per_angstrom2: float = Field(5e6, gt=0)
    """Where the electrons of a light column would take more, they are fewer."""
    electrons_per_column: Length = {"log_uniform": [20, 5000]}
    """Electrons that the mean labelled column sends to the detector."""
    jitter_probability: float = Field(0.8, ge=0, le=1)
    jitter_px: Level = {"exponential": {"scale": 0.4, "range": [0, 1.5]}}
    """Standard deviation of the scan noise at the crest of the mains' sine."""
    tear_probability: float = Field(0.5, ge=0, le=1)
    tear_px: Level = {"exponential": {"scale": 0.4, "range": [0, 1.0]}}
    """Standard deviation of shifts of whole lines along the line, each like the one before."""
    tear_memory: Share = [0, 0.7]
    """Correlation of a line's shift with that of the line before."""
    dark_electrons: Level = {"exponential": {"scale": 0.3, "range": [0, 2]}}
    """Electrons that each pixel counts without any specimen."""
    mains_hz: Length = {"choice": [50, 60]}
    line_time_ms: Length = {"log_uniform": [0.5, 10]}
    """Time from one scan line to the next."""
    inner_angle_mrad: Annotated[Distribution, within(0, 400)] = [50, 80]
    outer_angle_mrad: Annotated[Distribution, within(1, 900)] = [180, 220]
    """The detector's collection angles turn electrons into a dose."""

    @model_validator(mode="after")
    def _detector_has_an_area(self) -> Self:
        if max(self.inner_angle_mrad.extremes()) >= min(self.outer_angle_mrad.extremes()):
            raise ValueError("inner_angle_mrad must stay below outer_angle_mrad")
        return self


class Labels(RecipePart):
    """What is marked as a column, and how."""

    gaussian_width_angstrom: float = Field(0.2, gt=0)
    super_resolution_width_angstrom: float = Field(0.2, gt=0)
    """Standard deviation of a column in the super-resolution label; its integral is kept."""
    resolved_fraction: float = Field(0.5, gt=0)
    """Columns closer than this part of the probe's FWHM become one, at their common centre."""
    visible_fraction: float = Field(0.1, ge=0, le=1)
    """Kinds of columns below this part of the strongest column within 3 Å are listed, but not
    marked, nor are columns without a maximum of their own in the noise-free image."""
    own_maximum_fraction: float = Field(0.25, gt=0)
    """How far that maximum may be from the column, as a part of the probe's FWHM."""


class AtomMaps(RecipePart):
    """A recipe for atomic images with ten labels."""

    task: Literal["atom_maps"]
    name: str
    description: str
    size_px: int = Field(256, ge=16, le=4096)
    field_of_view_angstrom: Annotated[Distribution, within(2, 2000)] = {"log_uniform": [18, 110]}
    materials: tuple[Material, ...] = Field(min_length=1)
    body: Body = Body()
    instrument: Instrument = Instrument()
    background_probability: float = Field(0.7, ge=0, le=1)
    background: Background = Background()
    labels: Labels = Labels()

    @model_validator(mode="after")
    def _something_can_be_drawn(self) -> Self:
        if sum(entry.weight for entry in self.materials) <= 0:
            raise ValueError("every material has the weight 0: nothing could be drawn")
        return self
