"""Recipes as YAML whose mistakes are reported with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from crewe.errors import RecipeError

Place = tuple[str | int, ...]
# Aliases of aliases make a short text endless.
MOST_KEYS = 100_000


@dataclass(frozen=True)
class Lines:
    """Where each key of a recipe stands."""

    origin: str = "the recipe"
    """The name of the file."""
    of: Mapping[Place, int] = field(default_factory=dict)
    """Line (from 1) of each key path."""
    words: Mapping[Place, str] = field(default_factory=dict)
    """Each scalar as it is written: YAML reads 001 as 1 and yes as true."""
    folder: Path | None = None
    """Where the files that the recipe names are looked for; None for the working directory."""
    others: Mapping[str | int, Lines] = field(default_factory=dict)
    """Where the top-level keys stand that come from elsewhere, such as what it is based on."""

    def say(self, place: Place) -> str:
        """Name the file and, where it is known, the line of a key or of its nearest parent."""
        if place and place[0] in self.others:
            return self.others[place[0]].say(place)
        for length in range(len(place), -1, -1):
            if place[:length] in self.of:
                return f"{self.origin}, line {self.of[place[:length]]}"
        return self.origin

    def word(self, place: Place) -> str | None:
        """Return the scalar at a place as it is written, where that is known."""
        if place and place[0] in self.others:
            return self.others[place[0]].word(place)
        return self.words.get(place)

    def inside(self, key: str) -> Lines:
        """Return where the keys below a top-level one stand, as for a recipe of its own."""
        if key in self.others:
            return self.others[key].inside(key)
        return replace(self, of=_below(self.of, key), words=_below(self.words, key), others={})

    def with_others(self, keys: Mapping[str, Any], lines: Lines) -> Lines:
        """Return these lines where some top-level keys stand elsewhere."""
        return replace(self, others={**self.others, **dict.fromkeys(keys, lines)})


def _below(places: Mapping[Place, Any], key: str) -> dict[Place, Any]:
    return {place[1:]: value for place, value in places.items() if place[:1] == (key,)}


def read_yaml(path: Path) -> tuple[dict[str, Any], Lines]:
    """Read a YAML file and where its keys stand. Raises RecipeError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path} cannot be read as a recipe: {error}") from error
    return parse_yaml(text, str(path), path.parent)


def parse_yaml(
    text: str, origin: str = "the recipe", folder: Path | None = None
) -> tuple[dict[str, Any], Lines]:
    """Parse YAML text and note where its keys stand. Raises RecipeError."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        nodes = dict(islice(_places(node), MOST_KEYS + 1))
        settings = None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        said = getattr(error, "problem", None) or str(error).replace("\n", " ")
        raise RecipeError(f"{origin}{line} is not valid YAML: {said}") from error
    if len(nodes) > MOST_KEYS:
        raise RecipeError(f"{origin} holds more than {MOST_KEYS} keys: that is no recipe")
    if not isinstance(settings, dict):
        raise RecipeError(f"{origin} holds no recipe: expected keys and values")
    of = {place: line for place, (line, _) in nodes.items()}
    words = {place: word for place, (_, word) in nodes.items() if word is not None}
    return settings, Lines(origin, of, words, folder)


class _Loader(yaml.SafeLoader):
    """Safe YAML that names the line of what looks like a date or a number and is none."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
            said = f"{node.value!r} is not what it looks like: {error}; write words in quotes"
            raise yaml.constructor.ConstructorError(None, None, said, node.start_mark) from error


def _places(node: Any, place: Place = ()) -> Iterator[tuple[Place, tuple[int, str | None]]]:
    """Yield where each key and item stands: its line, and its text where it is a scalar."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key is one word, no list and no mapping", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
            yield (*place, key.value), (key.start_mark.line + 1, _word(value))
            yield from _places(value, (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*place, index), (value.start_mark.line + 1, _word(value))
            yield from _places(value, (*place, index))


def _word(node: Any) -> str | None:
    return node.value if isinstance(node, yaml.ScalarNode) else None
