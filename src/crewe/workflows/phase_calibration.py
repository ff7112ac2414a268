"""What the data say of themselves: the bright-field disk, and where each value comes from."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError, PlanError
from crewe.physics.electron import wavelength_angstrom
from crewe.sources import Known, Scan
from crewe.stem4d.calibration import bright_field
from crewe.stem4d.detectors import Annulus
from crewe.stem4d.methods import VIRTUAL, MethodSettings
from crewe.stem4d.rotation import ScanOrientation
from crewe.workflows.observer import Observer
from crewe.workflows.phase_plan import PhasePlan, radii_in_px

GIVEN, MEAN_PATTERN = "given", "from the mean pattern"
SEMI_ANGLE = "from the semi-angle, about the centre of mass of the mean pattern"
UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class Calibration:
    """The bright-field disk, the scan and the beam, and where each was taken from."""

    scan: Scan
    known: Known
    centre: tuple[float, float]
    """Centre (ky, kx) of the bright-field disk in detector pixels."""
    radius_px: float
    """Its radius in detector pixels; 1 where no disk was found, nor is needed."""
    rings: dict[str, Annulus]
    """Virtual detectors in detector pixels."""
    sampling_inverse_angstrom: tuple[float, float] | None
    """Size (ky, kx) of a detector pixel in 1/Å."""
    origin: dict[str, str]
    """Where centre, radius, rotation and handedness (mirrored) come from."""
    orientation: ScanOrientation | None = None
    """What the data said of rotation and handedness, if they were asked."""

    @property
    def has_disk(self) -> bool:
        """Whether the bright-field disk is known."""
        return self.origin["radius"] != UNDETERMINED

    def note(self) -> dict[str, Any]:
        """Return all by name, as YAML and JSON know it."""
        sampling, found = self.sampling_inverse_angstrom, self.orientation
        return {
            "centre_px": [round(value, 4) for value in self.centre],
            "centre_from": self.origin["centre"],
            "radius_px": round(self.radius_px, 4) if self.has_disk else None,
            "radius_from": self.origin["radius"],
            "rotation_degrees": round(self.scan.rotation_degrees, 4),
            "mirrored": self.scan.mirrored,
            "rotation_from": self.origin["rotation"],
            "mirrored_from": self.origin["mirrored"],
            "orientation_found": None if found is None else orientation_note(found),
            "detector_sampling_inverse_angstrom": None if sampling is None else list(sampling),
        }


def orientation_note(found: ScanOrientation) -> dict[str, Any]:
    """Round numbers; JSON knows none without end, which stand for what was given."""
    return {
        name: value if isinstance(value, bool) else _rounded(float(value))
        for name, value in asdict(found).items()
    }


def _rounded(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def calibrate(
    plan: PhasePlan, pattern: NDArray[Any], scan: Scan, known: Known, observer: Observer
) -> Calibration:
    """Find what the plan leaves to the data in the mean pattern (ky, kx).

    Raises ImageError when no disk is found where a method needs it, PlanError for radii that
    cannot be turned into pixels.
    """
    centre, radius_px, origin = _disk(plan, pattern, known, observer)
    if origin["radius"] == UNDETERMINED:
        known = replace(known, convergence_semi_angle_mrad=None)
    found = Calibration(scan, known, centre, radius_px, {}, None, origin)
    sampling = method_settings(plan, found).sampling_inverse_angstrom()
    rings = _rings(plan, radius_px, _mrad_per_px(known, sampling))
    found = replace(found, rings=rings, sampling_inverse_angstrom=sampling)
    usual = method_settings(plan, found).virtual_detectors(plan.methods)
    shown = {name: one for name, one in usual.items() if isinstance(one, Annulus)}
    return replace(found, rings=shown)


def method_settings(plan: PhasePlan, calibration: Calibration) -> MethodSettings:
    """Return what the methods need to know."""
    named = {name: ring for name, ring in calibration.rings.items() if name in plan.detectors}
    return MethodSettings(
        calibration.scan,
        calibration.centre,
        calibration.radius_px,
        calibration.known,
        plan.reference,
        plan.normalise,
        plan.kernel,
        None if plan.band is None else plan.band.in_steps(calibration.scan),
        plan.boundary,
        named,
        plan.ssb_transfer,
        plan.ssb_across,
        plan.ssb_memory_gib,
    )


def needs_disk(plan: PhasePlan) -> bool:
    """Whether an image, or the calibration asked for, depends on the bright-field disk."""
    usual = any(name == "ssb" or name in VIRTUAL for name in plan.methods)
    return usual or bool(plan.detectors) or plan.semi_angle_mrad is not None


def _disk(
    plan: PhasePlan, pattern: NDArray[Any], known: Known, observer: Observer
) -> tuple[tuple[float, float], float, dict[str, str]]:
    origin = dict.fromkeys(("centre", "radius", "rotation", "mirrored"), GIVEN)
    if plan.centre != "auto" and plan.radius_px != "auto":
        return plan.centre, plan.radius_px, origin
    try:
        disk = bright_field(pattern)
        centre, radius_px = disk.centre, disk.radius_px
        there = MEAN_PATTERN
    except ImageError as error:
        centre, radius_px, there = _expected_disk(pattern, known)
        if there == UNDETERMINED and needs_disk(plan):
            said = f"{error}, as in --centre 127.5,128 --radius 40"
            raise ImageError(said) from error
        if there == SEMI_ANGLE:
            observer.warning(f"{error}; the radius is {radius_px:.1f} px by the semi-angle")
    if plan.centre == "auto":
        origin["centre"] = there
    else:
        centre = plan.centre
    if plan.radius_px == "auto":
        origin["radius"] = there
    else:
        radius_px = plan.radius_px
    return centre, radius_px, origin


def _expected_disk(pattern: NDArray[Any], known: Known) -> tuple[tuple[float, float], float, str]:
    """Place the disk by the pattern's centre of mass, as large as the calibration says."""
    ky, kx = np.indices(pattern.shape)
    total = pattern.sum() or 1.0
    centre = float((ky * pattern).sum() / total), float((kx * pattern).sum() / total)
    sampling = known.detector_sampling_inverse_angstrom
    energy, angle = known.beam_energy_kev, known.convergence_semi_angle_mrad
    if sampling is None or energy is None or angle is None or pattern.sum() <= 0:
        return centre, 1.0, UNDETERMINED
    cutoff = 1e-3 * angle / wavelength_angstrom(energy)
    return centre, cutoff / float(np.sqrt(sampling[0] * sampling[1])), SEMI_ANGLE


def _rings(plan: PhasePlan, radius_px: float, mrad_per_px: float | None) -> dict[str, Annulus]:
    rings = {}
    for name, ring in plan.detectors.items():
        try:
            rings[name] = Annulus(*radii_in_px(ring, radius_px, mrad_per_px))
        except PlanError as error:
            raise PlanError(f"detector {name}: {error}") from error
    return rings


def _mrad_per_px(known: Known, sampling: tuple[float, float] | None) -> float | None:
    if sampling is None or known.beam_energy_kev is None:
        return None
    return (
        1e3 * float(np.sqrt(sampling[0] * sampling[1])) * wavelength_angstrom(known.beam_energy_kev)
    )
