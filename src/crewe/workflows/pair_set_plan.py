"""The typed request for a set of image pairs: particles, lens, detector, how to simulate them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
)

from crewe.errors import PlanError
from crewe.physics.optics import Optics
from crewe.simulation.convolution import Convolution
from crewe.simulation.linear import PAPER_EXPONENT, PAPER_PROBE_SIGMA_ANGSTROM
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.simulation.multislice_settings import MultisliceSettings
from crewe.simulation.multislice_slab import SMALLEST_WINDOW_ANGSTROM
from crewe.specimens.nanoparticles import PLATINUM_LATTICE
from crewe.workflows.plan import PlanPart
from crewe.workflows.plan_mistakes import mistakes
from crewe.workflows.simulation_optics import check_keys, optics_from, ring_from
from crewe.workflows.yaml_mapping import LARGEST_SETTINGS_BYTES, read_mapping

ZoneAxis = tuple[int, int, int] | Literal["random"]


def _fraction(given: Any) -> Any:
    """Read 1/3 as the number that it means."""
    if not isinstance(given, str):
        return given
    try:
        return float(Fraction(given.replace(" ", "")))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError("Input should be a number or a fraction such as 1/3") from error


def _atomic_number(given: Any) -> int:
    from ase.data import atomic_numbers

    if isinstance(given, str) and given in atomic_numbers:
        return int(atomic_numbers[given])
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    raise ValueError(f"{given!r} should be a chemical symbol such as Pt")


def _no_truth(given: Any) -> Any:
    if isinstance(given, bool):
        raise ValueError("Input should be a number of atoms")
    return given


Count = Annotated[int, Field(ge=1), BeforeValidator(_no_truth)]
Share = Annotated[float, Field(ge=0, le=1), BeforeValidator(_fraction)]
Element = Annotated[int, Field(ge=1, le=103), BeforeValidator(_atomic_number)]


class Particles(PlanPart):
    """Nanoparticles from crystalline to amorphous, along zone axes and at random.

    Particle n has zone axis n modulo their number, and each disorder comes with all of them.
    """

    counts: Annotated[dict[Element, Count], Field(min_length=1)]
    """Atoms of each element."""
    number: PositiveInt
    """How many particles."""
    disorders: tuple[Share, ...] = Field(default=(0.0,), min_length=1)
    """Parts of a particle that are amorphous, 0 to 1."""
    zone_axes: tuple[ZoneAxis, ...] = Field(default=("random",), min_length=1)
    """Directions along the beam, or 'random'."""
    largest_tilt_deg: NonNegativeFloat = 0.0
    """Farthest that a zone axis lies off the beam; evenly spread over the solid angle."""
    lattice_parameter_angstrom: PositiveFloat = PLATINUM_LATTICE
    """Edge of the fcc cell."""

    @field_validator("zone_axes")
    @classmethod
    def _are_directions(cls, axes: tuple[ZoneAxis, ...]) -> tuple[ZoneAxis, ...]:
        if any(axis == (0, 0, 0) for axis in axes):
            raise ValueError("[0, 0, 0] is no direction")
        return axes

    def zone_axis(self, particle: int) -> tuple[int, int, int] | None:
        """Zone axis of a particle, None for a random rotation."""
        axis = self.zone_axes[particle % len(self.zone_axes)]
        return None if isinstance(axis, str) else axis

    def disorder(self, particle: int) -> float:
        """Disorder of a particle."""
        return self.disorders[particle // len(self.zone_axes) % len(self.disorders)]


class Multislice(PlanPart):
    """How finely and how often each particle is simulated."""

    configurations: PositiveInt
    """Phonon configurations of each particle."""
    vibration_angstrom: PositiveFloat
    """Root mean square displacement of every atom along one axis in Å."""
    slice_angstrom: PositiveFloat = 2.0
    """Largest thickness of a slice in Å."""
    window_angstrom: Annotated[float, Field(ge=SMALLEST_WINDOW_ANGSTROM)] | None = None
    """Edge in Å of what is simulated around the probe; nothing takes everything."""
    fidelity: Literal["fine", "coarse"] = "fine"
    """How cores of atoms and edges of rings are resolved, see `MultisliceSettings`."""

    def settings(self) -> MultisliceSettings:
        """Settings of one configuration."""
        return MultisliceSettings(
            self.slice_angstrom,
            self.vibration_angstrom,
            1,
            window_angstrom=self.window_angstrom,
            fidelity=self.fidelity,
        )


class PairSetPlan(PlanPart):
    """All that decides a set of convolution and multislice images of the same particles."""

    optics: Annotated[Optics, BeforeValidator(lambda given: optics_from(given, "optics"))]
    """The lens."""
    detector: Annotated[
        AnnularDetector, BeforeValidator(lambda given: ring_from(given, "detector"))
    ]
    """The ring."""
    pixel_size_angstrom: PositiveFloat
    """Edge of a pixel in Å."""
    margin_angstrom: NonNegativeFloat = 1.0
    """Vacuum around the box of a particle in Å."""
    probe_sigma_angstrom: PositiveFloat | None = PAPER_PROBE_SIGMA_ANGSTROM
    """Standard deviation of the convolution's probe in Å; nothing takes the optics' probe."""
    exponent: PositiveFloat = PAPER_EXPONENT
    """In the convolution an atom weighs Z to this power."""
    multislice: Multislice
    """How finely and how often each particle is simulated."""
    seed: NonNegativeInt
    """Seed of structures and displacements."""
    particles: Particles
    """What is imaged."""

    @property
    def convolution(self) -> Convolution:
        """How the convolution images are made."""
        return Convolution(
            self.pixel_size_angstrom,
            probe_sigma_angstrom=self.probe_sigma_angstrom,
            exponent=self.exponent,
            optics=self.optics,
            detector=self.detector,
        )

    def settings(self) -> dict[str, Any]:
        """Return the plan as plain values, from which it can be made again."""
        from ase.data import chemical_symbols

        plain = self.model_dump(mode="json")
        counts = {chemical_symbols[z]: count for z, count in self.particles.counts.items()}
        plain["particles"]["counts"] = counts
        return plain

    def of_one_configuration(self) -> dict[str, Any]:
        """Return what decides a single multislice image: not how many there are of them."""
        plain = self.settings()
        for key in ("probe_sigma_angstrom", "exponent"):
            plain.pop(key)
        plain["multislice"].pop("configurations")
        plain["particles"].pop("number")
        return plain


def load_pair_set_plan(path: str | Path) -> PairSetPlan:
    """Read a plan from YAML. Raises PlanError that names every unknown key and wrong value."""
    settings = read_mapping(
        Path(path), "keys such as optics, detector and particles", LARGEST_SETTINGS_BYTES
    )
    return pair_set_plan(settings, str(path))


def pair_set_plan(settings: dict[str, Any], origin: str = "the plan") -> PairSetPlan:
    """Make a plan of nested settings. Raises PlanError."""
    check_keys(settings, PairSetPlan.model_fields, origin)
    for name, part in (("multislice", Multislice), ("particles", Particles)):
        if isinstance(settings.get(name), dict):
            check_keys(settings[name], part.model_fields, f"{origin}, {name}")
    try:
        return PairSetPlan.model_validate(settings)
    except ValidationError as error:
        raise PlanError(f"{origin} cannot be run: {mistakes(error, settings)}") from error
    except PlanError as error:
        raise PlanError(f"{origin}, {error}") from error
