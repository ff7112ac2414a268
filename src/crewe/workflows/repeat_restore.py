"""Repeat what `crewe restore` wrote and compare image and trust map with the stored ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.errors import PlanError
from crewe.workflows.network_facts import made_with
from crewe.workflows.observer import Observer
from crewe.workflows.plan import is_network_file
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
from crewe.workflows.restore import RestorePlan, make_restoration, restore_plan, run_restoration

if TYPE_CHECKING:
    import xarray as xr


def repeat_restore(request: Request, observer: Observer) -> Comparison:
    """Restore the noted image again and compare it, and its trust map.

    Raises PlanError for a note that cannot be repeated, and ReadError when the image, the network
    or a stored file is missing or the image is not the file that it was.
    """
    note = read_note(request.note)
    then = entry_of(note, "image_sha256", str, request.note)
    plan, files = _plan_of(note, request)
    now = made_with(plan.model, plan.image)
    if now["image_sha256"] != then:
        raise has_changed(plan.image, now["image_sha256"], then)
    before = stored_images(files)
    network = entry_of(note, "network", dict, request.note)
    if any(network.get(key, value) != value for key, value in now["network"].items()):
        observer.warning(f"network {plan.model} is another one than that of the stored result")
    tell_versions(note.get("versions"), now["versions"], observer)
    return compare_images(before, _images_of(plan, request, observer))


def _plan_of(note: Mapping[str, Any], request: Request) -> tuple[RestorePlan, dict[str, Path]]:
    """Return the plan to be carried out, and the stored files of its result."""
    noted = entry_of(note, "plan", dict, request.note)
    name = entry_of(noted, "image", str, request.note)
    model = entry_of(noted, "model", str, request.note)
    try:
        stored = restore_plan({**noted, "output": request.note.parent})
    except PlanError as error:
        raise PlanError(f"{request.note} is damaged, or of another version: {error}") from error
    files = {"restored": stored.path("restored")}
    if stored.trust:
        files["trust"] = stored.path("trust")
    image = input_of(request, name, noted_path(note, "image"))
    if is_network_file(model):
        advice = "put the network back there, with its card"
        model = str(find_beside(request.note, model, noted_path(note, "model"), advice))
    now = {"image": image, "model": model, "output": request.output or Path()}
    return stored.model_copy(update=now), files


def _images_of(plan: RestorePlan, request: Request, observer: Observer) -> dict[str, xr.DataArray]:
    if request.output is not None:
        restored = run_restoration(plan, observer, overwrite=request.overwrite).restored
    else:
        observer.started(plan.image.name)
        restored = make_restoration(plan, observer).restored
        observer.finished("restored again")
    images = {"restored": restored.image}
    return images if restored.trust is None else {**images, "trust": restored.trust}
