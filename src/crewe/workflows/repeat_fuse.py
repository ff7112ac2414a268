"""Repeat what `crewe fuse` wrote and compare every map with the stored one."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.errors import PlanError
from crewe.workflows.fuse import make_fusion, run_fusion
from crewe.workflows.fuse_output import map_files, noted_maps
from crewe.workflows.fuse_plan import FusePlan, fuse_plan
from crewe.workflows.fuse_store import Unfinished
from crewe.workflows.observer import Observer
from crewe.workflows.provenance import sha256, versions
from crewe.workflows.repeat_comparison import Comparison
from crewe.workflows.repeat_images import compare_images, stored_images
from crewe.workflows.repeat_request import (
    Request,
    entry_of,
    find_beside,
    has_changed,
    input_of,
    noted_path,
    read_note,
    tell_versions,
)

if TYPE_CHECKING:
    import xarray as xr


def repeat_fuse(request: Request, observer: Observer) -> Comparison:
    """Fuse the noted maps again and compare them, and their standard errors.

    Raises PlanError for a note that cannot be repeated, and ReadError when an input or a stored map
    is missing or an input is not the file that it was.
    """
    note = read_note(request.note)
    plan = _plan_of(note, request)
    _check_inputs(entry_of(note, "sha256", dict, request.note), plan, request.note)
    entry_of(note, "files", list, request.note)
    files = noted_maps(request.note.parent, note)
    if not files:
        raise PlanError(f"{request.note} is damaged: it names no map. Make the result anew")
    before = stored_images(files)
    tell_versions(note.get("versions"), versions(), observer)
    if request.output is None:
        return _compared_in_passing(plan, before, observer)
    elements = run_fusion(plan, observer, overwrite=request.overwrite).elements
    return compare_images(before, stored_images(map_files(plan, elements)))


def _compared_in_passing(
    plan: FusePlan, before: Mapping[str, xr.DataArray], observer: Observer
) -> Comparison:
    observer.started(plan.haadf.name)
    with tempfile.TemporaryDirectory(prefix="crewe.") as folder:
        there = plan.model_copy(update={"output": Path(folder) / "fused"})
        fused = make_fusion(there, Unfinished(Path(folder) / "parts", {}), observer)
        observer.finished(f"{', '.join(fused.elements)} fused again")
        return compare_images(before, fused.maps)


def _plan_of(note: Mapping[str, Any], request: Request) -> FusePlan:
    noted = entry_of(note, "plan", dict, request.note)
    name = entry_of(noted, "haadf", str, request.note)
    maps = entry_of(noted, "maps", dict, request.note)
    haadf = input_of(request, name, noted_path(note, "haadf"))
    places = {
        "haadf": haadf,
        "maps": {
            element: _map_of(request, element, str(file), note, haadf)
            for element, file in maps.items()
        },
        "output": request.output or Path(),
    }
    try:
        return fuse_plan({**noted, **places})
    except PlanError as error:
        raise PlanError(f"{request.note} is damaged, or of another version: {error}") from error


def _map_of(
    request: Request, element: str, name: str, note: Mapping[str, Any], haadf: Path
) -> Path:
    """Return where a map lies: beside a HAADF that was said to have moved, else as noted."""
    moved = haadf.parent / name
    if request.image is not None and moved.exists():
        return moved
    advice = "put it back there, or beside the image that --image names"
    return find_beside(request.note, name, noted_path(note, element), advice)


def _check_inputs(noted: Mapping[str, Any], plan: FusePlan, note: Path) -> None:
    """Raise unless all inputs have the checksums that were noted."""
    for name, path in plan.inputs.items():
        then, now = entry_of(noted, name, str, note), sha256(path)
        if now != then:
            raise has_changed(path, now, then)
