"""What is wrong with a recipe, in sentences that name the file and the line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from crewe.recipes.lines import Lines

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails


def complaints(error: ValidationError, part: type[BaseModel], lines: Lines) -> Iterator[str]:
    """Say one sentence for each mistake that pydantic found, with its place and line.

    A list with a wrong item is not blamed for being too short as well.
    """
    mistakes = error.errors()
    parents = {one["loc"][:length] for one in mistakes for length in range(len(one["loc"]))}
    for mistake in mistakes:
        place = tuple(mistake["loc"])
        if place in parents:
            continue
        where = lines.say(place)
        key = ".".join(map(str, place)) or "the whole"
        if mistake["type"] == "extra_forbidden":
            yield f"{where}: unknown key {key}{_nearest(str(place[-1]), part)}"
        elif mistake["type"] == "missing":
            yield f"{where}: {key} is missing"
        else:
            yield f"{where}: {key}: {_said(mistake, lines.word(place))}"


def _said(mistake: ErrorDetails, written: str | None) -> str:
    given = mistake["input"]
    if mistake["type"] != "string_type" or given is None or isinstance(given, (dict, list, tuple)):
        return mistake["msg"].removeprefix("Value error, ")
    word = given if written is None else written
    return f'expected a word, not {word}: write it in quotes, as in "{word}"'


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
