"""Recipes of training sets: from a name, a file or a text to a maker of samples."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from crewe.errors import RecipeError
from crewe.recipes import Lines, Shelf, parse_yaml
from crewe.training_sets.sample import SampleMaker

SHELF = Shelf("recipe", Path(__file__).parent / "recipes")
TASKS = ("restoration", "atom_maps", "stored")


def shipped_recipes() -> dict[str, str]:
    """Return the names of the recipes that come with crewe and what each makes."""
    return {name: str(SHELF.read(name, _over_base)[0]["description"]) for name in SHELF.names()}


def load_recipe(
    name_or_path: str | os.PathLike[str], changes: dict[str, Any] | None = None
) -> SampleMaker:
    """Read a shipped recipe by its name, or a YAML file, with some top-level keys replaced.

    A recipe with the key `based_on` takes from that one what it does not say itself. A file that
    a recipe names is looked for in the recipe's folder, one that `changes` name in the working
    directory. Raises RecipeError that names the file and line of every mistake.
    """
    settings, lines = SHELF.read(name_or_path, _over_base)
    changes = changes or {}
    return _maker({**settings, **changes}, lines.with_others(changes, Lines("the changes")))


def recipe_from_text(text: str) -> SampleMaker:
    """Make the maker of a recipe again from the text that a training set keeps."""
    return _maker(*parse_yaml(text, "the recipe of the training set"))


def _over_base(
    settings: dict[str, Any], lines: Lines, below: tuple[dict[str, Any], Lines] | None
) -> tuple[dict[str, Any], Lines]:
    """Take what a recipe does not say from the one below it, key by top-level key."""
    own = {key: value for key, value in settings.items() if key != "based_on"}
    if below is None:
        return own, lines
    base, base_lines = below
    taken = {key: value for key, value in base.items() if key not in own}
    return {**base, **own}, lines.with_others(taken, base_lines)


def _maker(settings: dict[str, Any], lines: Lines) -> SampleMaker:
    task = settings.get("task")
    if task == "restoration":
        from crewe.training_sets.restoration import RestorationMaker

        return RestorationMaker.read(settings, lines)
    if task == "atom_maps":
        from crewe.training_sets.atom_maps import AtomMapMaker

        return AtomMapMaker.read(settings, lines)
    if task == "stored":
        from crewe.training_sets.stored_samples import StoredSamples

        return StoredSamples.read(settings, lines)
    raise RecipeError(f"{lines.say(('task',))}: task is {task!r}: give one of {', '.join(TASKS)}")
