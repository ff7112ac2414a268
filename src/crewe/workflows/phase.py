"""From 4D-STEM data to phase images and virtual detectors: plan, files, provenance."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ReadError
from crewe.sources import Counters, Source
from crewe.sources.bad_pixels import WithoutBadPixels, without_bad_pixels
from crewe.stem4d.methods import Methods
from crewe.stem4d.reduction import reduce
from crewe.workflows.fingerprint import fingerprint
from crewe.workflows.many import Finished
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.phase_bad_pixels import Replaced, replaced_pixels
from crewe.workflows.phase_calibration import (
    Calibration,
    calibrate,
    method_settings,
)
from crewe.workflows.phase_centres import check_centres
from crewe.workflows.phase_faults import reasons
from crewe.workflows.phase_open import known_of, opened, origin_of_scan, scan_of
from crewe.workflows.phase_orientation import with_orientation
from crewe.workflows.phase_output import (
    check_phase_output,
    noted_files,
    overview,
    read_note,
    summary_of,
    write_phase_result,
)
from crewe.workflows.phase_plan import PhasePlan
from crewe.workflows.phase_progress import PhaseProgress
from crewe.workflows.phase_sample import sample
from crewe.workflows.portable_path import portable_path
from crewe.workflows.provenance import versions

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class PhaseImages:
    """Result of a plan."""

    plan: PhasePlan
    images: dict[str, xr.DataArray]
    """Images (y, x) by name, NaN where nothing was measured."""
    pattern: NDArray[np.float64]
    """Mean pattern (ky, kx) of a sample of the data, bad pixels replaced."""
    calibration: Calibration
    """What was found or given: disk, scan rotation, detector."""
    counters: Counters
    summary: dict[str, Any]
    """The result in numbers; can be written as JSON."""


def run_phase(
    plan: PhasePlan, observer: Observer | None = None, *, overwrite: bool = False
) -> PhaseImages:
    """Make all images of a plan in one pass over its data and write them.

    Writes OUT/NAME.tif for each image, calibrated where the data are, OUT/overview.png and
    OUT/phase.yaml with plan, calibration, counters, versions and checksum. Raises CreweError when
    the data cannot be used or the output not be written.
    """
    told = observer or Silent()
    told.started(plan.data.name)
    check_phase_output(plan.output, overwrite)
    result = make_images(plan, told)
    told.stage_started("writing")
    note = {**_provenance(plan), "paths": _paths(plan), **result.summary}
    write_phase_result(
        plan.output,
        result.images,
        note,
        picture_of(result),
        suffix=plan.format,
        overwrite=overwrite,
    )
    told.finished(f"{', '.join(result.images)} written to {plan.output}")
    return result


def phase_unless_finished(
    plan: PhasePlan, observer: Observer, *, overwrite: bool = False
) -> Finished:
    """Carry out a plan, or take the result that its output already holds."""
    note = None if overwrite else read_note(plan.output)
    if note is not None and all(path.exists() for path in noted_files(plan.output, note)):
        now = _provenance(plan)
        if all(note.get(key) == now[key] for key in now):
            observer.started(plan.data.name)
            observer.finished(f"skipped, {plan.output} already holds this result")
            known = {*now, "paths"}
            return Finished({key: note[key] for key in note if key not in known}, skipped=True)
    return Finished(run_phase(plan, observer, overwrite=overwrite).summary)


def make_images(
    plan: PhasePlan,
    observer: Observer | None = None,
    opener: Callable[[PhasePlan], Source] | None = None,
) -> PhaseImages:
    """Make the images of a plan without writing them; `opener` opens its data, twice."""
    told, opener = observer or Silent(), opener or opened
    told.stage_started("looking at the patterns")
    with opener(plan) as source:
        mean = sample(source)
    replaced = replaced_pixels(plan, mean, told)
    pattern = replaced.in_pattern(mean.pattern)
    with without_bad_pixels(opener(plan), replaced.mask) as source:
        scan, known = scan_of(plan, source), known_of(plan, source)
        scan_from = origin_of_scan(plan, source.source)
        if hasattr(source.source, "scan_from") and plan.scan is None:
            told.message(f"scan of {scan.shape[0]} × {scan.shape[1]} from the {scan_from}")
        calibration = calibrate(plan, pattern, scan, known, told)
        settings = method_settings(plan, calibration)
        methods = Methods(plan.methods, settings, source.detector_shape, plan.repeats)
        progress = PhaseProgress(told, scan)
        told.stage_started("reading")
        reduce(source, methods.reduction, plan.threads or _cores(), progress.heard)
        counters = source.counters
        told.message(f"{progress.in_words()}; {counters.in_words()}")
    measured = float(methods.moments.measured.mean())
    _check_measured(measured, plan, counters, told)
    without_centre = check_centres(methods, told)
    calibration = with_orientation(plan, calibration, methods, told)
    told.stage_started("making images")
    methods.change(scan=calibration.scan)
    images = methods.images()
    summary = summary_of(
        images, calibration.scan, calibration.note(), calibration.known, measured, counters
    )
    summary |= {
        "scan_from": scan_from,
        "patterns_without_centre_of_mass": without_centre,
        "bad_pixels": _bad_pixels_note(replaced, source),
    }
    return PhaseImages(plan, images, pattern, calibration, counters, summary)


def picture_of(result: PhaseImages) -> bytes:
    """Draw all images, the mean pattern with the detectors on it, as PNG."""
    calibration = result.calibration
    radius_px = calibration.radius_px if calibration.has_disk else None
    return overview(
        result.images,
        result.pattern,
        calibration.centre,
        radius_px,
        calibration.rings,
        result.plan.data.name,
    )


def _check_measured(
    measured: float, plan: PhasePlan, counters: Counters, observer: Observer
) -> None:
    if measured == 0:
        raise ReadError(
            f"{plan.data.name}: no pattern fell on a probe position ({reasons(counters)}): "
            "check --scan, --dwell and --sync-offset"
        )
    if measured < 1:
        observer.warning(f"{100 * (1 - measured):.2g} % of the probe positions were not measured")
    for fault, times in counters.faults.items():
        observer.warning(f"{fault} ({times:,} times)" if times > 1 else fault)


def _bad_pixels_note(replaced: Replaced, source: WithoutBadPixels) -> dict[str, Any]:
    note = replaced.note()
    return note | {"electrons_left_out": source.left_out} if source.left_out else note


def _provenance(plan: PhasePlan) -> dict[str, Any]:
    return {
        "plan": plan.settings(),
        "data": fingerprint(plan.data),
        "versions": versions(),
    }


def _paths(plan: PhasePlan) -> dict[str, str]:
    """Where the data lie; no part of the provenance, for they may be moved."""
    return {"data": portable_path(plan.data, plan.output)}


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
