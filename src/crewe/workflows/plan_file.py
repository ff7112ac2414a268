"""Plans as YAML: readable, portable between machines, strict about unknown keys.

Paths inside a plan file are relative to the folder of that file, with forward
slashes, so that a folder of images and results can be moved as a whole.
"""

import difflib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from crewe.errors import PlanError
from crewe.workflows.plan import QuantifyPlan, is_network_file
from crewe.workflows.plan_part import PlanPart
from crewe.workflows.portable_path import portable_path
from crewe.workflows.yaml_mapping import read_mapping

PLAN_NAME = "plan.yaml"


def plan_from(settings: Mapping[str, Any], origin: str = "the plan") -> QuantifyPlan:
    """Build a plan from nested settings.

    Raises PlanError that names every wrong key (with the nearest right one) and
    every wrong value.
    """
    try:
        return QuantifyPlan.model_validate(settings)
    except ValidationError as error:
        complaints = "; ".join(_complaints(error))
        raise PlanError(f"{origin} cannot be run: {complaints}") from error


def load_plan(path: Path) -> QuantifyPlan:
    """Read a plan from YAML, its paths resolved against the file's folder.

    Raises PlanError when the file is missing, is not YAML or is not a plan.
    """
    return plan_from(read_settings(path), origin=str(path))


def read_settings(path: Path) -> dict[str, Any]:
    """Read the settings that a plan file holds, which may be part of a plan only."""
    settings = read_mapping(path, "those of a plan, such as 'image' and 'sampling'")
    return _with_paths(settings, lambda text: os.path.normpath(path.parent / text))


def to_yaml(plan: QuantifyPlan, folder: Path) -> str:
    """Write a plan as YAML text whose paths are relative to the folder."""
    settings = plan.model_dump(mode="json", exclude_none=True)
    portable = _with_paths(settings, lambda text: portable_path(Path(text), folder))
    return yaml.safe_dump(portable, sort_keys=False, allow_unicode=True)


def save_plan(plan: QuantifyPlan, path: Path, folder: Path | None = None) -> None:
    """Write a plan to a YAML file, its paths relative to the folder (default: the file's)."""
    path.write_text(to_yaml(plan, folder or path.parent), encoding="utf-8")


def _with_paths(settings: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    changed = dict(settings)
    for key in ("image", "output"):
        if isinstance(changed.get(key), str):
            changed[key] = change(changed[key])
    if _names_network(changed.get("restore")):
        changed["restore"] = change(changed["restore"])
    find = changed.get("find")
    if isinstance(find, dict) and _names_network(find.get("by")):
        changed["find"] = {**find, "by": change(find["by"])}
    intensity = changed.get("intensity")
    if isinstance(intensity, dict) and isinstance(intensity.get("detector_map"), str):
        changed["intensity"] = {**intensity, "detector_map": change(intensity["detector_map"])}
    return changed


def _names_network(value: Any) -> bool:
    return isinstance(value, str) and is_network_file(value)


def _complaints(error: ValidationError) -> list[str]:
    """Say each problem once; the branches of a union become one 'this or that'."""
    said: dict[str, list[str]] = {}
    for problem in error.errors():
        place = [str(step) for step in problem["loc"]]
        if problem["type"] == "extra_forbidden":
            said[f"unknown key '{'.'.join(place)}'{_nearest(place)}"] = []
            continue
        # What pydantic adds for the branches of a union is no key of ours.
        while len(place) > 1 and place[-1] not in _keys_below(place[:-1]):
            place.pop()
        text = problem["msg"].removeprefix("Value error, ").split(", unable")[0]
        text = text.removeprefix("Input should be ")
        isolated = not place or isinstance(problem["input"], dict | BaseModel)
        subject = ".".join(place) + ("" if isolated else f" = {problem['input']!r} should be")
        said.setdefault(subject, []).append(text)
    return [
        f"{subject} {' or '.join(dict.fromkeys(texts))}".strip() for subject, texts in said.items()
    ]


def _keys_below(place: list[str]) -> list[str]:
    """Return the keys that a plan knows at a place; none where the place holds a value."""
    part: type[BaseModel] = QuantifyPlan
    for step in place:
        if step.isdigit():
            continue
        field = part.model_fields.get(step)
        inner = None if field is None else _part_in(field.annotation)
        if inner is None:
            return []
        part = inner
    return list(part.model_fields)


def _part_in(annotation: Any) -> type[BaseModel] | None:
    """Return the part of a plan that an annotation holds: itself, an optional one, several."""
    if isinstance(annotation, type) and issubclass(annotation, PlanPart):
        return annotation
    found = (_part_in(argument) for argument in get_args(annotation))
    return next((part for part in found if part is not None), None)


def _nearest(place: list[str]) -> str:
    known = _keys_below(place[:-1])
    close = difflib.get_close_matches(place[-1], known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known keys: {', '.join(known)}"
