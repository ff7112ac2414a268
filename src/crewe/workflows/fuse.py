"""From HAADF and element maps in files to fused maps: plan, files, provenance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crewe import io
from crewe.errors import PlanError
from crewe.workflows.fuse_inputs import open_inputs
from crewe.workflows.fuse_output import (
    check_files,
    check_fuse_output,
    map_files,
    noted_maps,
    paths_of,
    provenance_of,
    read_fuse_note,
    write_maps,
    write_note,
)
from crewe.workflows.fuse_plan import PAGE_NAME, FusePlan
from crewe.workflows.fuse_report import write_report
from crewe.workflows.fuse_result import Fusion, fusion_of, in_words
from crewe.workflows.fuse_stack import fit_inputs
from crewe.workflows.fuse_store import FOLDER_NAME, Unfinished
from crewe.workflows.many import Finished
from crewe.workflows.observer import Observer, Silent


def run_fusion(
    plan: FusePlan, observer: Observer | None = None, *, overwrite: bool = False
) -> Fusion:
    """Fuse the maps of a plan and write the results.

    Writes OUT/Co.tif and OUT/Co_standard_error.tif for each element, calibrated as the maps are,
    pictures, tables, OUT/report.html and, last, OUT/fusion.yaml with plan, checksums, versions and
    figures. Parts of stacks and of large images are kept in OUT/.unfinished until all are done.
    Raises CreweError when the inputs cannot be used or the output not be written.
    """
    told = observer or Silent()
    told.started(plan.haadf.name)
    check_fuse_output(plan, overwrite)
    provenance = provenance_of(plan)
    store = Unfinished(plan.output / FOLDER_NAME, provenance)
    result = make_fusion(plan, store, told, overwrite=overwrite)
    told.stage_started("writing")
    _write(result, provenance, overwrite)
    if result.summary["parts"] > 1:
        # What was put together lies in the store, and some systems keep files that are in use.
        written = map_files(plan, result.elements)
        result = replace(result, maps={name: io.read(path) for name, path in written.items()})
    store.remove()
    said = ", ".join(result.elements)
    told.finished(f"{in_words(result.summary)}{said} written to {plan.output}")
    return result


def make_fusion(
    plan: FusePlan, store: Unfinished, observer: Observer | None = None, *, overwrite: bool = True
) -> Fusion:
    """Fuse the maps of a plan without writing them; parts of large ones go to the store.

    Raises CreweError.
    """
    told = observer or Silent()
    told.stage_started("reading")
    inputs = open_inputs(plan)
    if plan.idle_sensitivity(inputs.elements):
        raise PlanError(plan.idle_sensitivity(inputs.elements))
    check_files(plan, inputs.elements, overwrite)
    for remark in inputs.remarks:
        told.message(remark)
    result = fusion_of(plan, inputs, fit_inputs(plan, inputs, store, told))
    for warning in result.summary["warnings"]:
        told.warning(warning)
    return result


def fuse_unless_finished(
    plan: FusePlan, observer: Observer, *, overwrite: bool = False
) -> Finished:
    """Carry out a plan, or take the result that its output already holds."""
    stored = None if overwrite else _stored(plan)
    if stored is not None:
        observer.started(plan.haadf.name)
        observer.finished(f"skipped, {plan.output} already holds this result")
        return Finished(stored, skipped=True)
    return Finished(run_fusion(plan, observer, overwrite=overwrite).summary)


def _write(result: Fusion, provenance: dict[str, Any], overwrite: bool) -> None:
    plan = result.plan
    files = [path.name for path in map_files(plan, result.elements).values()]
    note = {
        **provenance,
        "paths": paths_of(plan),
        "result": result.summary,
        "files": files,
    }
    write_maps(plan, result.maps, note, overwrite)
    # What a report draws is not the result: an old picture may be replaced by a new one.
    write_report(result, provenance, overwrite=True)
    write_note(plan, note, overwrite)


def _stored(plan: FusePlan) -> dict[str, Any] | None:
    """Return the summary of the very same result, where the output holds it already."""
    note = read_fuse_note(plan.output)
    if note is None or not (plan.output / PAGE_NAME).exists():
        return None
    files = noted_maps(plan.output, note)
    if not files or not all(path.exists() for path in files.values()):
        return None
    now = provenance_of(plan)
    if any(note.get(key) != now[key] for key in now):
        return None
    return dict(note["result"]) if isinstance(note.get("result"), dict) else None
