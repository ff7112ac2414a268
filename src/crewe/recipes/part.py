"""A part of a recipe: named ranges that are drawn together."""

from __future__ import annotations

from typing import Any, Self

import yaml
from numpy.random import Generator
from pydantic import BaseModel, ConfigDict, ValidationError

from crewe.errors import RecipeError
from crewe.recipes.complaints import complaints
from crewe.recipes.lines import Lines


class RecipePart(BaseModel):
    """Base of the parts of a recipe: frozen, strict about unknown keys.

    A field of type `Distribution` takes any form that `crewe.recipes.distribution` reads; `draw`
    draws a value for it. Numbers are finite.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        validate_default=True,
        allow_inf_nan=False,
    )

    def draw(self, name: str, rng: Generator) -> Any:
        """Draw a value for the named field."""
        return getattr(self, name).draw(rng)

    def chance(self, name: str, rng: Generator) -> bool:
        """Return whether something happens whose probability the named field holds."""
        return bool(rng.random() < getattr(self, name))

    def plain(self) -> dict[str, Any]:
        """Return the part as a recipe file holds it."""
        return self.model_dump(mode="python")

    @classmethod
    def read(cls, settings: Any, lines: Lines | None = None) -> Self:
        """Build the part from nested settings.

        Raises RecipeError that names, for every wrong key or value, its place and line.
        """
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            said = complaints(error, cls, lines or Lines(), settings)
            raise RecipeError("; ".join(said)) from error


def to_yaml(part: RecipePart) -> str:
    """Write a part as YAML that reads back as the same part, every default spelled out."""
    plain: str = yaml.safe_dump(_lists(part.plain()), sort_keys=False, allow_unicode=True)
    return plain


def _lists(value: Any) -> Any:
    """Turn tuples into lists, which is all that safe YAML knows."""
    if isinstance(value, dict):
        return {key: _lists(inner) for key, inner in value.items()}
    return [_lists(inner) for inner in value] if isinstance(value, (list, tuple)) else value
