"""The detector that a live plan names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crewe.errors import WriteError
from crewe.sources import Source
from crewe.sources.opening import open_source
from crewe.workflows.live_plan import LivePlan
from crewe.workflows.output_folder import check_folder, remove_files

ENDLESS = 2**40
"""Scans."""


def open_detector(plan: LivePlan, overwrite: bool = False) -> Source:
    """Connect to a Merlin or listen for a Timepix3, whose raw stream is recorded where asked for.

    Raises SourceError for a detector that cannot be used, WriteError for a recording in the way.
    """
    options: dict[str, Any] = {"scans": plan.scans, "patience_s": plan.patience_s}
    if plan.detector == "merlin":
        options |= _merlin(plan)
    else:
        options |= {"chips": plan.chips, "place_by": plan.place_by, "channel": plan.tdc_channel}
        options["acceptance_us"] = plan.acceptance_us
        if plan.record is not None:
            if plan.record.exists() and not overwrite:
                raise WriteError(
                    f"{plan.record} exists: choose another name or pass overwrite=True"
                )
            remove_files([plan.record])
            options["record_to"] = plan.record
    return open_source(f"{plan.detector}://{plan.place}", plan.scan_record, **options)


def check_stream_recording(path: Path, overwrite: bool) -> None:
    """Raise WriteError unless a raw stream can be recorded to that file."""
    check_folder(path.parent)
    if not path.parent.is_dir():
        raise WriteError(f"cannot write {path}: the folder {path.parent} does not exist")
    if path.exists() and not overwrite:
        raise WriteError(f"{path} exists: choose another name or pass overwrite=True")


def _merlin(plan: LivePlan) -> dict[str, Any]:
    from crewe.sources.merlin.control import AcquisitionSettings

    settings = AcquisitionSettings(
        counter_depth=plan.counter_depth,
        # 24 bits use both counters.
        continuous=plan.counter_depth != 24,
        trigger=plan.trigger,
        trigger_per=plan.trigger_per,
    )
    return {
        "command_port": plan.command_port,
        "settings": settings,
        # One acquisition after another, commanded or started by the operator.
        "scans": ENDLESS if plan.scans is None else plan.scans,
    }
