"""The typed request for phase images and virtual detectors of 4D-STEM data."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
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
from crewe.sources import Scan
from crewe.stem4d.methods import METHODS
from crewe.stem4d.ricom_kernel import Band
from crewe.workflows.plan import PlanPart
from crewe.workflows.plan_mistakes import mistakes

NOTE_NAME, PICTURE_NAME = "phase.yaml", "overview.png"
Format = Literal["tif", "hspy", "h5", "zarr", "npz", "npy"]
Pair = tuple[float, float]


class DetectorRing(PlanPart):
    """A virtual detector from an inner to an outer radius."""

    inner: NonNegativeFloat
    """Inner radius."""
    outer: PositiveFloat | None = None
    """Outer radius; nothing takes all that lies outside the inner."""
    unit: Literal["px", "mrad", "x"] = "x"
    """Unit of the radii: detector pixels, mrad, or 'x' for radii of the bright-field disk."""

    @model_validator(mode="after")
    def _is_a_ring(self) -> Self:
        if self.outer is not None and self.outer <= self.inner:
            raise ValueError("the inner radius must be below the outer")
        return self


class BandPass(PlanPart):
    """Frequencies that the filter in riCOM's kernel passes."""

    low: NonNegativeFloat = 0.0
    """Lowest frequency."""
    high: PositiveFloat | None = None
    """Highest frequency; nothing sets no limit."""
    unit: Literal["1/step", "1/A", "px"] = "1/step"
    """Cycles per scan step (up to 0.5), 1/Å, or cycles per width of the scan, which are pixels of
    its Fourier transform along x. All pass the same frequencies along y as along x."""

    def in_steps(self, scan: Scan) -> Band:
        """Return the band in cycles per scan step. Raises PlanError without the step."""
        if self.unit == "px":
            return Band.from_pixels(self.low, self.high, scan.shape[1])
        if self.unit == "1/step":
            return Band(self.low, self.high)
        if scan.step_angstrom is None:
            raise PlanError("a band in 1/Å needs the scan step: give it, as in --step 0.2A")
        return Band.from_inverse_angstrom(self.low, self.high, scan.step_angstrom)


class PixelList(PlanPart):
    """Pixels of a detector, given one by one or as a mask."""

    pixels: tuple[tuple[NonNegativeInt, NonNegativeInt], ...]
    """Places (ky, kx)."""
    detector_shape: tuple[PositiveInt, PositiveInt] | None = None
    """Shape (ky, kx) of the mask; nothing for any detector that has these pixels."""

    @classmethod
    def of_mask(cls, mask: NDArray[Any]) -> Self:
        """Take the pixels of a mask (ky, kx) that are not 0. Raises ValueError for no mask."""
        if mask.ndim != 2 or mask.dtype.kind not in "biu":
            raise ValueError(
                f"an array of shape {mask.shape} and type {mask.dtype}: give a mask (ky, kx) of "
                "booleans or whole numbers"
            )
        return cls(pixels=np.argwhere(mask).tolist(), detector_shape=mask.shape)


