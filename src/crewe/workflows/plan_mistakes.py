"""What is wrong with the settings of a plan, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

_SHOULD = "Input should be "


def mistakes(error: ValidationError, settings: Mapping[str, Any]) -> str:
    """Return one clause per wrong setting: its name, what was given, what may be given.

    Of a setting that may be of several kinds, pydantic tells of each why it is not that one; they
    become one clause.
    """
    said: dict[tuple[str, str], list[str]] = {}
    for one in error.errors():
        place, given, has_kinds = _place(one["loc"], settings)
        shown = f" = {given if has_kinds else one['input']!r}"
        text = one["msg"].removeprefix("Value error, ").split(", unable to ")[0]
        if one["type"] == "missing":
            text, shown = (f"{_SHOULD}longer", shown) if has_kinds else (text, "")
        # What is not of a kind is one clause with the other kinds, all else one of its own.
        key = (f"{place}{shown}" if place else "", "" if has_kinds else text)
        said.setdefault(key, []).append(text)
    clauses = [_clause(place, list(dict.fromkeys(texts))) for (place, _), texts in said.items()]
    return "; ".join(dict.fromkeys(clauses))


def _clause(place: str, texts: list[str]) -> str:
    if len(texts) > 1:
        same = all(text.startswith(_SHOULD) for text in texts)
        start = _SHOULD if same else ""
        texts = [start + " or ".join(text.removeprefix(start) for text in texts)]
    return f"{place}: {texts[0]}" if place else texts[0]


def _place(where: tuple[int | str, ...], settings: Any) -> tuple[str, Any, bool]:
    """Return the name of a setting, what was given for it, and whether it may be of several kinds.

    Kinds stand among the names in pydantic's places; they are told by not being in the settings.
    """
    names: list[str] = []
    given = settings
    for number, step in enumerate(where):
        if isinstance(step, int):
            continue
        if isinstance(given, Mapping) and step in given:
            given = given[step]
        elif number < len(where) - 1 or not isinstance(given, Mapping):
            return ".".join(names), given, True
        names.append(step)
    return ".".join(names), given, False
