"""What is wrong with a recipe, in sentences that name the file and the line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from crewe.recipes.lines import Lines, Place

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails


def complaints(
    error: ValidationError, part: type[BaseModel], lines: Lines, settings: Any
) -> Iterator[str]:
    """Say one sentence for each place where pydantic found a mistake, with its line.

    A list with a wrong item is not blamed for being too short as well.
    """
    mistakes: dict[Place, list[ErrorDetails]] = {}
    for mistake in error.errors():
        mistakes.setdefault(_place(mistake, settings), []).append(mistake)
    parents = {place[:length] for place in mistakes for length in range(len(place))}
    for place, found in mistakes.items():
        if place in parents:
            continue
        where = lines.say(place)
        key = ".".join(map(str, place)) or "the whole"
        if found[0]["type"] == "extra_forbidden":
            yield f"{where}: unknown key {key}{_nearest(str(place[-1]), part)}"
        elif found[0]["type"] == "missing":
            yield f"{where}: {key} is missing"
        else:
            said = ", or: ".join(_said(mistake, lines.word(place)) for mistake in found)
            yield f"{where}: {key}: {said}"


def _place(mistake: ErrorDetails, settings: Any) -> Place:
    """Return the place of a mistake without the names of types that pydantic adds to it."""
    place: Place = ()
    for key in mistake["loc"]:
        try:
            settings = settings[key]
        except (LookupError, TypeError):
            continue
        place = (*place, key)
    return (*place, mistake["loc"][-1]) if mistake["type"] == "missing" else place


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
