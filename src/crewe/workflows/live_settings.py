"""The knobs of a live run: what they stand at, and what turning them means."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError
from crewe.physics.electron import wavelength_angstrom
from crewe.sources import Known, Scan
from crewe.stem4d.calibration import bright_field
from crewe.stem4d.detectors import Annulus, usual_detectors
from crewe.stem4d.methods import VIRTUAL, Methods, MethodSettings
from crewe.stem4d.ricom_kernel import Band
from crewe.stem4d.rotation import ScanOrientation, scan_orientation
from crewe.workflows.live_plan import LiveChange
from crewe.workflows.phase_calibration import GIVEN, MEAN_PATTERN, UNDETERMINED
from crewe.workflows.phase_plan import DetectorRing, radii_in_px

UNTURNED = (*VIRTUAL, "total", "ssb")
"""Methods that know no vacuum reference, and whose images rotation leaves as they are."""


@dataclass(frozen=True)
class Knobs:
    """What a viewer may turn, beside what MethodSettings hold."""

    rings: dict[str, DetectorRing] = field(default_factory=dict)
    """Detectors that are not at their usual radii."""
    reference: Literal["mean", "centre"] = "mean"
    radius_from: str = GIVEN
    """Where the radius of the bright-field disk comes from."""
    semi_angle_mrad: float | None = None
    """What calibrates the detector as soon as an undetermined radius is known."""
    orientation: ScanOrientation | None = None
    """What the data said of rotation and handedness, where these are still in use."""

    @property
    def has_disk(self) -> bool:
        """Whether the radius is that of a bright-field disk."""
        return self.radius_from != UNDETERMINED


def turned(
    knobs: Knobs,
    change: LiveChange,
    methods: Methods,
    mean_pattern: Callable[[], NDArray[np.float64] | None],
) -> Knobs:
    """Apply a change to the methods, all of it or, when it raises, none; returns the new knobs."""
    now = methods.settings
    centre, radius = _disk(change, now, mean_pattern)
    scan, orientation = _scan(change, methods)
    new = replace(
        knobs,
        rings=_rings(knobs, change, methods),
        reference=change.reference or knobs.reference,
        radius_from=_radius_from(knobs, change),
        orientation=knobs.orientation if scan == now.scan else orientation,
    )
    wanted: dict[str, Any] = {
        "scan": scan,
        "centre": centre,
        "radius_px": radius,
        "known": now.known if knobs.has_disk or not new.has_disk else _calibrated(knobs, now),
        "reference": centre if new.reference == "centre" else None,
        "kernel_size": _or(change.kernel_size, now.kernel_size),
        "band": _band(change, now),
    }
    detectors = annuli(new.rings, replace(now, **wanted), methods.names)
    methods.change(**wanted, detectors=detectors)
    return new


def in_use(knobs: Knobs, methods: Methods) -> dict[str, Any]:
    """Return the settings that the methods have, as LiveChange names them, for JSON."""
    now = methods.settings
    found: dict[str, Any] = {"centre": list(now.centre), "radius_px": now.radius_px}
    if set(methods.names) - {*UNTURNED}:
        found |= {
            "rotation_degrees": now.scan.rotation_degrees,
            "mirrored": now.scan.mirrored,
            "reference": knobs.reference,
        }
    if methods.ricom is not None:
        found |= {"kernel_size": now.kernel_size} | _band_in_use(now)
    if methods.virtual is not None:
        found["detectors"] = {
            name: [ring.inner_px, ring.outer_px if math.isfinite(ring.outer_px) else None]
            for name, ring in methods.virtual.detectors.items()
            if isinstance(ring, Annulus)
        }
    return found


def annuli(
    rings: Mapping[str, DetectorRing], settings: MethodSettings, methods: tuple[str, ...]
) -> dict[str, Annulus]:
    """Return rings in detector pixels; those of usual names keep their segments."""
    sampling, energy = settings.sampling_inverse_angstrom(), settings.known.beam_energy_kev
    mrad_per_px = None
    if sampling is not None and energy:
        mrad_per_px = float(np.mean(sampling)) * wavelength_angstrom(energy) * 1e3
    usual = usual_detectors([name for name in methods if name in VIRTUAL], settings.radius_px)
    return {
        name: Annulus(
            *radii_in_px(ring, settings.radius_px, mrad_per_px),
            usual[name].segments if name in usual else 1,
        )
        for name, ring in rings.items()
    }


def _disk(
    change: LiveChange,
    now: MethodSettings,
    mean_pattern: Callable[[], NDArray[np.float64] | None],
) -> tuple[tuple[float, float], float]:
    centre = now.centre if change.centre is None else change.centre
    radius = now.radius_px if change.radius_px is None else change.radius_px
    if centre == "auto" or radius == "auto":
        pattern = mean_pattern()
        if pattern is None:
            raise PlanError("there is no pattern yet to find the disk in")
        found = bright_field(pattern)
        centre = found.centre if centre == "auto" else centre
        radius = found.radius_px if radius == "auto" else radius
    return centre, radius


def _scan(change: LiveChange, methods: Methods) -> tuple[Scan, ScanOrientation | None]:
    """Return the scan as it shall lie, and what the data said when they were asked."""
    now = methods.settings.scan
    if change.rotation_degrees != "auto":
        angle = _or(change.rotation_degrees, now.rotation_degrees)
        mirrored = _or(change.mirrored, now.mirrored)
        return replace(now, rotation_degrees=angle, mirrored=mirrored), None
    with methods.reduction.lock:
        found = scan_orientation(methods.com, mirrored=change.mirrored)
    if not found.handedness_is_known:
        raise PlanError(
            "the data do not tell the scan rotation (the curl is the same for both handednesses): "
            "give rotation and handedness"
        )
    return found.of(now), found


def _radius_from(knobs: Knobs, change: LiveChange) -> str:
    if change.radius_px is None:
        return knobs.radius_from
    return MEAN_PATTERN if change.radius_px == "auto" else GIVEN


def _calibrated(knobs: Knobs, now: MethodSettings) -> Known:
    return replace(now.known, convergence_semi_angle_mrad=knobs.semi_angle_mrad)


def _rings(knobs: Knobs, change: LiveChange, methods: Methods) -> dict[str, DetectorRing]:
    rings = dict(knobs.rings)
    known = methods.virtual.detectors if methods.virtual is not None else {}
    for name, (inner, outer) in (change.detectors or {}).items():
        if name not in known:
            raise PlanError(f"no detector {name!r} is in use")
        if outer is not None and outer <= inner:
            raise PlanError(f"detector {name}: the inner radius must be below the outer")
        rings[name] = DetectorRing(inner=inner, outer=outer, unit="px")
    return rings


def _band(change: LiveChange, now: MethodSettings) -> Band | None:
    if "band" not in change.model_fields_set:
        return now.band
    if change.band is None:
        return None
    if now.scan.step_angstrom is None:
        return Band(*change.band)
    return Band.from_inverse_angstrom(*change.band, now.scan.step_angstrom)


def _band_in_use(now: MethodSettings) -> dict[str, Any]:
    step = now.scan.step_angstrom
    size = 1.0 if step is None else math.sqrt(step[0] * step[1])
    limits = now.band and [None if limit is None else limit / size for limit in now.band]
    return {"band": limits, "band_unit": "1/step" if step is None else "1/Å"}


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value
