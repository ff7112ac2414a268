"""The data of a phase plan, opened, and what is known of their scan and beam."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crewe.errors import PlanError
from crewe.sources import Known, Scan, Source
from crewe.sources.frame_count import scan_needed
from crewe.sources.opening import open_source
from crewe.workflows.phase_plan import PhasePlan

NOTHING = "nothing"
"""What MerlinFile.scan_from begins with where all frames are taken for one line."""
NOT_FILLED, INTERRUPTED = "frames do not fill the scan", "interrupted acquisition"
"""Faults of a file; an acquisition that its own text says was longer explains the first."""


def opened(plan: PhasePlan) -> Source:
    """Open the data of a plan.

    Raises PlanError for frames that do not fill the scan, or of which nobody says how they were
    scanned.
    """
    options: dict[str, Any] = {"dataset": plan.dataset, "acceptance_us": plan.acceptance_us}
    given = {name: value for name, value in options.items() if value is not None}
    given |= plan.source
    source = open_source(
        plan.data,
        plan.scan_record,
        beam_energy_kev=plan.beam_energy_kev,
        partial=plan.partial,
        **given,
    )
    faults = source.counters.faults
    if NOT_FILLED in faults and INTERRUPTED not in faults and not plan.partial:
        source.close()
        raise PlanError(source.counters.latest_fault.removeprefix(f"{NOT_FILLED}: "))
    if origin_of_scan(plan, source).startswith(NOTHING) and source.scan.size > 1:
        source.close()
        raise scan_needed(source.scan.size, plan.data.name)
    return source


def origin_of_scan(plan: PhasePlan, source: Source) -> str:
    """Say where rows and columns of the scan come from."""
    if plan.scan is not None:
        return "given"
    return str(getattr(source, "scan_from", "the data"))


def scan_of(plan: PhasePlan, source: Source) -> Scan:
    """Return the scan of a source with the calibration of the plan; rotation still to be found."""
    rotation = 0.0 if plan.rotation_degrees == "auto" else plan.rotation_degrees
    return replace(
        source.scan,
        step_angstrom=plan.step_angstrom or source.scan.step_angstrom,
        dwell_time_us=plan.dwell_time_us or source.scan.dwell_time_us,
        rotation_degrees=rotation,
        mirrored=plan.mirrored is True,
    )


def known_of(plan: PhasePlan, source: Source) -> Known:
    """Return what is known of the beam: from the plan, else from the data."""
    known = source.known
    return replace(
        known,
        beam_energy_kev=plan.beam_energy_kev or known.beam_energy_kev,
        convergence_semi_angle_mrad=plan.semi_angle_mrad or known.convergence_semi_angle_mrad,
    )
