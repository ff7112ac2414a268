"""How the scan lies on the detector: what the plan gives, and what the data say of the rest."""

from __future__ import annotations

from dataclasses import replace

from crewe.errors import CreweError
from crewe.stem4d.methods import Methods
from crewe.stem4d.rotation import ScanOrientation, scan_orientation
from crewe.workflows.observer import Observer
from crewe.workflows.phase_calibration import UNDETERMINED, Calibration
from crewe.workflows.phase_plan import PhasePlan

LEAST_CURL, NOT_NEEDED = "from the least curl", "not needed"
ORIENTED = {"com", "field", "divergence", "icom", "ricom", "ssb"}
"""Methods whose images depend on how the scan lies on the detector."""


def with_orientation(
    plan: PhasePlan, calibration: Calibration, methods: Methods, observer: Observer
) -> Calibration:
    """Find scan rotation and handedness in the centres of mass, where the plan leaves them to it.

    Where the data do not tell, rotation 0 and not mirrored are taken, with a warning.
    """
    rotation = None if plan.rotation_degrees == "auto" else plan.rotation_degrees
    mirrored = None if plan.mirrored == "auto" else plan.mirrored
    if rotation is not None and mirrored is not None:
        return calibration
    if not set(methods.names) & ORIENTED:
        return _oriented(plan, calibration, NOT_NEEDED)
    try:
        found = scan_orientation(methods.com, mirrored=mirrored, rotation_degrees=rotation)
    except CreweError as error:
        observer.warning(f"{_assumed(plan)}: {error}")
        return _oriented(plan, calibration, UNDETERMINED)
    if not found.handedness_is_known:
        sought = "the handedness" if rotation is not None else "the scan rotation"
        observer.warning(
            f"the data do not tell {sought} (the curl is the same for both handednesses), so "
            f"{_assumed(plan)}: {_advice(plan)}"
        )
        return _oriented(plan, calibration, UNDETERMINED, found)
    if not found.sign_is_known:
        observer.warning(
            "the data tell the scan rotation up to 180°: bright and dark may be exchanged, "
            "then give it with --rotation"
        )
    observer.message(_in_words(found, rotation is None))
    turned = replace(calibration, scan=found.of(calibration.scan))
    return _oriented(plan, turned, LEAST_CURL, found)


def _assumed(plan: PhasePlan) -> str:
    if plan.rotation_degrees != "auto":
        return "a detector that is not mirrored is assumed"
    return "scan rotation 0 is assumed"


def _advice(plan: PhasePlan) -> str:
    if plan.rotation_degrees != "auto":
        return "give --mirrored or --no-mirrored"
    return "give it with --rotation, or --mirrored or --no-mirrored"


def _in_words(found: ScanOrientation, rotation_was_sought: bool) -> str:
    if not rotation_was_sought:
        least = f"by the least curl at {found.rotation_degrees:g}°"
        return f"the detector is {'' if found.mirrored else 'not '}mirrored, {least}"
    degrees, std = found.rotation_degrees, found.rotation_std_degrees
    return f"scan rotation {degrees:.1f} ± {std:.1f}°{', mirrored' if found.mirrored else ''}"


def _oriented(
    plan: PhasePlan,
    calibration: Calibration,
    origin: str,
    found: ScanOrientation | None = None,
) -> Calibration:
    given = {"rotation": plan.rotation_degrees, "mirrored": plan.mirrored}
    sought = {name: origin for name, value in given.items() if value == "auto"}
    return replace(calibration, origin={**calibration.origin, **sought}, orientation=found)