class PhasePlan(PlanPart):
    """From a file of 4D-STEM data to images, in one pass over the data."""

    data: Path
    """The file, or folder of the format zarr."""
    output: Path = Path()
    """Folder that the images go to."""
    methods: tuple[str, ...] = ("ricom",)
    """Images to make, see crewe.stem4d.methods."""
    dataset: NonNegativeInt | str | None = None
    """Name or number of an array in a file that holds several."""
    source: dict[str, bool | int | float | str] = Field(default_factory=dict)
    """Further options of the source that reads the data, such as place_by of Timepix3File."""
    scan: tuple[PositiveInt, PositiveInt] | None = None
    """Rows and columns of probe positions; nothing takes those of the file."""
    dwell_time_us: PositiveFloat | None = None
    """Dwell time in µs, which places the events of files without line signals; nothing takes that
    of the data."""
    flyback_per_line: NonNegativeInt = 0
    """Frames after each line while the probe returns."""
    flyback_per_scan: NonNegativeInt = 0
    """Further frames after each scan."""
    sync_offset: int = 0
    """Number of the first frame that lies on a probe position."""
    partial: bool = False
    """Whether frames that do not fill the scan are taken, as those of an interrupted one."""
    step_angstrom: tuple[PositiveFloat, PositiveFloat] | None = None
    """Scan step (y, x) in Å; nothing takes the file's own."""
    rotation_degrees: float | Literal["auto"] = "auto"
    """Scan rotation; 'auto' is the one with the least curl of the centre of mass."""
    mirrored: bool | Literal["auto"] = "auto"
    """Whether the detector is read upside down; 'auto' is likewise, at a given rotation too."""
    centre: Pair | Literal["auto"] = "auto"
    """Centre (ky, kx) of the bright-field disk in detector pixels."""
    radius_px: PositiveFloat | Literal["auto"] = "auto"
    """Radius of the bright-field disk in detector pixels."""
    bad_pixels: Literal["auto", "none"] | PixelList = "none"
    """Detector pixels replaced by the mean of those around: 'auto' the hot and dead ones found,
    'none' only those that hold no finite number, or their places (ky, kx), or a mask (ky, kx)."""
    reference: Pair | None = None
    """Centre of mass in vacuum (ky, kx) in detector pixels; nothing takes the mean of all."""
    beam_energy_kev: PositiveFloat | None = None
    """Beam energy in keV; nothing takes the file's own."""
    semi_angle_mrad: PositiveFloat | None = None
    """Convergence semi-angle in mrad; with the radius of the disk it calibrates the detector."""
    normalise: Literal["pattern", "dose"] = "pattern"
    """Whether each pattern counts alike, or each electron."""
    kernel: PositiveInt = 61
    """Side of riCOM's kernel in probe positions, odd."""
    band: BandPass | None = None
    """Filter in riCOM's kernel."""
    boundary: Literal["periodic", "open"] = "periodic"
    """What iCOM takes the scan's surroundings for."""
    ssb_transfer: Literal["flat", "natural"] = "flat"
    """How SSB weighs frequencies: 'flat' is in rad, 'natural' has less noise at low dose."""
    ssb_across: PositiveInt | None = None
    """Widest the bright-field disk may be for SSB, in pixels after binning; nothing bins."""
    ssb_memory_gib: PositiveFloat = 4.0
    """Most memory that SSB may take for the disk of all positions, in GiB."""
    detectors: dict[str, DetectorRing] = Field(default_factory=dict)
    """Virtual detectors by name, besides the usual ones or in place of those."""
    acceptance_us: PositiveFloat | None = None
    """Events later than this after the start of their probe position are left out."""
    repeats: Literal["newest", "sum"] = "newest"
    """What becomes of repeated scans."""
    threads: PositiveInt | None = None
    """CPU threads; nothing takes all. The result does not depend on them."""
    format: Format = "tif"
    """Suffix of the images."""

    @field_validator("methods")
    @classmethod
    def _are_known(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        for name in methods:
            if name not in METHODS:
                raise ValueError(f"no method {name!r}: there are {', '.join(METHODS)}")
        return tuple(dict.fromkeys(methods))

    @field_validator("bad_pixels", mode="before")
    @classmethod
    def _are_pixels(cls, given: Any) -> Any:
        if isinstance(given, str) and given not in ("auto", "none"):
            raise ValueError("give 'auto', 'none', places (ky, kx) or a mask (ky, kx)")
        places = isinstance(given, np.ndarray) and given.dtype != bool and given.shape[1:] == (2,)
        if isinstance(given, np.ndarray) and not places:
            return PixelList.of_mask(given)
        return {"pixels": given} if isinstance(given, list | tuple | np.ndarray) else given

    @field_validator("detectors")
    @classmethod
    def _are_names(cls, detectors: dict[str, DetectorRing]) -> dict[str, DetectorRing]:
        for name in detectors:
            if not re.fullmatch(r"[A-Za-z][\w-]*", name) or name in ("overview", "phase"):
                raise ValueError(f"a detector cannot be called {name!r}: it names a file")
        return detectors

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.methods and not self.detectors:
            raise ValueError(f"name at least one method of {', '.join(METHODS)}")
        if self.kernel % 2 == 0:
            raise ValueError(f"a kernel of {self.kernel}: give an odd number of probe positions")
        flyback = self.flyback_per_line or self.flyback_per_scan or self.sync_offset
        if self.scan is None and flyback:
            raise ValueError("flyback and sync offset go with a scan: give its shape")
        return self

    @property
    def scan_record(self) -> Scan | None:
        """The scan as the source needs it; None takes the file's own."""
        if self.scan is None:
            return None
        return Scan(
            self.scan,
            self.flyback_per_line,
            self.flyback_per_scan,
            self.sync_offset,
            step_angstrom=self.step_angstrom,
            dwell_time_us=self.dwell_time_us,
        )

    def settings(self) -> dict[str, Any]:
        """Return what decides the numbers, as it is written in the note."""
        plain = self.model_dump(mode="json", exclude={"data", "output", "threads"})
        return {"data": self.data.name, **plain}


def phase_plan(settings: dict[str, Any]) -> PhasePlan:
    """Make a plan of settings. Raises PlanError that names every wrong one."""
    try:
        return PhasePlan.model_validate(settings)
    except ValidationError as error:
        raise PlanError(f"these images cannot be made: {mistakes(error, settings)}") from error


def radii_in_px(
    ring: DetectorRing, disk_radius_px: float, mrad_per_px: float | None
) -> tuple[float, float]:
    """Return inner and outer radius of a detector in pixels; a missing outer one is infinite.

    Raises PlanError for radii in mrad on a detector without calibration.
    """
    if ring.unit == "mrad" and mrad_per_px is None:
        raise PlanError(
            "detector radii in mrad need --semi-angle, or --beam-energy with a calibrated "
            "detector; or give them in px, or as multiples of the disk's radius, as in 1.1:2x"
        )
    sizes = {"px": 1.0, "x": disk_radius_px, "mrad": 1.0 / (mrad_per_px or math.nan)}
    size = sizes[ring.unit]
    return ring.inner * size, math.inf if ring.outer is None else ring.outer * size
