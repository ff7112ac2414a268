"""From a running detector to images while it runs, a recording and a result."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import Any

from crewe.errors import CreweError, ReadError, SourceError
from crewe.sources import Batch, Source
from crewe.stem4d.methods import Methods, MethodSettings
from crewe.stem4d.reduction import reduce
from crewe.workflows.first_batches import Followed, look_for_disk
from crewe.workflows.interrupts import closed_when
from crewe.workflows.live_orientation import OrientationFinder
from crewe.workflows.live_plan import LivePlan
from crewe.workflows.live_result import LiveImages, live_result, write_live_result
from crewe.workflows.live_session import LiveSession
from crewe.workflows.live_settings import annuli
from crewe.workflows.live_source import check_stream_recording, open_detector
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.phase_calibration import GIVEN, MEAN_PATTERN, UNDETERMINED
from crewe.workflows.phase_output import check_phase_output, counters_note
from crewe.workflows.recording import Recorder, check_recording

SECONDS_BETWEEN_REPORTS = 0.5

Viewer = Callable[[LiveSession], AbstractContextManager[Any]]
"""Shows a run while it is entered."""


def run_live(
    plan: LivePlan,
    observer: Observer | None = None,
    *,
    viewer: Viewer | None = None,
    source: Source | None = None,
    overwrite: bool = False,
) -> LiveImages:
    """Follow a detector until its scans are over or somebody stops it, by Ctrl-C or in a viewer.

    Images and recording are kept of all that came, also when the detector or the recording fails:
    then the error is raised after they were written. `source` takes the place of the detector of
    the plan. Writes what `crewe phase` writes, where the plan has an output. Raises CreweError when
    the detector cannot be used, no data came, or nothing can be written.
    """
    told = observer or Silent()
    told.started(plan.address)
    _check_places(plan, overwrite)
    session = LiveSession(plan)
    with ExitStack() as stack:
        if viewer is not None:
            stack.enter_context(viewer(session))
        try:
            told.stage_started("waiting for the detector")
            opened = source if source is not None else open_detector(plan, overwrite)
            followed = stack.enter_context(Followed(opened))
            problem = _follow(session, followed, told, overwrite)
            told.stage_started("writing")
            result = live_result(session)
            write_live_result(result, overwrite)
            _tell_faults(result, told)
        except BaseException as error:
            session.became(f"failed: {error}", ended=True)
            raise
        session.became(f"failed: {problem}" if problem else _ending(session), ended=True)
    if problem is not None:
        raise problem
    told.finished(result.in_words())
    return result


def _follow(
    session: LiveSession, followed: Followed, told: Observer, overwrite: bool
) -> CreweError | None:
    """Take all data into the session; returns what ended them before their time."""
    session.opened(followed)
    recorder = _recorder(session, followed, overwrite)
    problem: CreweError | None = None
    whole = False
    try:
        with closed_when(session.stopping, lambda: session.became("stopping"), followed.close):
            methods = _methods(session, followed, told)
            session.begin(methods)
            heard = _Heard(session, recorder, told)
            reduce(followed, methods.reduction, session.plan.threads, heard)
            heard.orientation.ended()
        whole = not session.stopping.is_set()
    except (SourceError, ReadError) as error:
        # A source that was closed in the middle of a batch may complain of it.
        problem = None if session.stopping.is_set() else error
    except CreweError as error:
        problem = error
    finally:
        session.became("writing")
        failed = _close(recorder, session, whole)
    if session.methods is None:
        raise problem or SourceError(f"{session.plan.address}: stopped before any data came")
    return problem or failed


def _methods(session: LiveSession, followed: Followed, told: Observer) -> Methods:
    plan, known = session.plan, session.plan.known(followed.known)
    disk = _disk(session, followed, told)
    session.knobs = replace(session.knobs, radius_from=disk.radius_from)
    if not session.knobs.has_disk:
        # With a radius that is no disk's the semi-angle would calibrate the detector at random.
        session.knobs = replace(session.knobs, semi_angle_mrad=known.convergence_semi_angle_mrad)
        known = replace(known, convergence_semi_angle_mrad=None)
    scan = plan.scan_record
    settings = MethodSettings(
        scan,
        disk.centre,
        disk.radius_px,
        known,
        reference=disk.centre if plan.reference == "centre" else None,
        kernel_size=plan.kernel,
        band=None if plan.band is None else plan.band.in_steps(scan),
    )
    try:
        rings = annuli(plan.detectors, settings, plan.methods)
        settings = replace(settings, detectors=rings)
        return Methods(plan.methods, settings, followed.detector_shape, plan.repeats)
    except CreweError as error:
        if session.knobs.has_disk:
            raise
        raise type(error)(f"{session.remark}: give --centre and --radius ({error})") from error


@dataclass(frozen=True)
class _Disk:
    centre: tuple[float, float]
    radius_px: float
    radius_from: str = GIVEN


def _disk(session: LiveSession, followed: Followed, told: Observer) -> _Disk:
    """Return the bright-field disk: that of the plan, or as it is found, or somewhere."""
    plan = session.plan
    if plan.centre != "auto" and plan.radius_px != "auto":
        return _Disk(plan.centre, plan.radius_px)
    told.stage_started("looking at the first patterns")
    look = look_for_disk(followed)
    if not look.any_came:
        words = session.counters.in_words()
        raise SourceError(f"{plan.address}: no pattern of a scan came ({words})")
    rows, columns = followed.detector_shape
    if look.disk is None:
        disk = _Disk(((rows - 1) / 2, (columns - 1) / 2), min(rows, columns) / 4, UNDETERMINED)
        session.remark = f"no bright-field disk found ({look.problem})"
        told.warning(f"{session.remark}: give --centre and --radius, or find it again on the page")
    else:
        disk = _Disk(look.disk.centre, look.disk.radius_px, MEAN_PATTERN)
    if plan.centre != "auto":
        disk = replace(disk, centre=plan.centre)
    if plan.radius_px != "auto":
        disk = replace(disk, radius_px=plan.radius_px, radius_from=GIVEN)
    if disk.radius_from != UNDETERMINED:
        y, x = disk.centre
        told.message(f"bright-field disk about {y:.2f}, {x:.2f} of {disk.radius_px:.2f} px")
    return disk


class _Heard:
    """What is done with each batch once it was added: recorded, shown, told now and then.

    An observer may offer progress(text), which hears how far and how fast it is.
    """

    def __init__(self, session: LiveSession, recorder: Recorder | None, told: Observer) -> None:
        self._session, self._recorder = session, recorder
        self.orientation = OrientationFinder(session, told)
        self._progress = getattr(told, "progress", None)
        self._next = time.monotonic() + SECONDS_BETWEEN_REPORTS

    def __call__(self, batch: Batch) -> None:
        if self._recorder is not None:
            self._recorder.put(batch)
        self._session.heard(batch)
        self.orientation.heard(batch)
        now = time.monotonic()
        if self._progress is not None and now > self._next:
            self._next = now + SECONDS_BETWEEN_REPORTS
            self._progress(self._session.progress_in_words())


def _recorder(session: LiveSession, followed: Followed, overwrite: bool) -> Recorder | None:
    # Events are recorded by their source, byte for byte.
    plan = session.plan
    if plan.record is None or plan.record.suffix != ".zarr":
        return None
    known = plan.known(followed.known)
    shape = followed.detector_shape
    recorder = Recorder(plan.record, plan.scan_record, shape, known, overwrite=overwrite)
    session.recorded = recorder.in_words
    return recorder


def _close(recorder: Recorder | None, session: LiveSession, whole: bool) -> CreweError | None:
    if recorder is None:
        return None
    notes = {"plan": session.plan.settings(), "counters": counters_note(session.counters)}
    try:
        recorder.close(whole, notes)
    except CreweError as error:
        return error
    return None


def _check_places(plan: LivePlan, overwrite: bool) -> None:
    if plan.output is not None:
        check_phase_output(plan.output, overwrite)
    if plan.record is not None:
        zarr = plan.record.suffix == ".zarr"
        (check_recording if zarr else check_stream_recording)(plan.record, overwrite)


def _tell_faults(result: LiveImages, told: Observer) -> None:
    for fault, times in result.counters.faults.items():
        told.warning(f"{fault} ({times:,} times)" if times > 1 else fault)


def _ending(session: LiveSession) -> str:
    return "stopped" if session.stopping.is_set() else "finished"
