"""Repeat what `crewe phase` wrote and compare every image with the stored one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.errors import PlanError
from crewe.workflows.fingerprint import fingerprint
from crewe.workflows.observer import Observer
from crewe.workflows.phase import make_images, run_phase
from crewe.workflows.phase_output import noted_files
from crewe.workflows.phase_plan import PhasePlan, phase_plan
from crewe.workflows.provenance import versions
from crewe.workflows.repeat_comparison import Comparison
from crewe.workflows.repeat_images import compare_images, stored_images
from crewe.workflows.repeat_request import (
    Request,
    entry_of,
    has_changed,
    input_of,
    noted_path,
    read_note,
    tell_versions,
)

if TYPE_CHECKING:
    import xarray as xr


def repeat_phase(request: Request, observer: Observer) -> Comparison:
    """Make the noted images again and compare them.

    Raises PlanError for a note that cannot be repeated, and ReadError when data or images are
    missing or the data are not the file that they were.
    """
    note = read_note(request.note)
    plan = _plan_of(note, request)
    _check_data(note, plan.data, request.note)
    before = stored_images(_files_of(note, request.note))
    tell_versions(note.get("versions"), versions(), observer)
    return compare_images(before, _images_of(plan, request, observer))


def _plan_of(note: Mapping[str, Any], request: Request) -> PhasePlan:
    noted = entry_of(note, "plan", dict, request.note)
    if "address" in noted:
        raise PlanError(
            f"{request.note} is of crewe live, and a detector does not send its data again: "
            "repeat what was recorded of it with crewe phase"
        )
    name = entry_of(noted, "data", str, request.note)
    data = input_of(request, name, noted_path(note, "data"))
    try:
        return phase_plan({**noted, "data": data, "output": request.output or Path()})
    except PlanError as error:
        raise PlanError(f"{request.note} is damaged, or of another version: {error}") from error


def _check_data(note: Mapping[str, Any], data: Path, path: Path) -> None:
    """Raise unless the data have the size and the ends that were noted."""
    noted = entry_of(note, "data", dict, path)
    then = entry_of(noted, "sha256_of_ends", str, path)
    now = fingerprint(data)
    if now != noted:
        raise has_changed(data, now["sha256_of_ends"], then)


def _files_of(note: Mapping[str, Any], path: Path) -> dict[str, Path]:
    entry_of(note, "files", list, path)
    files = {one.stem: one for one in noted_files(path.parent, note)}
    if not files:
        raise PlanError(f"{path} is damaged: it names no image. Make the result anew")
    return files


def _images_of(plan: PhasePlan, request: Request, observer: Observer) -> Mapping[str, xr.DataArray]:
    if request.output is not None:
        return run_phase(plan, observer, overwrite=request.overwrite).images
    observer.started(plan.data.name)
    images = make_images(plan, observer).images
    observer.finished(f"{', '.join(images)} made again")
    return images
