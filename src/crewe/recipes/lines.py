"""Recipes as YAML whose mistakes are reported with file and line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from crewe.errors import RecipeError

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Lines:
    """Where each key of a recipe stands."""

    origin: str = "the recipe"
    """The name of the file."""
    of: Mapping[Place, int] = field(default_factory=dict)
    """Line (from 1) of each key path."""

    def say(self, place: Place) -> str:
        """Name the file and, where it is known, the line of a key or of its nearest parent."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.of:
                return f"{self.origin}, line {self.of[place[:length]]}"
        return self.origin


def read_yaml(path: Path) -> tuple[dict[str, Any], Lines]:
    """Read a YAML file and where its keys stand. Raises RecipeError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read as a recipe: {error}") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, origin: str = "the recipe") -> tuple[dict[str, Any], Lines]:
    """Parse YAML text and note where its keys stand. Raises RecipeError."""
    try:
        settings = yaml.safe_load(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        of = dict(_places(node))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        said = getattr(error, "problem", None) or str(error).replace("\n", " ")
        raise RecipeError(f"{origin}{line} is not valid YAML: {said}") from error
    if not isinstance(settings, dict):
        raise RecipeError(f"{origin} holds no recipe: expected keys and values")
    return settings, Lines(origin, of)


def _places(node: Any, place: Place = ()) -> Iterator[tuple[Place, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
            yield (*place, key.value), key.start_mark.line + 1
            yield from _places(value, (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*place, index), value.start_mark.line + 1
            yield from _places(value, (*place, index))


def complaints(error: ValidationError, part: type[BaseModel], lines: Lines) -> Iterator[str]:
    """Say one sentence for each mistake that pydantic found, with its place and line."""
    for mistake in error.errors():
        place = tuple(mistake["loc"])
        where = lines.say(place)
        key = ".".join(map(str, place))
        if mistake["type"] == "extra_forbidden":
            yield f"{where}: unknown key {key}{_nearest(str(place[-1]), part)}"
        elif mistake["type"] == "missing":
            yield f"{where}: {key} is missing"
        else:
            yield f"{where}: {key}: {mistake['msg'].removeprefix('Value error, ')}"


def _nearest(key: str, part: type[BaseModel]) -> str:
    known = set(_field_names(part, set()))
    near = difflib.get_close_matches(key, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _field_names(part: Any, seen: set[Any]) -> Iterator[str]:
    """Yield the names of the fields of a part and of the parts inside it."""
    if part in seen:
        return
    seen.add(part)
    for name, info in getattr(part, "model_fields", {}).items():
        yield name
        for inner in (info.annotation, *getattr(info.annotation, "__args__", ())):
            if hasattr(inner, "model_fields"):
                yield from _field_names(inner, seen)
