"""The files of a fusion: maps, their standard errors, and a note that vouches for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from crewe import io
from crewe.errors import PlanError, WriteError
from crewe.io.atomic import atomic_path
from crewe.workflows.fuse_plan import NOTE_NAME, FusePlan
from crewe.workflows.output_folder import check_folder, make_folder, remove_files
from crewe.workflows.portable_path import portable_path
from crewe.workflows.provenance import sha256, versions

if TYPE_CHECKING:
    import xarray as xr

ERROR_SUFFIX = "_standard_error"


def provenance_of(plan: FusePlan) -> dict[str, Any]:
    """Return settings, checksums of all inputs and versions. Raises ReadError for a missing one."""
    checksums = {name: sha256(path) for name, path in plan.inputs.items()}
    return {"plan": plan.settings(), "sha256": checksums, "versions": versions()}


def paths_of(plan: FusePlan) -> dict[str, str]:
    """Where the inputs lie; no part of the provenance, for they may be moved."""
    return {name: portable_path(path, plan.output) for name, path in plan.inputs.items()}


def map_files(plan: FusePlan, elements: Iterable[str]) -> dict[str, Path]:
    """Return the files of maps and standard errors by name, such as 'Co_standard_error'."""
    names = list(elements)
    if plan.standard_error != "none":
        names += [f"{element}{ERROR_SUFFIX}" for element in names]
    return {name: plan.output / f"{name}.{plan.format}" for name in names}


def check_fuse_output(plan: FusePlan, overwrite: bool) -> None:
    """Raise WriteError when a result may not, or could not, be written in a folder."""
    check_folder(plan.output)
    if plan.note.exists() and not overwrite:
        raise WriteError(
            f"{plan.output} holds the result of other settings, other inputs or another version: "
            "choose another folder with -o, or replace it with --overwrite"
        )


def check_files(plan: FusePlan, elements: Iterable[str], overwrite: bool) -> None:
    """Raise before the work where a file would be replaced that must not be.

    PlanError where it is an input, which --overwrite must not replace either; else WriteError.
    """
    inputs = {path.resolve() for path in plan.inputs.values()}
    for file in map_files(plan, elements).values():
        if file.resolve() in inputs:
            raise PlanError(f"{file} is an input: choose another folder with -o")
        if file.exists() and not overwrite:
            raise WriteError(
                f"{file} exists: choose another folder with -o, or replace it with --overwrite"
            )


def write_maps(
    plan: FusePlan,
    maps: Mapping[str, xr.DataArray],
    note: Mapping[str, Any],
    overwrite: bool,
) -> None:
    """Write maps and standard errors by name; what a replaced note vouched for is removed first.

    Raises WriteError.
    """
    make_folder(plan.output)
    if overwrite:
        before = read_fuse_note(plan.output)
        remove_files([plan.note, *(noted_maps(plan.output, before).values() if before else ())])
    said = json.dumps(note, ensure_ascii=False)
    for name, path in map_files(plan, maps_only(maps)).items():
        io.write(path, maps[name].assign_attrs(fusion=said), overwrite)


def write_note(plan: FusePlan, note: Mapping[str, Any], overwrite: bool) -> None:
    """Write the note, which vouches for the other files, as the last of them."""
    with atomic_path(plan.note, overwrite) as temporary:
        text = yaml.safe_dump(dict(note), sort_keys=False, allow_unicode=True)
        temporary.write_text(text, encoding="utf-8")


def read_fuse_note(output: Path) -> dict[str, Any] | None:
    """Return the note of a folder; None where there is none, or none that can be read."""
    try:
        note = yaml.safe_load((output / NOTE_NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    return note if isinstance(note, dict) else None


def noted_maps(output: Path, note: Mapping[str, Any]) -> dict[str, Path]:
    """Return the maps that a note vouches for by name, those outside its folder excepted."""
    names = note.get("files")
    named = names if isinstance(names, list) else []
    inside = [name for name in named if isinstance(name, str) and Path(name).name == name]
    return {Path(name).stem: output / name for name in inside}


def maps_only(names: Iterable[str]) -> list[str]:
    """Return the elements among names of maps and standard errors."""
    return [name for name in names if not name.endswith(ERROR_SUFFIX)]
