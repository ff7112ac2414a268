"""The typed request for images of a running detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from crewe.errors import PlanError
from crewe.sources import Known, Scan
from crewe.workflows.phase_plan import BandPass, DetectorRing, Format, PhasePlan
from crewe.workflows.plan import PlanPart
from crewe.workflows.plan_mistakes import mistakes

Pair = tuple[float, float]
Trigger = Literal["internal", "rising", "falling", "lvds rising", "lvds falling"]
DATA_PORTS = {"merlin": 6342, "timepix3": 8451}
LOOPBACK = "127.0.0.1"
Part = TypeVar("Part", bound=PlanPart)


class LivePlan(PlanPart):
    """From a running detector to images that grow with the scan, and to a recording."""

    address: str
    """merlin://HOST[:PORT] to connect to, or timepix3://[HOST][:PORT] to listen on."""
    scan: tuple[PositiveInt, PositiveInt]
    """Rows and columns of probe positions."""
    methods: tuple[str, ...] = ("ricom",)
    """Images to make, see crewe.stem4d.methods."""
    scans: PositiveInt | None = None
    """Scans to follow; nothing goes on until somebody stops it."""
    dwell_time_us: PositiveFloat | None = None
    """Dwell time in µs."""
    flyback_per_line: NonNegativeInt = 0
    """Frames after each line while the probe returns."""
    flyback_per_scan: NonNegativeInt = 0
    """Further frames after each scan."""
    sync_offset: int = 0
    """Number of the first frame that lies on a probe position."""
    step_angstrom: tuple[PositiveFloat, PositiveFloat] | None = None
    """Scan step (y, x) in Å."""
    rotation_degrees: float | Literal["auto"] = 0.0
    """Scan rotation; 'auto' is found, with the handedness, after the first scan that tells it."""
    mirrored: bool | None = None
    """Whether the detector is read upside down; nothing is no, unless it is found."""
    centre: Pair | Literal["auto"] = "auto"
    """Centre (ky, kx) of the bright-field disk in detector pixels; 'auto' from the first data."""
    radius_px: PositiveFloat | Literal["auto"] = "auto"
    """Radius of the bright-field disk in detector pixels."""
    reference: Literal["mean", "centre"] = "mean"
    """Centre of mass in vacuum: the mean of all patterns, or the centre of the disk."""
    beam_energy_kev: PositiveFloat | None = None
    """Beam energy in keV."""
    semi_angle_mrad: PositiveFloat | None = None
    """Convergence semi-angle in mrad; with the radius of the disk it calibrates the detector."""
    kernel: PositiveInt = 61
    """Side of riCOM's kernel in probe positions, odd."""
    band: BandPass | None = None
    """Filter in riCOM's kernel."""
    detectors: dict[str, DetectorRing] = Field(default_factory=dict)
    """Virtual detectors by name, besides the usual ones or in place of those."""
    acceptance_us: PositiveFloat | None = None
    """Events later than this after the start of their probe position are left out."""
    repeats: Literal["newest", "sum"] = "newest"
    """What becomes of repeated scans."""
    counter_depth: Literal[1, 6, 12, 24] | None = None
    """Bits of a Merlin's counters; nothing leaves them as they are."""
    trigger: Trigger | None = None
    """What starts a Merlin's frames; nothing leaves it as it is."""
    trigger_per: Literal["frame", "line", "scan"] | None = None
    """How many frames follow each trigger; nothing leaves it as it is."""
    command_port: int | None = Field(default=6341, ge=1, le=65535)
    """Port of a Merlin's commands; nothing only listens to what the operator starts."""
    chips: Literal[1, 4] = 4
    """Chips of a Timepix3."""
    place_by: Literal["lines", "dwell"] = "lines"
    """Whether a Timepix3's electrons are placed by the line signal or by the dwell time."""
    tdc_channel: Literal[1, 2] = 1
    """Input of a Timepix3's line signal."""
    patience_s: PositiveFloat = 30.0
    """For how long a detector may be silent."""
    threads: PositiveInt = 1
    """CPU threads that measure. The result does not depend on them."""
    record: Path | None = None
    """Where patterns (.zarr) or the raw stream of events (.tpx3) are kept."""
    output: Path | None = None
    """Folder that the last images go to; nothing keeps them in memory."""
    format: Format = "tif"
    """Suffix of the images."""

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        try:
            parts = urlsplit(address)
            known = parts.scheme in DATA_PORTS and (parts.port is None or parts.port > 0)
        except ValueError:
            known = False
        if not known or parts.path.strip("/") or (parts.scheme == "merlin" and not parts.hostname):
            raise ValueError("give merlin://HOST[:PORT] or timepix3://[HOST][:PORT]")
        return address

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        # What both kinds of plans have is checked in one place.
        shared = ("methods", "detectors", "kernel", "scan", "band")
        PhasePlan(data=Path("live"), **{name: getattr(self, name) for name in shared})
        suffix = ".zarr" if self.detector == "merlin" else ".tpx3"
        if self.record is not None and self.record.suffix != suffix:
            raise ValueError(f"a recording of {self.detector} is a name on {suffix}")
        if self.repeats == "sum" and "ssb" in self.methods and self.scans is None:
            raise ValueError("ssb over a sum of scans needs their number: give --scans")
        return self

    @property
    def detector(self) -> str:
        """Kind of the detector: merlin or timepix3."""
        return urlsplit(self.address).scheme

    @property
    def host(self) -> str:
        """Name of the detector's machine, or the address of this one that is listened on."""
        return urlsplit(self.address).hostname or LOOPBACK

    @property
    def port(self) -> int:
        """Port that the data come through."""
        return urlsplit(self.address).port or DATA_PORTS[self.detector]

    @property
    def place(self) -> str:
        """Host and port as an address has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def scan_record(self) -> Scan:
        """The scan as source and methods need it."""
        return Scan(
            self.scan,
            self.flyback_per_line,
            self.flyback_per_scan,
            self.sync_offset,
            0.0 if self.rotation_degrees == "auto" else self.rotation_degrees,
            self.mirrored is True,
            self.step_angstrom,
            self.dwell_time_us,
        )

    def known(self, of_source: Known) -> Known:
        """Return what plan and source know of the calibration; the plan goes first."""
        return Known(
            of_source.detector_sampling_inverse_angstrom,
            self.beam_energy_kev or of_source.beam_energy_kev,
            self.semi_angle_mrad or of_source.convergence_semi_angle_mrad,
        )

    def settings(self) -> dict[str, Any]:
        """Return what decides the numbers, as it is written in the note."""
        return self.model_dump(mode="json", exclude={"output", "record", "threads"})


class LiveChange(PlanPart):
    """What can be changed while data arrive; what is left out stays as it is."""

    kernel_size: PositiveInt | None = None
    """Side of riCOM's kernel in probe positions, odd."""
    band: tuple[NonNegativeFloat, PositiveFloat | None] | None = None
    """Lowest and highest frequency, in 1/Å where the scan step is known, else in cycles per step;
    None, when it is given, takes the filter out."""
    rotation_degrees: float | Literal["auto"] | None = None
    """Scan rotation; 'auto' finds it, and the handedness where that is not given."""
    mirrored: bool | None = None
    """Whether the detector is read upside down."""
    reference: Literal["mean", "centre"] | None = None
    """What shifts are relative to: the mean of all, or the centre of the bright-field disk."""
    centre: Pair | Literal["auto"] | None = None
    """Centre (ky, kx) of the bright-field disk in detector pixels; 'auto' finds it."""
    radius_px: PositiveFloat | Literal["auto"] | None = None
    """Radius of the bright-field disk in detector pixels; 'auto' finds it."""
    detectors: dict[str, tuple[NonNegativeFloat, PositiveFloat | None]] | None = None
    """Inner and outer radius in detector pixels, by name; None: no outer limit."""


def live_plan(settings: dict[str, Any]) -> LivePlan:
    """Make a plan of settings. Raises PlanError that names every wrong one."""
    return _valid(LivePlan, settings, "this run cannot be followed")


def live_change(wanted: dict[str, Any]) -> LiveChange:
    """Read wanted settings. Raises PlanError that names every wrong one."""
    return _valid(LiveChange, wanted, "not changed")


def _valid(kind: type[Part], settings: dict[str, Any], what: str) -> Part:
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        raise PlanError(f"{what}: {mistakes(error, settings)}") from error
