"""Recipes of training sets: from a name, a file or a text to a maker of samples."""

from __future__ import annotations

import difflib
import os
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from crewe.errors import RecipeError
from crewe.recipes import Lines, parse_yaml, read_yaml
from crewe.training_sets.sample import SampleMaker

TASKS = ("restoration", "atom_maps")


def shipped_recipes() -> dict[str, str]:
    """Return the names of the recipes that come with crewe and what each makes."""
    return {
        name: str(yaml.safe_load(text)["description"]) for name, text in _shipped_texts().items()
    }


def load_recipe(
    name_or_path: str | os.PathLike[str], changes: dict[str, Any] | None = None
) -> SampleMaker:
    """Read a shipped recipe by its name, or a YAML file, with some top-level keys replaced.

    A recipe with the key `based_on` takes from that one what it does not say itself.
    Raises RecipeError that names the file and line of every mistake.
    """
    settings, lines = _with_base(*_read(os.fspath(name_or_path)))
    return _maker({**settings, **(changes or {})}, lines)


def recipe_from_text(text: str) -> SampleMaker:
    """Make the maker of a recipe again from the text that a training set keeps."""
    return _maker(*parse_yaml(text, "the recipe of the training set"))


def _read(wanted: str) -> tuple[dict[str, Any], Lines]:
    texts = _shipped_texts()
    if wanted in texts:
        return parse_yaml(texts[wanted], f"recipe {wanted}")
    if Path(wanted).suffix in {".yaml", ".yml"} or Path(wanted).exists():
        return read_yaml(Path(wanted))
    near = difflib.get_close_matches(wanted, texts, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(texts)}"
    raise RecipeError(f"no recipe is called {wanted!r}: {hint}, or give a .yaml file")


def _with_base(
    settings: dict[str, Any], lines: Lines, seen: tuple[str, ...] = ()
) -> tuple[dict[str, Any], Lines]:
    """Take what a recipe does not say from the one under `based_on`, key by top-level key."""
    if "based_on" not in settings:
        return settings, lines
    base = str(settings["based_on"])
    where = lines.say(("based_on",))
    if base in seen:
        raise RecipeError(f"{where}: {base} is based on itself")
    beside = Path(lines.origin).parent / base
    try:
        read = _read(str(beside) if beside.suffix and beside.is_file() else base)
        below, _ = _with_base(*read, (*seen, base))
    except RecipeError as error:
        raise RecipeError(f"{where}: {error}") from error
    own = {key: value for key, value in settings.items() if key != "based_on"}
    return {**below, **own}, lines


def _maker(settings: dict[str, Any], lines: Lines) -> SampleMaker:
    task = settings.get("task")
    if task == "restoration":
        from crewe.training_sets.restoration import RestorationMaker

        return RestorationMaker.read(settings, lines)
    if task == "atom_maps":
        from crewe.training_sets.atom_maps import AtomMapMaker

        return AtomMapMaker.read(settings, lines)
    raise RecipeError(f"{lines.say(('task',))}: task is {task!r}: give one of {', '.join(TASKS)}")


def _shipped_texts() -> dict[str, str]:
    folder = resources.files("crewe.training_sets") / "recipes"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8")
        for file in files
        if file.name.endswith(".yaml")
    }
