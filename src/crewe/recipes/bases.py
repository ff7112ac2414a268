"""Recipes by name or file, and what they are based on."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from crewe.errors import RecipeError
from crewe.recipes.lines import Lines, read_yaml

SUFFIXES = {".yaml", ".yml"}
Settings = dict[str, Any]
Made = TypeVar("Made")
Make = Callable[[Settings, Lines, Made | None], Made]


@dataclass(frozen=True)
class Shelf:
    """The folder of the recipes of one kind that come with crewe."""

    kind: str
    """What a recipe is called in messages."""
    folder: Path

    def names(self) -> tuple[str, ...]:
        """Return the names of the recipes, in order."""
        return tuple(sorted(path.stem for path in self.folder.glob("*.yaml")))

    def read(
        self, wanted: str | os.PathLike[str], make: Make[Made], folder: Path | None = None
    ) -> Made:
        """Make something of a recipe, given by name or file, and of what it is based on.

        A file is looked for in `folder`, that of the recipe which names it, or without one in the
        working directory. `make` takes settings, their lines and what was made of the base, None
        without one; the root of all comes first. Raises RecipeError that names file and line.
        """
        path = self._path(os.fspath(wanted), folder)
        return self.based(*read_yaml(path), make, (os.path.realpath(path),))

    def based(
        self, settings: Any, lines: Lines, make: Make[Made], seen: tuple[str, ...] = ()
    ) -> Made:
        """Make something of settings, and of what they say under `based_on`, as `read` does.

        Raises RecipeError for a recipe that is based on itself, or on one that cannot be read.
        """
        base = settings.get("based_on") if isinstance(settings, dict) else None
        if base is None:
            return make(settings, lines, None)
        where = lines.say(("based_on",))
        if not isinstance(base, str):
            raise RecipeError(f"{where}: based_on names one {self.kind}, not {base!r}")
        try:
            path = self._path(base, lines.folder)
            real = os.path.realpath(path)
            if real in seen:
                raise RecipeError(f"{base} is based on itself")
            below = self.based(*read_yaml(path), make, (*seen, real))
        except RecipeError as error:
            raise RecipeError(f"{where}: {error}") from error
        return make(settings, lines, below)

    def _path(self, wanted: str, folder: Path | None) -> Path:
        names = self.names()
        if wanted in names:
            return self.folder / f"{wanted}.yaml"
        path = (folder or Path()) / wanted
        # Unlike Path.is_file, this is false for a name that is too long for the file system.
        exists = os.path.isfile(path)  # noqa: PTH113
        if "\0" not in wanted and (exists or path.suffix in SUFFIXES):
            return path
        near = difflib.get_close_matches(wanted, names, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise RecipeError(
            f"no {self.kind} is called {wanted!r}: {hint}there are {', '.join(names)}, "
            "or give a .yaml file"
        )
