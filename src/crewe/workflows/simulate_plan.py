"""The typed request for a simulated image."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from crewe.errors import PlanError
from crewe.physics.optics import Optics
from crewe.simulation.convolution import Convolution
from crewe.simulation.linear import PAPER_EXPONENT, PAPER_PROBE_SIGMA_ANGSTROM
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.simulation.multislice_settings import MultisliceSettings
from crewe.workflows.plan import PlanPart
from crewe.workflows.plan_mistakes import mistakes

LINEAR, MULTISLICE, EMULATOR = "linear", "multislice", "emulator"
DEFAULT_PIXEL_ANGSTROM = 0.1
# Fields that only some models look at, and how the command calls them.
OPTIONS = {
    "probe_sigma_angstrom": ("--sigma or --probe-from-optics", (LINEAR,)),
    "exponent": ("--exponent", (LINEAR,)),
    "phonons": ("--phonons", (MULTISLICE,)),
    "vibration_angstrom": ("--vibration", (MULTISLICE,)),
    "slice_angstrom": ("--slice", (MULTISLICE,)),
    "window_angstrom": ("--window", (MULTISLICE,)),
    "thicknesses_angstrom": ("--thickness", (MULTISLICE,)),
    "seed": ("--seed", (MULTISLICE,)),
    "device": ("--device", (MULTISLICE,)),
    "force": ("--force", (EMULATOR,)),
}


class SimulationPlan(PlanPart):
    """From a file of atoms to a simulated image."""

    specimen: Path
    """File of atoms, CIF or XYZ."""
    output: Path
    """File to write; its suffix chooses the format."""
    model: str = LINEAR
    """'linear', 'multislice' or the path of a fitted emulator."""
    optics: Optics | None = None
    """The lens; only an emulator brings its own."""
    detectors: dict[str, AnnularDetector] = Field(default_factory=dict)
    """Rings by name; one image each."""
    pixel_size_angstrom: PositiveFloat | None = None
    """Edge of a pixel in Å; nothing takes the emulator's, or 0.1 Å."""
    margin_angstrom: NonNegativeFloat | None = None
    """Vacuum around the atoms of a specimen that does not repeat; nothing takes its cell or 2 Å."""
    shape: tuple[PositiveInt, PositiveInt] | None = None
    """Rows and columns of the image; nothing takes what holds the specimen."""
    zone_axis: tuple[int, int, int] | None = None
    """Direction [uvw] of a crystal that is turned along the beam."""
    tilt_deg: tuple[float, float] = (0.0, 0.0)
    """Angles in degrees by which the specimen is turned about x, then about y."""
    repeat: tuple[PositiveInt, PositiveInt, PositiveInt] = (1, 1, 1)
    """How often a crystal's cell is put along x, y and z."""
    probe_sigma_angstrom: PositiveFloat | None = PAPER_PROBE_SIGMA_ANGSTROM
    """Linear: standard deviation of a Gaussian probe in Å; nothing takes the optics' probe."""
    exponent: PositiveFloat = PAPER_EXPONENT
    """Linear: an atom weighs Z to this power."""
    phonons: PositiveInt = 1
    """Multislice: configurations of frozen phonons that are averaged."""
    vibration_angstrom: NonNegativeFloat = 0.0
    """Multislice: root mean square displacement of every atom along one axis in Å."""
    slice_angstrom: PositiveFloat = 2.0
    """Multislice: largest thickness of a slice in Å."""
    window_angstrom: PositiveFloat | None = None
    """Multislice: edge in Å of what is simulated around the probe; nothing takes everything."""
    thicknesses_angstrom: tuple[PositiveFloat, ...] | None = None
    """Multislice: depths in Å after which there is an image; nothing takes the exit only."""
    seed: NonNegativeInt = 0
    """Multislice: seed of the displacements."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Multislice: where the waves are computed; 'auto' is the GPU if CuPy sees one."""
    errors: bool = False
    """Whether an image of standard errors is written beside."""
    force: bool = False
    """Whether an emulator answers where it should not, with a warning."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        self._refuse_options_of_others()
        if self.kind == EMULATOR:
            return self
        if self.optics is None:
            raise ValueError(f"model {self.kind} needs a lens: give optics")
        if not self.detectors:
            raise ValueError(f"model {self.kind} needs a detector: give one in mrad")
        if self.errors and (self.kind == LINEAR or self.phonons < 2):
            raise ValueError(
                "standard errors come from several phonon configurations of model multislice, or "
                "from an emulator"
            )
        if self.phonons > 1 and self.kind == MULTISLICE and self.vibration_angstrom == 0:
            raise ValueError(
                f"{self.phonons} phonon configurations of atoms that do not move are all the same: "
                "give a vibration in Å"
            )
        return self

    def _refuse_options_of_others(self) -> None:
        said = [
            f"{option} is an option of {' or '.join(kinds)}"
            for name, (option, kinds) in OPTIONS.items()
            if self.kind not in kinds and getattr(self, name) != _default(name)
        ]
        if said:
            raise ValueError(
                f"{', '.join(said)}, and the model is {self.kind}: leave it out, or choose another "
                "model"
            )

    @property
    def kind(self) -> Literal["linear", "multislice", "emulator"]:
        """Which of the three models it is."""
        if self.model == LINEAR:
            return "linear"
        return "multislice" if self.model == MULTISLICE else "emulator"

    @property
    def pixel_angstrom(self) -> float:
        """Edge of a pixel in Å, where no emulator decides it."""
        return self.pixel_size_angstrom or DEFAULT_PIXEL_ANGSTROM

    @property
    def error_path(self) -> Path:
        """File of the standard errors."""
        return self.output.with_name(f"{self.output.stem}_error{self.output.suffix}")

    def settings(self) -> dict[str, Any]:
        """Return what decides the numbers of this model, as it is written beside the image."""
        others = {name for name, (_, kinds) in OPTIONS.items() if self.kind not in kinds}
        own = self.model_dump(mode="json", exclude={"specimen", "output", "model", *others})
        name = Path(self.model).name if self.kind == EMULATOR else self.model
        return {"specimen": self.specimen.name, "model": name, **own}

    def convolution(self, detector: AnnularDetector) -> Convolution:
        """The linear image of one detector."""
        return Convolution(
            self.pixel_angstrom,
            probe_sigma_angstrom=self.probe_sigma_angstrom,
            exponent=self.exponent,
            optics=self.optics,
            detector=detector,
        )

    def multislice_settings(self) -> MultisliceSettings:
        """Settings of one phonon configuration."""
        return MultisliceSettings(
            slice_thickness_angstrom=self.slice_angstrom,
            vibration_angstrom=self.vibration_angstrom,
            window_angstrom=self.window_angstrom,
            device=self.device,
        )


def _default(name: str) -> Any:
    return SimulationPlan.model_fields[name].default


def simulation_plan(settings: dict[str, Any]) -> SimulationPlan:
    """Make a plan of settings. Raises PlanError that names every wrong one."""
    try:
        return SimulationPlan.model_validate(settings)
    except ValidationError as error:
        raise PlanError(f"this cannot be simulated: {mistakes(error, settings)}") from error
